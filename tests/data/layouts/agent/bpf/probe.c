#include <common.h>

#if !defined(__TARGET_ARCH_x86) && !defined(__TARGET_ARCH_arm64)
#error no architecture
#endif

#ifdef __TARGET_ARCH_x86
#define FACTOR 2
#else
#define FACTOR 3
#endif

struct event_t {
	__u64 when;
	__u32 pid;
#ifdef BPF_DEBUG
	__u32 cpu;
#endif
};

const struct event_t *unused __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LIMIT);
	__type(key, __u32);
	__type(value, __u64);
} starts SEC(".maps");

SEC("kprobe/do_exit")
int on_exit(void *ctx)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&starts, &key);

	if (value)
		*value += FACTOR;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
