/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * CO-RE: the compiler records which member of which kernel type is meant, the
 * loader puts in the offset that the running kernel has for it.
 */
#ifndef CORE_H
#define CORE_H

#include "helpers.h"

/* On a type: every access to a member of it is relocated. */
#define __core __attribute__((preserve_access_index))

/* enum bpf_field_info_kind of LLVM; an argument, not part of any header. */
#define BPF_FIELD_EXISTS 2

/* 1 where the running kernel has the member, else 0: a constant to the verifier. */
#define bpf_core_field_exists(field) __builtin_preserve_field_info(field, BPF_FIELD_EXISTS)

#define bpf_core_read(dst, size, src)                                          \
	bpf_probe_read_kernel(dst, size, __builtin_preserve_access_index(src))

/*
 * The value of ptr->field, or zero where ptr cannot be read (the helper
 * clears its destination). Nest it to follow pointers:
 * core_read(core_read(task, real_parent), tgid).
 */
#define core_read(ptr, field)                                                  \
	({                                                                     \
		__typeof__(ptr) ptr_ = (ptr);                                  \
		__typeof__(ptr_->field) value_;                                \
		bpf_core_read(&value_, sizeof(value_), &ptr_->field);          \
		value_;                                                        \
	})

#endif /* CORE_H */
