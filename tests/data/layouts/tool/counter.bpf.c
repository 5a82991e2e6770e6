#include "common.h"

#ifndef STEP
#define STEP 1
#endif
#ifndef TEXT
#define TEXT GREETING
#endif

struct count {
	union {
		__u32 all[LIMIT];
		__u64 first;
	};
	__u8 last;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LIMIT);
	__type(key, __u32);
	__type(value, struct count);
} counts SEC(".maps");

const char text[] = TEXT;

SEC("socket")
int count(void *ctx)
{
	__u32 key = 0;
	struct count *value = bpf_map_lookup_elem(&counts, &key);

	if (value)
		value->all[0] += STEP + text[1];
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
