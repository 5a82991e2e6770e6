"""How many jobs Ninja runs when nobody says it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from project import NINJA

pytestmark = pytest.mark.real

NINJAS = [path for path in (NINJA, "/usr/bin/ninja") if os.path.exists(path)]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux's call")
@pytest.mark.parametrize("ninja", NINJAS)
def test_ninja_counts_the_cpus_it_may_use(ninja: str) -> None:
    """One CPU gives two jobs (`GuessParallelism`), however many the machine has."""
    cpu = min(os.sched_getaffinity(0))
    script = f"import os, sys; os.sched_setaffinity(0, {{{cpu}}}); os.execv(sys.argv[1], [sys.argv[1], '-h'])"
    done = subprocess.run([sys.executable, "-c", script, ninja], capture_output=True, text=True, check=False)
    assert re.findall(r"-j N .*\[default=(\d+) ", done.stderr) == ["2"]
