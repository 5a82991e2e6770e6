// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Every successful execve(), with its arguments, over a ring buffer.
 *
 * On sched_process_exec rather than on the system call: there the new image
 * is in place, so the arguments are what runs, not what a racing thread could
 * still change, and failed calls (PATH searches) don't show up.
 */
#include "core.h"
#include "events.h"
#include "helpers.h"
#include "kernel_types.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20); /* bytes: some 1,200 events */
} events SEC(".maps");

/* Trace one user only; by default all. */
const volatile __u32 filter_uid = 0;
const volatile __u32 filter_by_uid = 0;

/* Events that found the buffer full. A reader that sees it grow is too slow. */
__u64 lost = 0;

static __always_inline __u32 read_args(struct exec_event *event, struct task_struct *task)
{
	struct mm_struct *mm = core_read(task, mm);
	unsigned long start = core_read(mm, arg_start);
	unsigned long size = core_read(mm, arg_end) - start;

	if (size > EXEC_ARGS_LEN)
		size = EXEC_ARGS_LEN;
	if (bpf_probe_read_user(event->args, size, (void *)start))
		return 0;
	return size;
}

/* TP_PROTO(struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm) */
SEC("raw_tp/sched_process_exec")
int exec_trace(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	struct linux_binprm *bprm = (void *)ctx->args[2];
	__u64 uid_gid = bpf_get_current_uid_gid();
	struct exec_event *event;

	if (filter_by_uid && (__u32)uid_gid != filter_uid)
		return 0;

	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		atomic_add(&lost, 1);
		return 0;
	}

	/* Reserved memory holds what an earlier event left behind. */
	__builtin_memset(event->args, 0, sizeof(event->args));
	__builtin_memset(event->filename, 0, sizeof(event->filename));

	event->time_ns = bpf_ktime_get_ns();
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->ppid = core_read(core_read(task, real_parent), tgid);
	event->uid = (__u32)uid_gid;
	event->gid = uid_gid >> 32;
	event->reserved = 0;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_probe_read_kernel_str(event->filename, sizeof(event->filename),
				  core_read(bprm, filename));
	event->args_size = read_args(event, task);

	bpf_ringbuf_submit(event, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
