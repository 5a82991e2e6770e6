// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Drops packets whose source address is in a blocked prefix. A prefix names
 * the list it came from, and drops are counted per list, so that an operator
 * sees which feed is doing the work (or the harm).
 */
#include "byteorder.h"
#include "helpers.h"
#include "packet.h"

#define MAX_PREFIXES 65536
#define MAX_LISTS 64

/* Keys of BPF_MAP_TYPE_LPM_TRIE: the length in bits, then the address as on the wire. */
struct prefix4 {
	__u32 length;
	__be32 address;
};

struct prefix6 {
	__u32 length;
	struct in6_addr address;
};

struct counter {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC); /* the kernel refuses a trie without it */
	__uint(max_entries, MAX_PREFIXES);
	__type(key, struct prefix4);
	__type(value, __u32); /* list, below MAX_LISTS */
} blocked_v4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_PREFIXES);
	__type(key, struct prefix6);
	__type(value, __u32);
} blocked_v6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_LISTS);
	__type(key, __u32);
	__type(value, struct counter);
} drops SEC(".maps");

/* Matches are counted but pass: to try a new list before it is trusted. */
const volatile __u32 dry_run = 0;

static __always_inline __u32 *blocked_by(struct cursor *c, __be16 proto)
{
	if (proto == bpf_htons(ETH_P_IP)) {
		struct prefix4 key = { .length = 32 };
		struct iphdr *ip = parse_ipv4(c);

		if (!ip)
			return 0;
		key.address = ip->saddr;
		return bpf_map_lookup_elem(&blocked_v4, &key);
	}
	if (proto == bpf_htons(ETH_P_IPV6)) {
		struct prefix6 key = { .length = 128 };
		struct ipv6hdr *ip = parse_ipv6(c);

		if (!ip)
			return 0;
		key.address = ip->saddr;
		return bpf_map_lookup_elem(&blocked_v6, &key);
	}
	return 0;
}

SEC("xdp")
int xdp_blocklist(struct xdp_md *ctx)
{
	struct cursor c = cursor_over(ctx);
	__u64 bytes = c.end - c.pos;
	__be16 proto = parse_ethernet(&c);
	__u32 *list = blocked_by(&c, proto);
	struct counter *drop;

	/* What cannot be parsed is left to the stack, which knows how to refuse it. */
	if (!list)
		return XDP_PASS;

	drop = bpf_map_lookup_elem(&drops, list);
	if (drop) {
		drop->packets++;
		drop->bytes += bytes;
	}
	return dry_run ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
