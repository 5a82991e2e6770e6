"""What `bpfgen` writes over, and what it doesn't."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpfgen import cli

TOML = """\
[project]
name = "x"
[toolchain]
clang = "wheel"
[cache]
launcher = "none"
[program.a]
source = "a.c"
portable = true
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one source."""
    (tmp_path / "build.toml").write_text(TOML)
    (tmp_path / "a.c").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["build.ninja", "compile_commands.json"])
def test_files_of_others_stay(name: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A Ninja file or a compilation database that another tool wrote is refused by name, and not touched."""
    (project / name).write_text("mine\n")
    assert cli.run([]) == 3
    assert capsys.readouterr().err.startswith(f"{name}: error: is not bpfgen's")
    assert (project / name).read_text() == "mine\n"
    assert not (project / "out").exists()


@pytest.mark.parametrize("name", ["build.ninja", "compile_commands.json"])
def test_own_files_come_back(name: str, project: Path) -> None:
    """A file of its own that was deleted is written again."""
    assert cli.run(["-q"]) == 0
    text = (project / name).read_text()
    (project / name).unlink()
    assert cli.run(["-q"]) == 0
    assert (project / name).read_text() == text


def test_notes_that_are_right_are_not_written_again(project: Path) -> None:
    """All but those of this run itself."""
    assert cli.run(["-q"]) == 0
    notes = [path for path in (project / "out/.bpfgen").iterdir() if path.name not in {"inputs", "lock"}]
    before = {path: path.stat().st_ino for path in notes}
    assert {path.name for path in notes} == {"outputs", "plan.json", "probe.json", "toolchain"}
    assert cli.run(["-q"]) == 0
    assert {path: path.stat().st_ino for path in notes} == before


def test_outputs_stay_recorded_until_they_are_removed(project: Path) -> None:
    """A run for a part of the matrix forgets nothing; one for all of it removes what nobody makes any more."""
    (project / "build.toml").write_text(TOML + '[program.b]\nsource = "a.c"\nportable = true\n')
    assert cli.run(["-q"]) == 0
    recorded = project / "out/.bpfgen/outputs"
    whole = sorted(recorded.read_text().split())
    assert cli.run(["-q", "--only", "a"]) == 0
    assert sorted(recorded.read_text().split()) == whole
    (project / "out/obj/b").mkdir(parents=True)
    (project / "out/obj/b/bpfel.bpf.o").touch()
    (project / "build.toml").write_text(TOML)
    assert cli.run(["-q"]) == 0
    assert [name for name in recorded.read_text().split() if "/b/" in name] == []
    assert not (project / "out/obj/b").exists()


def test_dry_run_writes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what would come."""
    assert cli.run(["--dry-run"]) == 0
    assert capsys.readouterr().out == "bpfgen: would write build.ninja: 1 object of 1 program\n  + a/bpfel\n"
    assert sorted(path.name for path in project.iterdir()) == ["a.c", "build.toml"]


def test_quiet_and_unchanged(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for a change, none for none, and none at all with -q."""
    assert cli.run([]) == 0
    assert capsys.readouterr().out == "bpfgen: wrote build.ninja: 1 object of 1 program\n"
    assert cli.run([]) == 0
    assert capsys.readouterr().out == ""
    with (project / "build.toml").open("a") as file:
        file.write('[program.b]\nsource = "a.c"\nportable = true\n')
    assert cli.run([]) == 0
    assert capsys.readouterr().out == "bpfgen: wrote build.ninja: 2 objects of 2 programs (1 new)\n"
    (project / "build.toml").write_text(TOML)
    assert cli.run(["-q"]) == 0
    assert capsys.readouterr().out == ""
