"""`bpfgen check` and the target `check`, on objects that clang made."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from project import NINJA, Project

pytestmark = pytest.mark.real

CLOCK = """\
#include "common.h"
static unsigned long long (*bpf_ktime_get_coarse_ns)(void) = (void *)160;
unsigned long long last;
SEC("xdp") int on_packet(void *ctx)
{
	last = bpf_ktime_get_coarse_ns();
	return 2;
}
char LICENSE[] SEC("license") = "GPL";
"""
KERNELS = """
[targets]
arches = ["amd64", "arm64"]

[kernel.lts510]
upstream = "5.10"

[kernel.lts61]
upstream = "6.1"

[program.clock]
source = "bpf/clock.c"
portable = true

[program.plain]
source = "bpf/plain.c"
portable = true
"""
ALLOW = """
[[check.allow]]
kernel = "lts510"
need = "helper:bpf_ktime_get_coarse_ns"
reason = "the last one goes in May"
"""
MESSAGE = re.compile(r"bpf/clock\.c:6:\d+: error: clock/on_packet: .* \(on lts510\) \[helper:bpf_ktime_get_coarse_ns\]")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A program that calls a helper of 5.11, and one that calls none."""
    monkeypatch.setenv("PATH", os.path.dirname(NINJA), prepend=os.pathsep)  # two versions of Ninja share no log
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    made = Project(tmp_path / "p")
    made.program("plain")
    made.write("bpf/clock.c", CLOCK)
    made.config(KERNELS)
    return made


def check(project: Project, *words: str, code: int = 0, **env: str) -> str:
    """What `bpfgen check` prints."""
    return project.bpfgen("check", *words, code=code, env={**os.environ, **env}).stdout


def test_an_error(project: Project) -> None:
    """From nothing to a table, a line with its place, and exit code 1; again, nothing is built."""
    said = check(project, code=1)
    table, _, rest = said.partition("\n\n")
    assert table.splitlines() == [
        "PROGRAM  ARCHITECTURES  lts510  lts61  LOADS",
        "clock    amd64 arm64    fails   ok     from 6.1 on",
        "plain    amd64 arm64    ok      ok     from 5.10 on",
    ]
    assert MESSAGE.fullmatch(rest.splitlines()[0])
    assert rest.splitlines()[-1].startswith("bpfgen: 2 programs on 2 kernels: 6 ok, 2 fail; 1 error, 0 warnings")
    before = project.stamps()
    assert check(project, code=1) == said
    assert project.stamps() == before


def test_what_is_accepted_and_required(project: Project) -> None:
    """An accepted verdict is no error; a table that matches nothing is a warning with its place; a requirement wins."""
    toml = (project.root / "build.toml").read_text(encoding="utf-8")
    project.write("build.toml", toml + ALLOW)
    assert "(fails)" in check(project)
    assert ": note: " not in check(project)
    assert "accepted: the last one goes in May [helper:bpf_ktime_get_coarse_ns]" in check(project, "-v")
    project.write("build.toml", f"{toml}{ALLOW}\n[[check.allow]]\nprogram = 'lop'\nreason = 'x'\n")
    lines = (project.root / "build.toml").read_text(encoding="utf-8").splitlines()
    where = len(lines) - 2
    assert f"build.toml:{where}:1: warning: this [[check.allow]] matches nothing\n  hint: remove it" in check(project)
    assert "matches nothing" not in check(project, "--kernel", "lts61")
    project.write("build.toml", toml + 'requires = ["lts510"]\n' + ALLOW)
    assert "plain" in check(project)
    project.write("build.toml", toml.replace("[program.plain]", 'requires = ["lts510"]\n[program.plain]') + ALLOW)
    assert MESSAGE.search(check(project, code=1))


def test_selection(project: Project) -> None:
    """It chooses what is shown, not what is built: the Ninja file stays the whole one."""
    assert check(project, "--only", "plain").splitlines()[1:-1] == [
        "plain    amd64 arm64    ok      ok     from 5.10 on"
    ]
    said = check(project, "--kernel", "lts6*", "--skip", "arm64")
    assert said.splitlines()[1] == "clock    amd64          ok     on lts61"
    assert project.idle()
    error = project.bpfgen("check", "--kernel", "lts9", code=3).stderr
    assert error == "build.toml: error: the options leave no kernel to check for\n  hint: known: lts510, lts61\n"


def test_formats(project: Project) -> None:
    """JSON for programs, SARIF in a file, annotations for GitHub with paths from the repository's folder."""
    value: Any = json.loads(check(project, "--json", "--sarif", "log.sarif", code=1, GITHUB_ACTIONS="true"))
    assert value["ok"] is False
    (finding,) = [each for each in value["findings"] if each["level"] == "error"]
    assert (finding["file"], finding["line"], finding["kernels"]) == ("bpf/clock.c", 6, {"lts510": ["amd64", "arm64"]})
    (project.root.parent / ".git").mkdir()
    said = check(project, "--sarif", "log.sarif", code=1, GITHUB_ACTIONS="true")
    assert re.search(
        r"^::error file=p/bpf/clock\.c,line=6,col=\d+,title=A helper is missing::clock/on_packet: ", said, re.MULTILINE
    )
    assert "bpf/clock.c:6:" not in said
    log = json.loads((project.root / "log.sarif").read_text(encoding="utf-8"))
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "p/bpf/clock.c"
    assert "::error" not in check(project, "--no-github", code=1, GITHUB_ACTIONS="true")
    assert "::error" in check(project, "--github", code=1)


def test_colours(project: Project) -> None:
    """On request; widths are those without."""
    coloured = check(project, "--color", "always", code=1)
    assert "\x1b[31mfails \x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == check(project, code=1)


def test_the_target(project: Project) -> None:
    """`ninja` builds whatever kernels say; `ninja check` fails with the reasons, until nothing is wrong, and says so
    once. It makes the report either way, of the same bytes as anywhere else.
    """
    project.make()
    assert not (project.root / "out/report.html").exists()
    assert MESSAGE.search(project.ninja("-k0", "check", code=1))
    report = (project.root / "out/report.html").read_bytes()
    assert b"helper:bpf_ktime_get_coarse_ns" in report
    toml = (project.root / "build.toml").read_text(encoding="utf-8")
    project.write("build.toml", toml + ALLOW)
    project.ninja("check")
    assert "no work to do" in project.ninja("check")
    assert b"the last one goes in May" in (project.root / "out/report.html").read_bytes()
    project.write("build.toml", toml)
    project.ninja("-k0", "check", code=1)
    assert (project.root / "out/report.html").read_bytes() == report


def test_nothing_to_check_for(project: Project) -> None:
    """A project without kernel targets is told how to get one; a dry run does nothing."""
    assert check(project, "-n") == "bpfgen: would build, then check what was built\n"
    assert not (project.root / "out").exists()
    project.config('[program.plain]\nsource = "bpf/plain.c"\n')
    error = project.bpfgen("check", code=3).stderr
    assert error == (
        "build.toml: error: there is no kernel target to check for\n  hint: bpfgen kernel add NAME FILE  adds one\n"
    )


def test_damaged_verdicts(project: Project) -> None:
    """A file that someone has edited is said to be damaged, with a way out that works."""
    check(project, code=1)
    path = project.root / "out/verdicts.json"
    value = json.loads(path.read_text(encoding="utf-8"))
    del value["verdicts"][0]["reasons"]
    path.write_text(json.dumps(value), encoding="utf-8")
    error = project.bpfgen("check", code=1).stderr
    assert "out/verdicts.json: error: this file is damaged\n  hint: delete it" in error
    path.unlink()
    check(project, code=1)
