// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Follows TCP and UDP connections, as a tc classifier on ingress and egress of
 * a device. Linked with report.c into one object.
 */
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "byteorder.h"
#include "conntrack.h"
#include "helpers.h"
#include "packet.h"

/* Ethernet, two VLAN tags, IPv6 with an extension or IPv4 with options, TCP. */
#define HEADERS_LEN 128

struct connection_map connections SEC(".maps");

/* What of a packet matters here. */
struct segment {
	struct endpoint source;
	struct endpoint destination;
	__u8 protocol;
	__u8 fin;
	__u8 rst;
};

static __always_inline int parse_network(struct cursor *c, struct segment *s)
{
	__be16 proto = parse_ethernet(c);

	if (proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = parse_ipv4(c);

		/* Only the first fragment has ports; a later one would give us payload for them. */
		if (!ip || ip->frag_off & bpf_htons(0x1fff))
			return -1;
		s->source.address[2] = s->destination.address[2] = bpf_htonl(0xffff);
		s->source.address[3] = ip->saddr;
		s->destination.address[3] = ip->daddr;
		s->protocol = ip->protocol;
		return 0;
	}
	if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = parse_ipv6(c);

		if (!ip)
			return -1;
		__builtin_memcpy(s->source.address, &ip->saddr, sizeof(ip->saddr));
		__builtin_memcpy(s->destination.address, &ip->daddr, sizeof(ip->daddr));
		s->protocol = skip_ipv6_extensions(c, ip->nexthdr);
		return 0;
	}
	return -1;
}

static __always_inline int parse_transport(struct cursor *c, struct segment *s)
{
	if (s->protocol == IPPROTO_TCP) {
		struct tcphdr *tcp = cursor_take(c, sizeof(*tcp));

		if (!tcp)
			return -1;
		s->source.port = tcp->source;
		s->destination.port = tcp->dest;
		s->fin = tcp->fin;
		s->rst = tcp->rst;
		return 0;
	}
	if (s->protocol == IPPROTO_UDP) {
		struct udphdr *udp = cursor_take(c, sizeof(*udp));

		if (!udp)
			return -1;
		s->source.port = udp->source;
		s->destination.port = udp->dest;
		return 0;
	}
	return -1;
}

/* Any total order does, so long as both directions agree on it. */
static __always_inline int is_lower(const struct endpoint *a, const struct endpoint *b)
{
	int i;

#pragma unroll
	for (i = 0; i < 4; i++)
		if (a->address[i] != b->address[i])
			return a->address[i] < b->address[i];
	return a->port < b->port;
}

static __always_inline enum direction make_key(struct connection_key *key, const struct segment *s)
{
	key->protocol = s->protocol;
	if (is_lower(&s->source, &s->destination)) {
		key->low = s->source;
		key->high = s->destination;
		return FROM_LOW;
	}
	key->low = s->destination;
	key->high = s->source;
	return FROM_HIGH;
}

static __always_inline struct connection *find_or_open(const struct connection_key *key, __u64 now)
{
	struct connection *found = bpf_map_lookup_elem(&connections, key);
	struct connection opened = { .first_ns = now };

	if (found)
		return found;
	/* NOEXIST: of two CPUs that see the first packets, one opens and reports. */
	if (!bpf_map_update_elem(&connections, key, &opened, BPF_NOEXIST) && report_opened)
		report_change(key, CONNECTION_OPENED);
	return bpf_map_lookup_elem(&connections, key);
}

SEC("tc")
int conntrack(struct __sk_buff *skb)
{
	struct connection_key key = {};
	struct segment segment = {};
	struct connection *connection;
	__u64 now = bpf_ktime_get_ns();
	enum direction from;
	struct cursor c;

	/* Headers may be outside of the linear part; if the pull fails, parsing finds a short packet. */
	bpf_skb_pull_data(skb, skb->len < HEADERS_LEN ? skb->len : HEADERS_LEN);
	c = cursor_over(skb);
	if (parse_network(&c, &segment) || parse_transport(&c, &segment))
		return TC_ACT_UNSPEC;

	from = make_key(&key, &segment);
	connection = find_or_open(&key, now);
	if (!connection)
		return TC_ACT_UNSPEC;

	connection->last_ns = now;
	atomic_add(&connection->packets[from], 1);
	atomic_add(&connection->bytes[from], skb->len);
	if (segment.fin)
		connection->finished[from] = 1;

	if (segment.rst || (connection->finished[FROM_LOW] && connection->finished[FROM_HIGH]))
		report_change(&key, CONNECTION_CLOSED);
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "GPL";
