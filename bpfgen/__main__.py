"""The `bpfgen` command: leaves at once when there is nothing to do, else hands over to `cli`."""

from __future__ import annotations

import sys


def main() -> int:
    """Runs `bpfgen` with the process's arguments; returns the exit code."""
    if len(sys.argv) == 1:
        from bpfgen import memo

        if memo.fresh():
            return 0
    from bpfgen.cli import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
