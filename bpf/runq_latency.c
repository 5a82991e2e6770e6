// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How long tasks wait for a CPU: a log2 histogram of the time between becoming
 * runnable (woken, or preempted) and running.
 */
#include "core.h"
#include "helpers.h"
#include "kernel_types.h"

#define TASK_RUNNING 0
#define MAX_TASKS 16384
#define MAX_SLOTS 32

/* Set before loading; the verifier then drops the branches that are switched off. */
const volatile __u32 filter_tgid = 0; /* one process; 0 is all */
const volatile __u32 in_milliseconds = 0;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH); /* a task may die without ever running again */
	__uint(max_entries, MAX_TASKS);
	__type(key, __u32); /* thread id */
	__type(value, __u64); /* runnable since, ns */
} runnable_since SEC(".maps");

/* Slot n counts waits of [2^n, 2^(n+1)) microseconds or milliseconds, slot 0 also those of 0. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} histogram SEC(".maps");

/* By halving: without branches, so it costs the verifier nothing. */
static __always_inline __u32 log2_floor(__u32 v)
{
	__u32 shift, result;

	result = (v > 0xFFFF) << 4;
	v >>= result;
	shift = (v > 0xFF) << 3;
	v >>= shift;
	result |= shift;
	shift = (v > 0xF) << 2;
	v >>= shift;
	result |= shift;
	shift = (v > 0x3) << 1;
	v >>= shift;
	result |= shift;
	return result | (v >> 1);
}

static __always_inline void became_runnable(struct task_struct *task)
{
	__u32 tid = task->pid;
	__u64 now;

	/* Every CPU has an idle task 0: it waits for nothing. */
	if (!tid || (filter_tgid && (__u32)task->tgid != filter_tgid))
		return;
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&runnable_since, &tid, &now, BPF_ANY);
}

static __always_inline void started_running(struct task_struct *task)
{
	__u32 tid = task->pid;
	__u64 *since = bpf_map_lookup_elem(&runnable_since, &tid);
	__u64 now = bpf_ktime_get_ns();
	__u64 *count;
	__u64 wait;
	__u32 slot;

	if (!since)
		return;
	/* Clocks of two CPUs may differ by a little: don't count that as centuries. */
	wait = now > *since ? now - *since : 0;
	bpf_map_delete_elem(&runnable_since, &tid);

	wait /= in_milliseconds ? 1000000 : 1000;
	slot = log2_floor(wait > 0xFFFFFFFF ? 0xFFFFFFFF : wait);
	count = bpf_map_lookup_elem(&histogram, &slot);
	if (count)
		(*count)++;
}

static __always_inline long task_state(struct task_struct *task)
{
	struct task_struct___before_5_14 *old = (void *)task;

	if (bpf_core_field_exists(task->__state))
		return task->__state;
	return old->state;
}

/* TP_PROTO(struct task_struct *task) */
SEC("tp_btf/sched_wakeup")
int runq_wakeup(__u64 *ctx)
{
	became_runnable((void *)ctx[0]);
	return 0;
}

/* A new task is woken by its parent's clone(), which has a tracepoint of its own. */
SEC("tp_btf/sched_wakeup_new")
int runq_wakeup_new(__u64 *ctx)
{
	became_runnable((void *)ctx[0]);
	return 0;
}

/* TP_PROTO(bool preempt, struct task_struct *prev, struct task_struct *next, ...) */
SEC("tp_btf/sched_switch")
int runq_switch(__u64 *ctx)
{
	struct task_struct *prev = (void *)ctx[1];
	struct task_struct *next = (void *)ctx[2];

	/* Still runnable: it was preempted, and waits from now on. */
	if (task_state(prev) == TASK_RUNNING)
		became_runnable(prev);
	started_running(next);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
