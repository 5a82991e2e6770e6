module github.com/bpfgen/bpfgen

go 1.21
