/* Kprobes and fentry with libbpf's macros. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, struct sock *);
	__type(value, struct sockaddr_in);
} sockets SEC(".maps");

SEC("kprobe/tcp_v4_connect")
int BPF_KPROBE(connect, struct sock *sk, struct sockaddr *addr)
{
	struct sockaddr_in in = {};

	in.sin_port = bpf_htons(BPF_CORE_READ(sk, __sk_common.skc_num));
	BPF_CORE_READ_INTO(&in.sin_addr.s_addr, sk, __sk_common.skc_daddr);
	bpf_map_update_elem(&sockets, &sk, &in, BPF_ANY);
	return 0;
}

SEC("fentry/tcp_set_state")
int BPF_PROG(state, struct sock *sk, int state)
{
	if (state == TCP_ESTABLISHED && sk->__sk_common.skc_family == 2)
		bpf_printk("%d", sk->sk_socket->file->f_inode->i_uid.val);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
