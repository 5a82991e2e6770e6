"""bpf2go's command line, read as bpf2go reads it: from Go files (`bpfgen import bpf2go`) and from our own arguments
(`bpfgen bpf2go`).
"""
