#include "common.h"
#include "verdict.h"

struct query {
	__u16 id;
	__u8 flags;
	char name[60];
};

struct hint {
	__u32 first;
	__u8 second;
};

enum step {
	FIRST,
	SECOND,
};

const struct hint *unused_hint __attribute__((unused));
const enum step *unused_step __attribute__((unused));
enum verdict last_verdict;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, QUERIES);
	__type(key, __u32);
	__type(value, struct query);
} queries SEC(".maps");

SEC("tc")
int read_name(void *ctx)
{
	__u32 key = 0;
	struct query *query = bpf_map_lookup_elem(&queries, &key);

	last_verdict = query && query->flags ? DROP : PASS;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
