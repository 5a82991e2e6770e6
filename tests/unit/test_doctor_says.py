"""`bpfgen doctor`: what it prints, what it makes of the words of engines and managers, and that nothing stops it."""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from bpfgen import cli
from bpfgen.catalog import arches, table
from bpfgen.commands import doctor
from bpfgen.config.schema import Toolchain
from bpfgen.doctor import Finding, ask, inside, mend, reason, tools
from bpfgen.errors import EXIT_FAILED

FAILING = sorted((Path(__file__).parents[1] / "failing").glob("*.toml"))


@pytest.mark.parametrize("case", FAILING, ids=lambda path: path.stem)
def test_no_project_stops_it(case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is wrong with build.toml is a finding, and the rest is looked at all the same."""
    shutil.copy(case, tmp_path / "build.toml")
    code = cli.run(["doctor", "-C", str(tmp_path), "--builder", "ssh", "--json"])  # a builder that takes no time
    captured = capsys.readouterr()
    found = json.loads(captured.out)["findings"]
    assert (code, captured.err) == (EXIT_FAILED, "")
    assert {"project", "builder", "ssh", "bpftool", "ninja"} <= {row["check"] for row in found}


def test_a_folder_in_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "build.toml").mkdir()
    assert cli.run(["doctor", "-C", str(tmp_path), "--builder", "ssh"]) == EXIT_FAILED
    assert "build.toml: Is a directory" in capsys.readouterr().out


ROWS = [
    Finding("clang", "ok", "a"),
    Finding("ninja", "warning", "b\x1b[2J\nc"),
    Finding("headers s390x", "failure", "d", "run  e"),
]


def test_table() -> None:
    """A line for each finding and each hint; what tools say can't move the cursor."""
    assert doctor.table(ROWS, "auto", io.StringIO()) == (
        "ok       clang          a\n"
        "warning  ninja          b\\x1b[2J\\nc\n"
        "failure  headers s390x  d\n"
        "                        hint: run  e\n"
    )
    assert doctor.table(ROWS[:1], "always", io.StringIO()) == "\x1b[32mok     \x1b[0m  clang  a\n"
    assert doctor.table([], "auto", io.StringIO()) == ""


class Terminal(io.StringIO):
    """Text that says that it is a terminal."""

    def isatty(self) -> bool:
        """It says so."""
        return True


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[31mfailure\x1b[0m" in doctor.table(ROWS, "auto", Terminal())
    assert "\x1b[31m" not in doctor.table(ROWS, "never", Terminal())


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (
            "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
            "no docker engine runs at W",
        ),
        ("dial unix /x: connect: no such file or directory", "no docker engine runs at W"),
        ("('Connection aborted.', ConnectionRefusedError(111, 'Connection refused'))", "no docker engine runs at W"),
        ("('Connection aborted.', PermissionError(13, 'Permission denied'))", "you may not open docker's socket at W"),
        ("Got permission denied while trying to connect to the Docker daemon", "you may not open docker's socket at W"),
        ("request returned Bad Gateway\n\n", "docker at W doesn't answer: request returned Bad Gateway"),
        ("", "docker at W doesn't answer: it says nothing"),
    ],
)
def test_reasons(said: str, found: str) -> None:
    """What the command and the SDK say; each has a hint."""
    finding = reason.silent("docker", said, "W")
    assert (finding.found, finding.level) == (found, "failure")
    assert finding.hint.startswith("run  ")


@pytest.mark.parametrize("system", ["linux", "darwin"])
@pytest.mark.parametrize("kind", ["docker", "podman"])
def test_how_an_engine_is_started(kind: str, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    hint = reason.silent(kind, "refused", "").hint
    assert ("machine start" in hint, "open -a Docker" in hint) == (
        kind == "podman",
        (kind, system) == ("docker", "darwin"),
    )


@pytest.mark.parametrize("name", table("packages")["install"])
def test_every_package_manager(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one that is on PATH gives the command; where it has no package of a name, none is made up."""
    monkeypatch.setattr(mend, "manager", lambda: name)
    assert mend.install("clang").startswith("run  ")
    assert "clang" in mend.install("clang") or name == "brew"
    assert mend.install("bpftool").startswith("run  ") is (name != "brew")
    assert "{" not in mend.install("clang-{clang}", clang="19") + mend.install("headers-{arch}", arch="s390x")


def test_catalogue() -> None:
    """Its names are ones that others have."""
    packages = table("packages")
    assert set(packages["debian"]) <= set(arches())
    managers = set(packages["install"])
    assert all(set(row) <= managers for row in packages["package"].values())
    assert set(packages["cross"]["arches"]) <= {mend.debian_arch(arch) for arch in arches()}


@pytest.mark.parametrize(
    ("said", "levels"),
    [
        ("visible\nclang clang-19 19.1.7\nlibbpf\nend", ["ok", "ok"]),
        ("clang clang 13.0.1\nclang clang-19 19.1.7\nend", ["ok", "warning"]),
        ("clang clang 13.0.1\nlibbpf\nend", ["failure", "ok"]),
        ("end", ["failure", "warning"]),
    ],
)
def test_what_is_inside(said: str, levels: list[str]) -> None:
    """Of a container or a host."""
    assert [row.level for row in inside.findings(Toolchain(), "it", said, "mend")] == levels


def test_tools_that_do_not_answer(tmp_path: Path) -> None:
    """One that isn't there, one that can't be started, and one that takes too long."""
    assert ask((str(tmp_path / "none"),)).text.endswith("No such file or directory")
    assert ask((str(tmp_path),)).code is None
    assert "doesn't answer within 0 seconds" in ask((sys.executable, "-c", "input = None\nwhile True: pass"), 0.2).text
    assert ask(("a\0b",)).code is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has KVM")
def test_kvm(tmp_path: Path) -> None:
    """A warning where there is none."""
    assert [row.level for row in tools.kvm(str(tmp_path / "kvm"))] == ["warning"]
    (tmp_path / "kvm").touch()
    assert [row.level for row in tools.kvm(str(tmp_path / "kvm"))] == ["ok"]


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object, with the same fields in each finding."""
    cli.run(["doctor", "-C", str(tmp_path), "--builder", "ssh", "--json"])
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    assert {tuple(row) for row in said["findings"]} == {("check", "level", "found", "hint")}
