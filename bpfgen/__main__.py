"""The `bpfgen` command: leaves at once when there is nothing to do, else hands over to `cli`."""

from __future__ import annotations

import sys


def main() -> int:
    """Runs `bpfgen` with the process's arguments; returns the exit code."""
    if len(sys.argv) == 1:
        from bpfgen import memo

        if memo.fresh():
            return 0
    if sys.argv[1:2] == ["bpf2go"]:
        from bpfgen.bpf2go import quick

        return quick.main(sys.argv[2:])
    import gc

    from bpfgen.cli import run

    # Nearly all that is made stays: looking for garbage among each 700 new objects took a fifth of the time.
    gc.set_threshold(10_000)
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
