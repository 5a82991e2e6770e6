"""Options and fixtures of every test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Machines differ in speed, and no test is about time.
settings.register_profile("bpfgen", deadline=None)
settings.load_profile("bpfgen")

# No test reads or fills the user's own cache; those of tests/e2e/test_cache.py have caches of their own.
os.environ["CCACHE_DISABLE"] = "1"

# tests/real/contract.py has the tests of three modules.
pytest.register_assert_rewrite("contract")

LONGEST = (
    "real/test_containers.py",
    "real/test_selftests.py",
    "real/test_kernels.py",
    "real/test_libbpf_tools.py",
    "real/test_builders_alike.py",
    "fresh/test_fresh.py",
    "real/test_dropin.py",
    "e2e/test_fast_projects.py",
    "real/test_ssh.py",
    "e2e/test_fast.py",
    "e2e/test_cache.py",
    "real/test_import_bpf2go.py",
    "real/test_agreement.py",
)
"""Files with real tools that take longest. They are begun first, so that none is left to one worker at the end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` remakes golden files."""
    parser.addoption("--update", action="store_true", help="remake the golden files instead of comparing with them")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be remade."""
    return bool(request.config.getoption("--update"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Has the longest files first; the others stay in their order."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    assert all(path.exists() for path in places), "LONGEST names a file that isn't there"
    items.sort(key=lambda item: places.get(item.path, len(LONGEST)))
