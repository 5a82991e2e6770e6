#include "common.h"

struct event {
	__u32 pid;
	char comm[16];
};

struct event last;

SEC("raw_tp/sched_process_exec")
int on_exec(void *ctx)
{
	last.pid++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
