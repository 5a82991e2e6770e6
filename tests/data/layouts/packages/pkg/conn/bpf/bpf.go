// Package bpf counts connections.
package bpf

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go conn conn.c -- -I../../../bpf/headers -Wall -Werror
