/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The members of kernel types that the programs read, and no others: CO-RE
 * matches types and members by name, so order, size and everything that is
 * left out don't matter. A vmlinux.h (3 MB, of one kernel) isn't needed.
 */
#ifndef KERNEL_TYPES_H
#define KERNEL_TYPES_H

#include <linux/in6.h>
#include <linux/types.h>

#include "core.h"

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
} __core;

struct task_struct {
	unsigned int __state;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct mm_struct *mm;
} __core;

/*
 * task_struct before kernel 5.14 (commit 2f064a59a11f renamed the member).
 * Loaders ignore "___" and what follows when they match type names.
 */
struct task_struct___before_5_14 {
	long state;
} __core;

struct linux_binprm {
	const char *filename;
} __core;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
} __core;

struct sock {
	struct sock_common __sk_common;
} __core;

#endif /* KERNEL_TYPES_H */
