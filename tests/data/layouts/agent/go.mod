module example.com/agent/v2

go 1.24

require (
	github.com/cilium/ebpf v0.22.0
	golang.org/x/sys v0.43.0 // indirect
)
