// Programs with each guard that is usual. What a guard keeps from being reached calls a helper that no kernel has
// (`gone`), what is reached one that all have (`there`); with -DSWAPPED it is the other way round.
typedef unsigned char __u8;
typedef unsigned short __u16, __be16;
typedef unsigned int __u32, __be32, __wsum;
typedef unsigned long long __u64;
typedef int __s32;
typedef long long __s64;
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

extern int LINUX_KERNEL_VERSION __kconfig;
extern _Bool CONFIG_BPF __kconfig __weak;
extern _Bool CONFIG_NO_SUCH_THING __kconfig __weak;
extern const void no_such_symbol __ksym __weak;
extern const void bpf_prog_put __ksym __weak;
void no_such_kfunc(int) __ksym __weak;

#ifndef KERNEL_VERSION
#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))
#endif
#ifdef SWAPPED
#define GONE 5
#define THERE 9999
#define GUARD(condition) (!(condition))
#else
#define GONE 9999
#define THERE 5
#define GUARD(condition) (condition)
#endif
#define gone(x) (((long (*)(long))GONE)(x))
#define there(x) (((long (*)(long))THERE)(x))
#define noinline __attribute__((noinline))

struct task_struct {
	int pid;
	int gone;
} __attribute__((preserve_access_index));
struct task_struct___old {
	long no_such_state;
} __attribute__((preserve_access_index));
struct no_such_type {
	int x;
} __attribute__((preserve_access_index));
enum bpf_func_id___mine {
	BPF_FUNC_map_lookup_elem___mine = 1,
	BPF_FUNC_no_such_helper___mine = 99,
};

const volatile int wanted = 0;
const volatile int level = 3;
static volatile const char flags[4] = { 0, 1 };
int seen;

#define CLOSED(name, condition)                                                                                        \
	SEC("raw_tp/sys_enter") int closed_##name(void *ctx)                                                           \
	{                                                                                                              \
		if (condition)                                                                                         \
			seen = gone(seen);                                                                             \
		else                                                                                                   \
			seen = there(seen);                                                                            \
		return 0;                                                                                              \
	}
#define OPEN(name, condition)                                                                                          \
	SEC("raw_tp/sys_enter") int open_##name(void *ctx)                                                             \
	{                                                                                                              \
		if (condition)                                                                                         \
			seen = there(seen);                                                                            \
		else                                                                                                   \
			seen = gone(seen);                                                                             \
		return 0;                                                                                              \
	}
#define BOTH(name, no, yes) CLOSED(name, no) OPEN(name, yes)

#define task ((struct task_struct *)0)
#define old ((struct task_struct___old *)0)

static inline _Bool has_state(void)
{
	return bpf_core_field_exists(old->no_such_state);
}
static noinline _Bool has_type(void)
{
	return bpf_core_type_exists(struct no_such_type) || bpf_core_type_size(struct no_such_type) > 0;
}
static noinline _Bool has_pid(void)
{
	return bpf_core_field_exists(task->pid) && LINUX_KERNEL_VERSION >= KERNEL_VERSION(4, 0, 0);
}
static noinline int choose(int which)
{
	if (which == 1 && has_type())
		return 2;
	return which;
}
static noinline int behind(_Bool open, int value)
{
	if (open)
		return gone(value);
	return value + 1;
}

BOTH(field, bpf_core_field_exists(old->no_such_state), bpf_core_field_exists(task->pid))
BOTH(type, bpf_core_type_exists(struct no_such_type), bpf_core_type_exists(struct task_struct))
BOTH(value, bpf_core_enum_value_exists(enum bpf_func_id___mine, BPF_FUNC_no_such_helper___mine),
     bpf_core_enum_value_exists(enum bpf_func_id___mine, BPF_FUNC_map_lookup_elem___mine))
