//go:build linux

// Package probe loads what internal/generated holds.
package probe

// The Makefile sets $BPF2GO, $BPF_CLANG, $BPF_CFLAGS and $BPF_HEADERS.
//
//go:generate $BPF2GO -cc $BPF_CLANG -cflags $BPF_CFLAGS -target amd64,arm64 -type event_t -tags linux,!race -output-dir ../generated -output-stem agent -go-package generated Probe ../../bpf/probe.c -- -I$BPF_HEADERS
//go:generate $BPF2GO -cc $BPF_CLANG -cflags $BPF_CFLAGS -target amd64,arm64 -type event_t -tags linux,!race -output-dir ../generated -output-stem agent_debug -go-package generated ProbeDebug ../../bpf/probe.c -- -I$BPF_HEADERS -DBPF_DEBUG
