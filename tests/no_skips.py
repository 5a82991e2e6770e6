"""A pytest plugin (`-p tests.no_skips`): a skipped test is a failed one. For CI, which has every tool."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Marks and calls of `skip` in a test or its fixtures."""
    return _failed(item.nodeid, (yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """`importorskip` and its like at the top of a module."""
    return _failed(collector.nodeid, (yield))


def _failed(name: str, report: Report) -> Report:
    # An expected failure is reported as a skip too, with `wasxfail` on it; that test did run.
    if report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        # pytest gives a skip as (file, line, reason).
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{name} was skipped, which counts as a failure in CI: {reason}"
    return report
