package bpf

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go --no-global-types --no-strip=false proc proc.c -- -I../../../bpf/headers -I../../../bpf/missing -mcpu=v3 -O1 -g
