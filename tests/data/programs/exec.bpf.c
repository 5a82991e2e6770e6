/* What libbpf's examples do with a tracepoint: maps, helpers, members that are followed. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct event {
	pid_t pid, ppid;
	uid_t uid;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, pid_t);
	__type(value, struct event);
} events SEC(".maps");

const volatile bool ignore_failed = true;

SEC("tracepoint/syscalls/sys_enter_execve")
int enter(struct trace_event_raw_sys_enter *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct event event = {};

	event.pid = bpf_get_current_pid_tgid() >> 32;
	event.ppid = BPF_CORE_READ(task, real_parent, tgid);
	event.uid = (u32)bpf_get_current_uid_gid();
	if (bpf_core_field_exists(task->__state) || bpf_core_type_exists(struct io_uring_task))
		event.ppid += BPF_CORE_READ(task, mm, exe_file, f_inode, i_ino);
	bpf_probe_read_user_str(&event.comm, sizeof(event.comm), (char *)ctx->args[0]);
	bpf_map_update_elem(&events, &event.pid, &event, BPF_NOEXIST);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
