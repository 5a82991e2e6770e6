/*
Package bpf reads names.

//go:generate echo a line in a comment counts, too
*/
package bpf

//go:generate go run -mod=mod github.com/cilium/ebpf/cmd/bpf2go@v0.22.0 -type hint --type=step -target bpfel Dns dns.bpf.c -- -I ../../../bpf/headers -DQUERIES=64 -Wall
