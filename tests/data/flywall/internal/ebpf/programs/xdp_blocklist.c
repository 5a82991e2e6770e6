//go:build ignore

#include "../include/common.h"

u32 blocked;

SEC("xdp") int xdp_blocklist(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	if (eth->proto != __builtin_bswap16(ETH_P_IP))
		return XDP_PASS;
	blocked++;
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
