#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

#define SEC(name) __attribute__((section(name), used))
#define ETH_P_IP 0x0800
#define XDP_DROP 1
#define XDP_PASS 2

struct xdp_md {
	u32 data;
	u32 data_end;
};

struct ethhdr {
	u8 dest[6];
	u8 source[6];
	u16 proto;
};

struct __sk_buff {
	u32 len;
	u32 pkt_type;
	u32 mark;
};
