"""What Ninja's edges call: `STEP ARGS…`. A rim like `cli`: it prints and gives exit codes, and never a traceback."""

from __future__ import annotations

import os
import sys

from bpfgen import outputs
from bpfgen.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, Failure, describe


def start() -> None:
    """`main` as a process of its own, which ends at once, with all its objects as they lie."""
    import gc

    gc.set_threshold(100_000)  # what is imported stays: to look for garbage in it took a fifth of the time
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main() -> int:
    """Runs the step that the process's arguments name; returns the exit code."""
    try:
        if outputs.run(sys.argv[1:]):
            return EXIT_OK
        print("bpfgen: error: steps are called by Ninja; run bpfgen && ninja", file=sys.stderr)
        return EXIT_USAGE
    except Failure as failure:
        print("\n".join(map(str, failure.problems)), file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except OSError as error:
        print(f"bpfgen: error: {describe(error)}", file=sys.stderr)
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
