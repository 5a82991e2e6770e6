"""Kernel targets: where a kernel's types come from, and what is made of them.

`extract` finds BTF in whatever a kernel is shipped in, with a module for each container; `header` makes `vmlinux.h` of
it. All of them are bytes in, bytes out.
"""
