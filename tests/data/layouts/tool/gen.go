package main

//go:generate -command bpf go tool bpf2go -tags linux
//go:generate -command nothing true
//go:generate bpf -target=bpf Counter counter.bpf.c -- -Iheaders "-DGREETING=\"hello, world\"" -include limits.h
//go:generate bpf -go-package $GOPACKAGE -cflags "-DSTEP=2 '-DTEXT=\"it is $DOLLAR\"'" -output-suffix _step step counter.bpf.c -- -I headers -include limits.h
//go:generate nothing
//go:generate env BPF2GO_CFLAGS=-DSTEP=3 go tool bpf2go -target bpfeb,amd64 more more/more.c

func main() {}