BOTH(version, LINUX_KERNEL_VERSION >= KERNEL_VERSION(200, 1, 0), LINUX_KERNEL_VERSION >= KERNEL_VERSION(4, 19, 0))
BOTH(kconfig, CONFIG_NO_SUCH_THING, CONFIG_BPF)
BOTH(symbol, &no_such_symbol, &bpf_prog_put)
BOTH(kfunc, no_such_kfunc, !no_such_kfunc)
BOTH(constant, wanted, level)
BOTH(comparison, level > 5, level < 5 && level != 2)
BOTH(array, flags[0], flags[1])
BOTH(inlined, has_state(), !has_state())
BOTH(subprogram, has_type(), has_pid())
BOTH(and, bpf_core_field_exists(task->pid) && bpf_core_type_exists(struct no_such_type),
     bpf_core_field_exists(task->pid) && LINUX_KERNEL_VERSION >= KERNEL_VERSION(4, 19, 0) && !wanted)
BOTH(or, has_state() || wanted || bpf_core_type_exists(struct no_such_type),
     has_state() || LINUX_KERNEL_VERSION >= KERNEL_VERSION(5, 0, 0))
BOTH(runtime, seen > 5 && bpf_core_field_exists(old->no_such_state), seen > 5 || bpf_core_field_exists(task->pid))
BOTH(argument, choose(bpf_core_field_exists(task->pid)) == 2, choose(bpf_core_field_exists(task->pid)) == 1)
BOTH(size, bpf_core_type_size(struct no_such_type) > 0, bpf_core_type_size(struct task_struct) > 100)

SEC("raw_tp/sys_enter") int closed_read(void *ctx)
{
	struct task_struct___old *current = (void *)bpf_get_current_task();

	if (GUARD(bpf_core_field_exists(current->no_such_state)))
		seen = BPF_CORE_READ(current, no_such_state);
	return 0;
}

SEC("raw_tp/sys_enter") int closed_call(void *ctx)
{
	if (GUARD(no_such_kfunc))
		no_such_kfunc(seen);
	return 0;
}

SEC("raw_tp/sys_enter") int other_passed(void *ctx)
{
	return behind(bpf_core_field_exists(old->no_such_state), seen);
}

SEC("raw_tp/sys_enter") int other_kept(void *ctx)
{
	_Bool has = bpf_core_field_exists(old->no_such_state);
	for (int i = 0; i < 10; i++)
		seen += there(i);
	if (has)
		seen = gone(seen);
	seen += there(seen);
	if (has || wanted)
		seen = gone(seen);
	return 0;
}

// So much that answers are kept on the stack.
long many[12];
SEC("raw_tp/sys_enter") int other_spilled(void *ctx)
{
	_Bool has = bpf_core_field_exists(old->no_such_state);
	_Bool either = has || bpf_core_type_exists(struct no_such_type);
	int size = bpf_core_type_size(struct no_such_type);
	long a = there(1), b = there(2), c = there(3), d = there(4), e = there(5), f = there(6), g = there(7);

	many[0] = has;
	many[1] = either;
	for (int i = 0; i < 20; i++) {
		a += there(b);
		b ^= there(c);
		c += there(d);
		d ^= there(e);
		e += there(f);
		f += there(g);
		g += there(a);
		if (has)
			b += gone(a);
		if (either)
			c += gone(b);
		if (size)
			d += gone(c);
		if (a > 5 && has)
			d += gone(c);
	}
	many[2] = a + b + c + d + e + f + g;
	if (either && many[2] > 4)
		many[3] = gone(1);
	return 0;
}

static int step(unsigned int index, void *data)
{
	if (bpf_core_type_exists(struct no_such_type))
		seen = gone(index);
	else
		seen = there(index);
	return 0;
}
SEC("raw_tp/sys_enter") int other_callback(void *ctx)
{
	bpf_loop(3, step, 0, 0);
	return 0;
}

static int never(unsigned int index, void *data)
{
	seen = gone(index);
	return 0;
}
SEC("raw_tp/sys_enter") int other_callback_of_none(void *ctx)
{
	if (wanted)
		bpf_loop(3, never, 0, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
