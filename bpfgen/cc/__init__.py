"""What Ninja's compile edges run: clang, on a reduced `vmlinux.h` where that is sure to give the same object, then the
strip.

One process for each edge, so start-up is most of its cost: it runs with `python -I -S`, and everything on its path
imports `sys`, `os`, `mmap` and `struct` alone. That is also why its classes are plain ones.
"""

VMLINUX = "vmlinux.h"
HOW = "how"
"""The file, beside a reduced header, that says which way the last compile took and why."""
