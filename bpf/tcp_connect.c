// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Every outgoing TCP connection, with the process that opens it.
 *
 * A kprobe: it takes the function's argument from a register, so this program
 * is compiled once per architecture (-D__TARGET_ARCH_*). tcp_connect() and not
 * tcp_v4_connect(): it serves IPv4 and IPv6, and runs once addresses and ports
 * are chosen.
 */
#include "byteorder.h"
#include "core.h"
#include "events.h"
#include "helpers.h"
#include "kernel_types.h"
#include "tracing.h"

/* From <sys/socket.h>: the same number on every architecture, but no UAPI header has it. */
#define AF_INET 2
#define AF_INET6 10

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024); /* bytes */
} events SEC(".maps");

/* Trace one process only; 0 is all. */
const volatile __u32 filter_tgid = 0;

/* Events that found the buffer full. */
__u64 lost = 0;

static __always_inline void read_addresses(struct connect_event *event, struct sock *sk)
{
	__builtin_memset(event->source, 0, sizeof(event->source));
	__builtin_memset(event->destination, 0, sizeof(event->destination));

	if (event->family == AF_INET) {
		bpf_core_read(event->source, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(event->destination, 4, &sk->__sk_common.skc_daddr);
	} else {
		bpf_core_read(event->source, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(event->destination, 16, &sk->__sk_common.skc_v6_daddr);
	}
}

/* int tcp_connect(struct sock *sk) */
SEC("kprobe/tcp_connect")
int tcp_connect(struct pt_regs *ctx)
{
	struct sock *sk = (void *)PT_REGS_PARM1(ctx);
	__u16 family = core_read(sk, __sk_common.skc_family);
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct connect_event *event;

	if (filter_tgid && tgid != filter_tgid)
		return 0;
	/* A kernel without CONFIG_IPV6 has no IPv6 members: there this leaves that code dead. */
	if (family != AF_INET &&
	    !(family == AF_INET6 && bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)))
		return 0;

	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		atomic_add(&lost, 1);
		return 0;
	}

	event->time_ns = bpf_ktime_get_ns();
	event->pid = tgid;
	event->uid = (__u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event->family = family;
	/* skc_num is the one port that the kernel keeps in host byte order. */
	event->source_port = bpf_htons(core_read(sk, __sk_common.skc_num));
	event->destination_port = core_read(sk, __sk_common.skc_dport);
	event->reserved = 0;
	read_addresses(event, sk);

	bpf_ringbuf_submit(event, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
