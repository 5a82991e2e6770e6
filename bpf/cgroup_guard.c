// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Egress policy for the processes of a cgroup: connect() and sendto() to a
 * destination are allowed or refused (EPERM) by the longest matching prefix.
 *
 * IPv4 destinations are looked up as IPv4-mapped IPv6 (::ffff:a.b.c.d). One
 * policy then serves both, and a dual-stack socket doesn't get around it by
 * connecting to the mapped form of a refused IPv4 address.
 */
#include <linux/in.h>
#include <linux/types.h>

#include "byteorder.h"
#include "helpers.h"

#define REFUSE 0
#define ALLOW 1

#define MAX_RULES 16384

struct destination {
	__u32 prefix_length; /* bits; 96 more for an IPv4 prefix */
	__be32 address[4];
};

struct rule {
	__u16 first_port; /* host byte order, both included; 0 to 65535 is any */
	__u16 last_port;
	__u32 verdict;    /* of these ports: ALLOW or REFUSE; other ports get the default */
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_RULES);
	__type(key, struct destination);
	__type(value, struct rule);
} policy SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32); /* REFUSE or ALLOW */
	__type(value, __u64);
} verdicts SEC(".maps");

/* For destinations that no rule names. */
const volatile __u32 default_verdict = ALLOW;

/*
 * Fields are read as the 32 bits that they are declared as: the compiler
 * would narrow a read of the port, which older kernels refuse.
 */
#define ctx_u32(field) (*(const volatile __u32 *)&(field))

static __always_inline int judge(const struct destination *to, __u16 port)
{
	const struct rule *rule = bpf_map_lookup_elem(&policy, to);
	int allowed = default_verdict != REFUSE;
	__u64 *count;
	__u32 slot;

	if (rule && rule->first_port <= port && port <= rule->last_port)
		allowed = rule->verdict != REFUSE;

	/*
	 * A copy for the map key: a key is on the stack, and what comes back from
	 * there the verifier doesn't know to be 0 or 1, all that a hook may return.
	 */
	slot = allowed;
	count = bpf_map_lookup_elem(&verdicts, &slot);
	if (count)
		(*count)++;
	return allowed ? ALLOW : REFUSE;
}

static __always_inline int judge_v4(struct bpf_sock_addr *ctx)
{
	struct destination to = {
		.prefix_length = 128,
		.address = { 0, 0, bpf_htonl(0xffff), ctx_u32(ctx->user_ip4) },
	};

	return judge(&to, bpf_ntohs(ctx_u32(ctx->user_port)));
}

static __always_inline int judge_v6(struct bpf_sock_addr *ctx)
{
	struct destination to = {
		.prefix_length = 128,
		.address = { ctx_u32(ctx->user_ip6[0]), ctx_u32(ctx->user_ip6[1]),
			     ctx_u32(ctx->user_ip6[2]), ctx_u32(ctx->user_ip6[3]) },
	};

	return judge(&to, bpf_ntohs(ctx_u32(ctx->user_port)));
}

SEC("cgroup/connect4")
int guard_connect4(struct bpf_sock_addr *ctx)
{
	return judge_v4(ctx);
}

SEC("cgroup/connect6")
int guard_connect6(struct bpf_sock_addr *ctx)
{
	return judge_v6(ctx);
}

/* UDP needs no connect(): without these, sendto() would be the way out. */
SEC("cgroup/sendmsg4")
int guard_sendmsg4(struct bpf_sock_addr *ctx)
{
	return judge_v4(ctx);
}

SEC("cgroup/sendmsg6")
int guard_sendmsg6(struct bpf_sock_addr *ctx)
{
	return judge_v6(ctx);
}

char LICENSE[] SEC("license") = "GPL";
