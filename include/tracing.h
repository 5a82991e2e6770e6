/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Arguments of a probed function, by each architecture's calling convention:
 * a program that uses PT_REGS_*() needs one object per architecture, compiled
 * with its -D__TARGET_ARCH_*.
 *
 * The register structs are CO-RE flavours of the kernel's struct pt_regs, so
 * they need no <asm/ptrace.h> of the target, and 32-bit kernels (arm, mips,
 * where mips pads the front too) get their own offsets and load sizes.
 * i386 is not covered: its -mregparm=3 arguments share __TARGET_ARCH_x86.
 */
#ifndef TRACING_H
#define TRACING_H

#include "core.h"

struct pt_regs;

#if defined(__TARGET_ARCH_x86)

struct pt_regs___x86 {
	unsigned long di, si, dx, cx, r8, ax, ip;
} __core;
#define PT_REGS_FLAVOUR struct pt_regs___x86
#define PT_REGS_ARG1 di
#define PT_REGS_ARG2 si
#define PT_REGS_ARG3 dx
#define PT_REGS_ARG4 cx
#define PT_REGS_ARG5 r8
#define PT_REGS_RET ax
#define PT_REGS_PC ip

#elif defined(__TARGET_ARCH_arm64)

struct pt_regs___arm64 {
	__u64 regs[31];
	__u64 pc;
} __core;
#define PT_REGS_FLAVOUR struct pt_regs___arm64
#define PT_REGS_ARG1 regs[0]
#define PT_REGS_ARG2 regs[1]
#define PT_REGS_ARG3 regs[2]
#define PT_REGS_ARG4 regs[3]
#define PT_REGS_ARG5 regs[4]
#define PT_REGS_RET regs[0]
#define PT_REGS_PC pc

#elif defined(__TARGET_ARCH_s390)

typedef struct {
	unsigned long mask;
	unsigned long addr;
} __core psw_t;

struct pt_regs___s390 {
	psw_t psw;
	unsigned long gprs[16];
} __core;
#define PT_REGS_FLAVOUR struct pt_regs___s390
#define PT_REGS_ARG1 gprs[2]
#define PT_REGS_ARG2 gprs[3]
#define PT_REGS_ARG3 gprs[4]
#define PT_REGS_ARG4 gprs[5]
#define PT_REGS_ARG5 gprs[6]
#define PT_REGS_RET gprs[2]
#define PT_REGS_PC psw.addr

#elif defined(__TARGET_ARCH_riscv)

struct pt_regs___riscv {
	unsigned long epc, a0, a1, a2, a3, a4;
} __core;
#define PT_REGS_FLAVOUR struct pt_regs___riscv
#define PT_REGS_ARG1 a0
#define PT_REGS_ARG2 a1
#define PT_REGS_ARG3 a2
#define PT_REGS_ARG4 a3
#define PT_REGS_ARG5 a4
#define PT_REGS_RET a0
#define PT_REGS_PC epc

#elif defined(__TARGET_ARCH_powerpc)

struct pt_regs___powerpc {
	unsigned long gpr[32];
	unsigned long nip;
} __core;
#define PT_REGS_FLAVOUR struct pt_regs___powerpc
#define PT_REGS_ARG1 gpr[3]
#define PT_REGS_ARG2 gpr[4]
#define PT_REGS_ARG3 gpr[5]
#define PT_REGS_ARG4 gpr[6]
#define PT_REGS_ARG5 gpr[7]
#define PT_REGS_RET gpr[3]
#define PT_REGS_PC nip

#elif defined(__TARGET_ARCH_loongarch)

struct pt_regs___loongarch {
	unsigned long regs[32];
	unsigned long csr_era;
} __core;
#define PT_REGS_FLAVOUR struct pt_regs___loongarch
#define PT_REGS_ARG1 regs[4]
#define PT_REGS_ARG2 regs[5]
#define PT_REGS_ARG3 regs[6]
#define PT_REGS_ARG4 regs[7]
#define PT_REGS_ARG5 regs[8]
#define PT_REGS_RET regs[4]
#define PT_REGS_PC csr_era

#elif defined(__TARGET_ARCH_arm)

struct pt_regs___arm {
	unsigned long uregs[18];
} __core;
#define PT_REGS_FLAVOUR struct pt_regs___arm
#define PT_REGS_ARG1 uregs[0]
#define PT_REGS_ARG2 uregs[1]
#define PT_REGS_ARG3 uregs[2]
#define PT_REGS_ARG4 uregs[3]
/* The fifth is on the stack; naming it is an error at the place of use. */
#define PT_REGS_ARG5 no_fifth_register_argument_on_arm
#define PT_REGS_RET uregs[0]
#define PT_REGS_PC uregs[15]

#elif defined(__TARGET_ARCH_mips)

struct pt_regs___mips {
	unsigned long regs[32];
	unsigned long cp0_epc;
} __core;
#define PT_REGS_FLAVOUR struct pt_regs___mips
#define PT_REGS_ARG1 regs[4]
#define PT_REGS_ARG2 regs[5]
#define PT_REGS_ARG3 regs[6]
#define PT_REGS_ARG4 regs[7]
/* A register with n64; on the stack with o32, which no define tells apart. */
#define PT_REGS_ARG5 regs[8]
#define PT_REGS_RET regs[2]
#define PT_REGS_PC cp0_epc

#endif

#ifdef PT_REGS_FLAVOUR
#define PT_REGS_FIELD(ctx, field) ((unsigned long)((const PT_REGS_FLAVOUR *)(ctx))->field)
#else
/* An error where it is used, not where it is included: editors open headers without a target. */
#define PT_REGS_FIELD(ctx, field)                                              \
	({                                                                     \
		_Pragma("GCC error \"PT_REGS_*() needs -D__TARGET_ARCH_{x86,arm64,s390,riscv,powerpc,loongarch,arm,mips}\"") \
		0UL;                                                           \
	})
#endif

#define PT_REGS_PARM1(ctx) PT_REGS_FIELD(ctx, PT_REGS_ARG1)
#define PT_REGS_PARM2(ctx) PT_REGS_FIELD(ctx, PT_REGS_ARG2)
#define PT_REGS_PARM3(ctx) PT_REGS_FIELD(ctx, PT_REGS_ARG3)
#define PT_REGS_PARM4(ctx) PT_REGS_FIELD(ctx, PT_REGS_ARG4)
#define PT_REGS_PARM5(ctx) PT_REGS_FIELD(ctx, PT_REGS_ARG5)
#define PT_REGS_RC(ctx) PT_REGS_FIELD(ctx, PT_REGS_RET)
#define PT_REGS_IP(ctx) PT_REGS_FIELD(ctx, PT_REGS_PC)

#endif /* TRACING_H */
