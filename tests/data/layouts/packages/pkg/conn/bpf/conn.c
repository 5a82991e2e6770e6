#include "common.h"
#include "verdict.h"

struct conn_key {
	__u32 source;
	__u32 target;
	__u16 port;
};

struct conn_stat {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct conn_key);
	__type(value, struct conn_stat);
} conns SEC(".maps");

volatile const __u32 sampling = 1;

SEC("xdp")
int count_conns(void *ctx)
{
	struct conn_key key = {.port = 80};
	struct conn_stat *stat = bpf_map_lookup_elem(&conns, &key);

	if (stat && sampling)
		stat->packets++;
	return PASS;
}

char LICENSE[] SEC("license") = "GPL";
