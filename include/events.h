/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Records on the ring buffers, shared with the programs that read them. Fixed
 * widths and no implicit padding: one layout on every architecture, and no
 * kernel memory in the holes.
 */
#ifndef EVENTS_H
#define EVENTS_H

#include <linux/types.h>

#define TASK_COMM_LEN 16
#define EXEC_FILENAME_LEN 256
#define EXEC_ARGS_LEN 512

/* exec_trace.c */
struct exec_event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 pid;     /* as user space says: the thread group */
	__u32 ppid;
	__u32 uid;
	__u32 gid;
	__u32 args_size; /* bytes of args in use: NUL-separated, the last may be cut */
	__u32 reserved;
	char comm[TASK_COMM_LEN];
	char filename[EXEC_FILENAME_LEN];
	char args[EXEC_ARGS_LEN];
};
_Static_assert(sizeof(struct exec_event) == 32 + 16 + 256 + 512, "exec_event has padding");

/* tcp_connect.c: addresses and ports in network byte order, IPv4 in the first four bytes */
struct connect_event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 pid;
	__u32 uid;
	char comm[TASK_COMM_LEN];
	__u8 source[16];
	__u8 destination[16];
	__u16 source_port;
	__u16 destination_port;
	__u16 family; /* AF_INET or AF_INET6 */
	__u16 reserved;
};
_Static_assert(sizeof(struct connect_event) == 72, "connect_event has padding");

#endif /* EVENTS_H */
