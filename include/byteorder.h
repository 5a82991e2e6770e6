/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Network byte order for both BPF targets. <asm/byteorder.h> would answer for
 * the architecture whose headers happen to be found, not for the one that is
 * compiled for (bpfel or bpfeb): only the compiler knows that.
 */
#ifndef BYTEORDER_H
#define BYTEORDER_H

#include <linux/types.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define bpf_htons(x) ((__be16)__builtin_bswap16((__u16)(x)))
#define bpf_htonl(x) ((__be32)__builtin_bswap32((__u32)(x)))
#else
#define bpf_htons(x) ((__be16)(x))
#define bpf_htonl(x) ((__be32)(x))
#endif
#define bpf_ntohs(x) ((__u16)bpf_htons(x))
#define bpf_ntohl(x) ((__u32)bpf_htonl(x))

#endif /* BYTEORDER_H */
