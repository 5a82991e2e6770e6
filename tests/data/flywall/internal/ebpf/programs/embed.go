package programs

import (
	"embed"
)

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go@v0.22.0 -cflags "-O2" xdp_program xdp_blocklist.c

//go:embed *.o
var Programs embed.FS

func LoadProgram(name string) ([]byte, error) {
	data, err := Programs.ReadFile(name + ".o")
	if err != nil {
		return nil, err
	}
	return data, nil
}
