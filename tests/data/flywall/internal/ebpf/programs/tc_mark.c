//go:build ignore

#include "../include/common.h"

SEC("tc") int tc_mark(struct __sk_buff *skb)
{
	skb->mark = 7;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
