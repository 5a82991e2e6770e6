"""Some of libbpf-tools on Debian's kernels: the report of something real, and the README's picture of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, Browser
from fetch import KERNELS, kernel, libbpf_tools
from project import NINJA, Project

pytestmark = [pytest.mark.real, pytest.mark.input, pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")]

ROOT = Path(__file__).parent.parent.parent
PICTURE = ROOT / "docs" / "images" / "report.png"
CELLS = "[...document.querySelectorAll('#matrix tbody tr')].map(row => [...row.cells].map(cell => cell.innerText))"
SMALL = 150_000
"""Bytes of a picture."""
PROGRAMS = (
    "cachestat",
    "execsnoop",
    "filelife",
    "fsslower",
    "futexctn",
    "ksnoop",
    "numamove",
    "opensnoop",
    "readahead",
    "runqlat",
    "tcpconnect",
    "tcppktlat",
)
NAMES = {"5.10": "debian11", "6.1": "debian12", "6.12": "debian13", "7": "sid"}


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The report of a project with these programs and four kernels; and what `bpfgen check` says of it."""
    made = Project(tmp_path_factory.mktemp("debian"))
    (made.root / "libbpf-tools").symlink_to(libbpf_tools() / "libbpf-tools")
    text = '[project]\nname = "libbpf-tools"\n[toolchain]\nclang = "clang-19"\n[cache]\nlauncher = "none"\n'
    text += '[compile]\ninclude = ["libbpf-tools"]\nmcpu = "v3"\n[targets]\narches = ["amd64"]\n'
    text += "".join(f'[program.{name}]\nsource = "libbpf-tools/{name}.bpf.c"\n' for name in PROGRAMS)
    for each in KERNELS:
        made.root.joinpath("kernels").mkdir(exist_ok=True)
        made.root.joinpath(f"kernels/{each.series}.deb").symlink_to(kernel(each.series, "amd64"))
        upstream = each.series if "." in each.series else f"{each.series}.0"
        text += f'[kernel.{NAMES[each.series]}]\nupstream = "{upstream}"\nbtf = "kernels/{each.series}.deb"\n'
    made.write("build.toml", text)
    path = f"{os.path.dirname(NINJA)}{os.pathsep}{os.environ['PATH']}"
    said = made.bpfgen("check", "--json", code=None, env={**os.environ, "PATH": path}).stdout
    return made.root / "out" / "report.html", json.loads(said)


def test_report_says_what_the_check_says(checked: tuple[Path, Any], update: bool) -> None:
    """Row by row and cell by cell, in the browser; without a complaint. `--update` makes the README's picture."""
    path, value = checked
    with Browser(1040, 860) as browser:
        browser.open(path)
        if update:
            PICTURE.parent.mkdir(exist_ok=True)
            browser.eval("document.querySelector('details:has(.findings)').open = true")
            browser.screenshot(PICTURE)
        rows = browser.eval(
            "[...document.querySelectorAll('#matrix tbody tr')].map(row => [...row.cells].map(c => c.innerText))"
        )
        assert browser.errors == []
    kernels = value["kernels"]
    assert kernels == list(NAMES.values())
    for row, said in zip(rows, value["programs"]):
        assert row[0] == said["program"]
        assert [cell.split()[-1] for cell in row[2 : 2 + len(kernels)]] == [
            said["kernels"][each]["verdict"] for each in kernels
        ]
        assert int(row[-2]) > 0
    assert len(rows) == len(value["programs"]) == len(PROGRAMS)
    assert PICTURE.stat().st_size < SMALL
