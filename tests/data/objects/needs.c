// needs.bpfel.o and needs.bpfeb.o: clang-19 -O2 -g -target bpfel (bpfeb) -mcpu=v4 -ffile-compilation-dir=., then bpfgen/strip.py.
// One of each thing that an object can need of a kernel.
#define SEC(name) __attribute__((section(name), used))
#define __ksym __attribute__((section(".ksyms")))
#define __kconfig __attribute__((section(".kconfig")))
#define __weak __attribute__((weak))
#define __noinline __attribute__((noinline))
#define __core __attribute__((preserve_access_index))
#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name
#define __ulong(name, value) enum { __unique_##name = value } name
#define __array(name, value) typeof(value) *name[]

typedef unsigned int __u32;
typedef unsigned long long __u64;
enum { HASH = 1, PROG_ARRAY = 3, HASH_OF_MAPS = 13, BLOOM_FILTER = 30 };

struct mm {
	union {
		struct {
			int users;
		};
		long count;
	};
	struct task *owners[4];
} __core;
struct task {
	int pid;
	struct mm *mm;
	char comm[16];
	__u32 low : 4, high : 7;
} __core;
struct task___old {
	int tgid;
} __core;
enum feature { OLD = 1, NEW = 7 };

struct inner {
	__uint(type, HASH);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 8);
};
struct {
	__uint(type, HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps");
struct {
	__uint(type, BLOOM_FILTER);
	__type(value, __u64);
	__uint(max_entries, 100);
	__ulong(map_extra, 0x500000003);
	__uint(pinning, 1);
} bloom SEC(".maps");

extern int LINUX_KERNEL_VERSION __kconfig;
extern _Bool CONFIG_NEW __kconfig __weak;
extern const void init_task __ksym;
extern const int typed_symbol __ksym __weak;
extern struct task *acquire(struct task *task, __u64 flags) __ksym;
extern void release(struct task *task) __ksym __weak;

static void *(*const lookup)(void *map, const void *key) = (void *)1;
static long (*const probe)(void *to, __u32 size, const void *from) = (void *)113;
static long (*const loop)(__u32 count, void *callback, void *context, __u64 flags) = (void *)181;

const volatile int limit = 5;
static volatile int calls;
int total;
__u64 counters[3] = {1, 2, 3};

static __noinline int each(__u32 index, void *context)
{
	return total += index;
}

static __noinline int twice(struct task *task)
{
	char comm[16];

	probe(comm, sizeof(comm), &task->comm);
	return comm[0] * 2 + task->mm->users;
}

SEC("fentry.s/do_exit")
int enter(__u64 *context)
{
	struct task *task = (void *)context[0];

	if (CONFIG_NEW && LINUX_KERNEL_VERSION > 0x60000 && release)
		task = acquire(task, limit);
	if (__builtin_preserve_field_info(((struct task___old *)task)->tgid, 2))
		return twice(task);
	__sync_fetch_and_or(&counters[1], calls++);
	loop(10, each, 0, 0);
	return task->high + (int)__builtin_preserve_enum_value(*(enum feature *)NEW, 1) + task->mm->owners[2]->pid;
}

SEC("?tc")
int classify(void *context)
{
	__u32 key = 1;
	void *map = lookup(&outer, &key);

	return map && lookup(map, &key) ? (int)(long)&init_task : typed_symbol;
}

SEC("mystery")
int unknown(signed char *context)
{
	return lookup(&bloom, context) ? *context : 0;
}

struct ops {
	int (*start)(void *context);
	void (*stop)(void *context);
	int number;
};

SEC("struct_ops/start")
int start(void *context)
{
	return 3;
}

SEC(".struct_ops.link")
struct ops ops = {.start = (void *)start, .number = 4};

char _license[] SEC("license") = "GPL";
