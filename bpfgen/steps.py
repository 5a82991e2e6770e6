"""What Ninja's edges call: `STEP ARGS…`. A rim like `cli`: it prints and gives exit codes, and never a traceback."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bpfgen.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, Failure, Location, Problem, describe

PLAN = ("bpfgen", "project", "toolchain", "objects", "go")
"""What `plan.json` has at its top."""


def main() -> int:
    """Runs the step that the process's arguments name; returns the exit code."""
    try:
        return _run(sys.argv[1:])
    except Failure as failure:
        print("\n".join(map(str, failure.problems)), file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except OSError as error:
        print(f"bpfgen: error: {describe(error)}", file=sys.stderr)
        return EXIT_FAILED


def _run(words: Sequence[str]) -> int:
    # One import for each: a step starts with what it needs.
    step, *args = words or [""]
    if step == "vmlinux" and len(args) == 3:
        from bpfgen.outputs import vmlinux

        vmlinux.write(*args)
    elif step == "manifest" and len(args) == 2:
        from bpfgen.outputs import manifest

        manifest.write(_json(args[0], PLAN), args[1])
    elif step == "go" and len(args) == 2:
        from bpfgen.outputs import go

        go.write(_json(args[0], PLAN), _json(args[1], ("objects",)))
    elif step == "bpf2go" and len(args) == 1:
        from bpfgen.outputs import bpf2go

        bpf2go.write(_json(args[0], PLAN))
    else:
        print("bpfgen: error: steps are called by Ninja; run bpfgen && ninja", file=sys.stderr)
        return EXIT_USAGE
    return EXIT_OK


def _json(path: str, names: Sequence[str]) -> Any:
    """A file that bpfgen wrote itself; someone may have damaged it since."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or not all(name in value for name in names):
        raise Failure([Problem(Location(path), "this file is damaged", "delete it, then run bpfgen -v && ninja")])
    return value


if __name__ == "__main__":
    sys.exit(main())
