/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What track.c and report.c, linked into one object, and the reader of the events share. */
#ifndef CONNTRACK_H
#define CONNTRACK_H

#include "helpers.h"

/* The `small` variant of build.toml has fewer. */
#ifndef MAX_CONNECTIONS
#define MAX_CONNECTIONS 65536
#endif

/* One end of a connection; IPv4 as IPv4-mapped IPv6; all in network byte order. */
struct endpoint {
	__be32 address[4];
	__be16 port;
	__u16 reserved; /* zero, as the map hashes every byte of its key */
};

/* Both directions share a key: `low` is the end that compares lower. */
struct connection_key {
	struct endpoint low;
	struct endpoint high;
	__u8 protocol;
	__u8 reserved[3]; /* zero */
};
_Static_assert(sizeof(struct connection_key) == 44, "connection_key has padding");

enum direction {
	FROM_LOW,
	FROM_HIGH,
	DIRECTIONS,
};

struct connection {
	__u64 first_ns; /* CLOCK_MONOTONIC */
	__u64 last_ns;
	__u64 packets[DIRECTIONS];
	__u64 bytes[DIRECTIONS];
	__u32 finished[DIRECTIONS]; /* this end has sent its FIN */
};

enum connection_change {
	CONNECTION_OPENED,
	CONNECTION_CLOSED,
};

struct connection_event {
	struct connection_key key;
	__u32 change; /* enum connection_change */
	struct connection connection;
};

/* Named, because both declarations of the map must have the same type. */
struct connection_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH); /* UDP has no end: the oldest make room */
	__uint(max_entries, MAX_CONNECTIONS);
	__type(key, struct connection_key);
	__type(value, struct connection);
};

/* report.c */
extern const volatile __u32 report_opened;
__hidden int report_change(const struct connection_key *key, enum connection_change change);

#endif /* CONNTRACK_H */
