/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Packet parsing by direct access. Each function checks the bounds, moves the
 * cursor past what it read and returns a pointer to it, or NULL at the end of
 * the packet: a caller that tests for NULL is all that the verifier wants.
 */
#ifndef PACKET_H
#define PACKET_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/types.h>

#include "byteorder.h"
#include "helpers.h"

/* 802.1ad in 802.1Q; deeper stacks are not seen outside of test labs. */
#define MAX_VLAN_TAGS 2
/* Hop-by-hop, routing, destination options, and one to spare. */
#define MAX_IPV6_EXTENSIONS 4

struct cursor {
	void *pos;
	void *end;
};

/* The UAPI headers don't have these two. */
struct vlan_tag {
	__be16 tci;
	__be16 encapsulated_proto;
};

struct ipv6_extension {
	__u8 nexthdr;
	__u8 hdrlen; /* in units of 8 bytes, the first not counted */
};

#define cursor_over(ctx)                                                       \
	((struct cursor){ .pos = (void *)(long)(ctx)->data, .end = (void *)(long)(ctx)->data_end })

static __always_inline void *cursor_take(struct cursor *c, __u32 size)
{
	void *at = c->pos;

	if (at + size > c->end)
		return 0;
	c->pos = at + size;
	return at;
}

/* Ethernet and VLAN tags: gives the EtherType of what follows, or 0 if cut short. */
static __always_inline __be16 parse_ethernet(struct cursor *c)
{
	struct ethhdr *eth = cursor_take(c, sizeof(*eth));
	struct vlan_tag *tag;
	__be16 proto;
	int i;

	if (!eth)
		return 0;
	proto = eth->h_proto;

#pragma unroll
	for (i = 0; i < MAX_VLAN_TAGS; i++) {
		if (proto != bpf_htons(ETH_P_8021Q) && proto != bpf_htons(ETH_P_8021AD))
			break;
		tag = cursor_take(c, sizeof(*tag));
		if (!tag)
			return 0;
		proto = tag->encapsulated_proto;
	}
	return proto;
}

static __always_inline struct iphdr *parse_ipv4(struct cursor *c)
{
	struct iphdr *ip = cursor_take(c, sizeof(*ip));

	/* ihl counts 32-bit words and is the sender's to choose. */
	if (!ip || ip->ihl < 5 || !cursor_take(c, ip->ihl * 4 - sizeof(*ip)))
		return 0;
	return ip;
}

static __always_inline struct ipv6hdr *parse_ipv6(struct cursor *c)
{
	return cursor_take(c, sizeof(struct ipv6hdr));
}

static __always_inline int is_ipv6_extension(__u8 nexthdr)
{
	return nexthdr == IPPROTO_HOPOPTS || nexthdr == IPPROTO_ROUTING ||
	       nexthdr == IPPROTO_DSTOPTS;
}

/* Extension headers after `nexthdr`: gives the protocol behind them, or IPPROTO_NONE. */
static __always_inline __u8 skip_ipv6_extensions(struct cursor *c, __u8 nexthdr)
{
	struct ipv6_extension *ext;
	int i;

#pragma unroll
	for (i = 0; i < MAX_IPV6_EXTENSIONS; i++) {
		if (!is_ipv6_extension(nexthdr))
			return nexthdr;
		ext = cursor_take(c, sizeof(*ext));
		if (!ext || !cursor_take(c, ext->hdrlen * 8 + 8 - sizeof(*ext)))
			return IPPROTO_NONE;
		nexthdr = ext->nexthdr;
	}
	return is_ipv6_extension(nexthdr) ? IPPROTO_NONE : nexthdr;
}

#endif /* PACKET_H */
