// sample.bpfel.o and sample.bpfeb.o: clang-19 -O2 -g -target bpfel (bpfeb) -mcpu=v2 -ffile-compilation-dir=., then bpfgen/strip.py.
// Needs no header, so that any clang with the BPF target compiles it.
typedef unsigned int __u32;
typedef unsigned long long __u64;
#define SEC(name) __attribute__((section(name), used))
#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name

enum { HASH = 1, PERCPU_ARRAY = 6, HASH_OF_MAPS = 13, RINGBUF = 27 };

struct flow {
	__u32 address;
	__u64 bytes;
};
typedef struct {
	int hits;
} counter_t;

struct inner {
	__uint(type, HASH);
	__type(key, const __u32);
	__type(value, struct flow *);
	__uint(max_entries, 1);
	__uint(map_flags, 1);
} inner SEC(".maps");
struct {
	__uint(type, HASH_OF_MAPS);
	__uint(max_entries, 3);
	__uint(key_size, 4);
	struct inner *values[];
} outer SEC(".maps") = {.values = {&inner}};
struct {
	__uint(type, HASH);
	__uint(max_entries, 128);
	__type(key, struct flow);
	__type(value, __u64[4]);
	__uint(pinning, 0);
} flows SEC(".maps");
struct {
	__uint(type, RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");
struct {
	__uint(type, PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, counter_t);
} counters SEC(".maps");

extern int LINUX_KERNEL_VERSION __attribute__((section(".kconfig")));
extern _Bool CONFIG_BPF __attribute__((section(".kconfig")));
const volatile int limit = 3;
int total;
__u64 start = 5;
int custom SEC(".data.custom") = 4;
static volatile const int hidden SEC(".rodata.hidden") = 5;

static void *(*const lookup)(void *map, const void *key) = (void *)1;

static __attribute__((noinline)) int add(int number)
{
	return total += number * limit;
}

SEC("xdp")
int drop_all(void *context)
{
	struct flow key = {};
	return lookup(&flows, &key) ? 1 : 2;
}

SEC("xdp")
int pass_all(void *context)
{
	return start++ + hidden + CONFIG_BPF;
}

#ifndef TC
#define TC "?tc"
#endif

SEC(TC)
int classify(__u32 *context)
{
	return add(*context) + custom + LINUX_KERNEL_VERSION;
}

SEC("kprobe/do_unlinkat")
int on_unlink(void *context)
{
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
