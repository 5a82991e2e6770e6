"""Reads BPF objects: ELF, BTF, maps, instructions."""
