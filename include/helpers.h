/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What every program here needs of the BPF environment: section and map
 * declarations, and the helpers that are used. The names and meanings are
 * those of libbpf's bpf_helpers.h, so that readers and programs can move
 * between the two; only what this repository uses is declared, so that it
 * builds with kernel UAPI headers alone.
 */
#ifndef HELPERS_H
#define HELPERS_H

#include <linux/bpf.h>
#include <linux/types.h>

/*
 * "used" keeps programs and maps that no C code refers to. On an extern
 * declaration it means nothing and clang says so, but extern maps need the
 * section too: hence the pragmas.
 */
#define SEC(name)                                                              \
	_Pragma("GCC diagnostic push")                                         \
	_Pragma("GCC diagnostic ignored \"-Wignored-attributes\"")             \
	__attribute__((section(name), used))                                   \
	_Pragma("GCC diagnostic pop")

/* Map attributes live in BTF: loaders read them from the types of members. */
#define __uint(name, val) int(*name)[val]
#define __type(name, val) __typeof__(val) *name

#undef __always_inline /* <linux/stddef.h> has a weaker one */
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))

/* As in <stddef.h>: a clang that ships without its own headers (the wheel's) lacks it. */
#undef offsetof
#define offsetof(type, member) __builtin_offsetof(type, member)

/*
 * Visible to the other sources of a statically linked object, not outside it.
 * libbpf then has the verifier check the function with each caller, which
 * permits pointers to the caller's stack. Alone, as a global function, it would
 * get those as "maybe NULL", and kernels before commit e5069b9c23b3 allow none.
 */
#define __hidden __attribute__((visibility("hidden")))

/*
 * Relaxed, and the result never used: that is XADD (every kernel) at any
 * -mcpu, where __sync_fetch_and_add() becomes a fetching atomic (kernel 5.12)
 * with clang 20 and later.
 */
#define atomic_add(ptr, val) ((void)__atomic_fetch_add((ptr), (val), __ATOMIC_RELAXED))

/*
 * A helper is called by number: the constant pointer makes the compiler emit
 * `call N` with no address to resolve. "unused" is for editors, which open
 * this file as a source.
 */
#define BPF_HELPER(ret, name, ...)                                             \
	static ret (*const bpf_##name)(__VA_ARGS__)                            \
		__attribute__((unused)) = (void *)BPF_FUNC_##name

BPF_HELPER(void *, map_lookup_elem, void *map, const void *key);
BPF_HELPER(long, map_update_elem, void *map, const void *key, const void *value, __u64 flags);
BPF_HELPER(long, map_delete_elem, void *map, const void *key);

BPF_HELPER(__u64, ktime_get_ns, void);
BPF_HELPER(__u64, get_current_pid_tgid, void);
BPF_HELPER(__u64, get_current_uid_gid, void);
BPF_HELPER(long, get_current_comm, void *buf, __u32 size);

BPF_HELPER(long, probe_read_kernel, void *dst, __u32 size, const void *src);
BPF_HELPER(long, probe_read_kernel_str, void *dst, __u32 size, const void *src);
BPF_HELPER(long, probe_read_user, void *dst, __u32 size, const void *src);

BPF_HELPER(void *, ringbuf_reserve, void *ringbuf, __u64 size, __u64 flags);
BPF_HELPER(void, ringbuf_submit, void *data, __u64 flags);

BPF_HELPER(long, skb_pull_data, struct __sk_buff *skb, __u32 len);
BPF_HELPER(long, skb_load_bytes_relative, const void *skb, __u32 offset, void *to, __u32 len,
	   __u32 start);

#endif /* HELPERS_H */
