/* Types that are reached through macros, typeof and lists, and relocations of types and enumerators. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define container_of_(ptr, type, member) ((type *)((void *)(ptr) - __builtin_offsetof(type, member)))
#define MM(task) ((task)->mm)

u64 total;
struct bio_vec vector;

SEC("tp_btf/sched_switch")
int BPF_PROG(walk, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct list_head *list = BPF_CORE_READ(prev, children.next);
	struct task_struct *child = container_of_(list, struct task_struct, sibling);
	__auto_type user = prev->cred->user_ns;
	typeof(*MM(prev)) *mm = MM(prev);

	total += BPF_CORE_READ(child, pid) + bpf_core_type_size(struct request);
	total += bpf_core_enum_value(enum pid_type, PIDTYPE_PGID) + BPF_CORE_READ_BITFIELD_PROBED(prev, sched_migrated);
	total += user->level + (mm ? mm->total_vm : 0) + bpf_core_type_id_kernel(struct dentry);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
