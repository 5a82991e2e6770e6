// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Tells user space of connections that open and close. Linked with track.c into one object. */
#include "conntrack.h"
#include "helpers.h"

extern struct connection_map connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024); /* bytes */
} connection_events SEC(".maps");

/* Closed connections are always reported; busy servers may not want each opening. */
const volatile __u32 report_opened = 1;

/* Events that found the buffer full. */
__u64 lost_events = 0;

/*
 * Gives 0, or -1 if the connection is gone. A closed one is forgotten: the
 * last ACK opens it anew, and LRU eviction takes that.
 */
__hidden __noinline int report_change(const struct connection_key *key,
				      enum connection_change change)
{
	struct connection *connection;
	struct connection_event *event;

	/* For loaders that leave the function global: its argument is then anything, or nothing. */
	if (!key)
		return -1;
	connection = bpf_map_lookup_elem(&connections, key);
	if (!connection)
		return -1;

	event = bpf_ringbuf_reserve(&connection_events, sizeof(*event), 0);
	if (event) {
		event->key = *key;
		event->change = change;
		event->connection = *connection;
		bpf_ringbuf_submit(event, 0);
	} else {
		atomic_add(&lost_events, 1);
	}
	if (change == CONNECTION_CLOSED)
		bpf_map_delete_elem(&connections, key);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
