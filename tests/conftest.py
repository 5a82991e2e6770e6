"""Options and fixtures of every test."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# Machines differ in speed, and no test is about time.
settings.register_profile("bpfgen", deadline=None)
settings.load_profile("bpfgen")

# No test reads or fills the user's own cache; those of tests/e2e/test_cache.py have caches of their own.
os.environ["CCACHE_DISABLE"] = "1"

# tests/real/contract.py has the tests of three modules.
pytest.register_assert_rewrite("contract")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` remakes golden files."""
    parser.addoption("--update", action="store_true", help="remake the golden files instead of comparing with them")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be remade."""
    return bool(request.config.getoption("--update"))
