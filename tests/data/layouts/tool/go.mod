module example.com/tool

go 1.24

require github.com/cilium/ebpf v0.22.0

tool github.com/cilium/ebpf/cmd/bpf2go
