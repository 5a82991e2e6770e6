// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Counts packets and bytes per IP protocol, as a tc classifier on ingress or
 * egress. It never decides: other filters still see every packet.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>

#include "byteorder.h"
#include "helpers.h"

/* 255 is reserved by IANA: no packet on a wire has it. */
#define NOT_IP 255

struct counter {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32); /* IPPROTO_*, or NOT_IP */
	__type(value, struct counter);
} protocols SEC(".maps");

/*
 * For IPv6 the first next header: an extension header counts as itself. Read
 * relative to the network header, because tun and WireGuard devices have no
 * Ethernet header to skip, and by a helper, because the header of a packet
 * from user space need not be in the linear part.
 */
static __always_inline __u32 ip_protocol(struct __sk_buff *skb)
{
	__u32 offset;
	__u8 protocol;

	switch (skb->protocol) {
	case bpf_htons(ETH_P_IP):
		offset = offsetof(struct iphdr, protocol);
		break;
	case bpf_htons(ETH_P_IPV6):
		offset = offsetof(struct ipv6hdr, nexthdr);
		break;
	default:
		return NOT_IP;
	}
	if (bpf_skb_load_bytes_relative(skb, offset, &protocol, sizeof(protocol), BPF_HDR_START_NET))
		return NOT_IP;
	return protocol;
}

SEC("tc")
int tc_counter(struct __sk_buff *skb)
{
	__u32 protocol = ip_protocol(skb);
	struct counter *counter = bpf_map_lookup_elem(&protocols, &protocol);

	if (counter) {
		/* With segmentation offload one skb stands for many packets on the wire. */
		counter->packets += skb->gso_segs ? skb->gso_segs : 1;
		counter->bytes += skb->len;
	}
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "GPL";
