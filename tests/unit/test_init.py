"""`bpfgen init` and `bpfgen explain` on real folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bpfgen import cli
from bpfgen.errors import EXIT_INPUT, EXIT_USAGE

KERNELS = """\
[project]
name = "x"
[kernel.old]
upstream = "5.10"
[kernel.new]
upstream = "6.1"
[program."p_*"]
source = "s/*.c"
per_kernel = true
define = { A = true }
variants.d.mcpu = "v1"
"""


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    code = cli.run(argv)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_init_makes_a_sound_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it writes is a project with one object, whatever the project is called."""
    folder = str(tmp_path / "hello")
    assert run(capsys, "init", folder, "--go", "--name", 'func "q" $é')[0] == 0
    assert run(capsys, "matrix", "-C", folder, "--format", "ids") == (0, "xdp_count/bpfel\n", "")


def test_init_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It names what is in the way, writes nothing at all, and overwrites with --force."""
    mine = tmp_path / "build.toml"
    mine.write_text("mine")
    code, _, err = run(capsys, "init", str(tmp_path))
    assert (code, err.splitlines()[0]) == (EXIT_USAGE, f"{mine}: error: the file is there already")
    assert [path.name for path in tmp_path.iterdir()] == ["build.toml"]
    assert run(capsys, "init", str(tmp_path), "--force")[0] == 0
    assert mine.read_text() != "mine"


@pytest.mark.parametrize("name", ["a\nb", "a\x7fb", "caf\udce9"], ids=["newline", "delete", "not-utf-8"])
def test_init_refuses_odd_names(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that the file can't hold is refused before anything is written."""
    assert run(capsys, "init", str(tmp_path), "--name", name)[0] == EXIT_USAGE
    assert not list(tmp_path.iterdir())


@pytest.fixture
def kernels(tmp_path: Path) -> str:
    """A project with a globbed program for two kernels."""
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "a.c").touch()
    (tmp_path / "build.toml").write_text(KERNELS)
    return str(tmp_path)


def test_explain(kernels: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every setting has its place, those of one kernel or variant are marked, and --skip hides none."""
    code, out, _ = run(capsys, "explain", "p_a", "-C", kernels, "--format", "json", "--skip", "arm64")
    rows = {(row["setting"], row["value"]): row["from"] for row in json.loads(out)["settings"]}
    assert code == 0
    assert rows["source", "s/a.c"] == "build.toml:8:10"
    assert rows["arches", "amd64 arm64"] == "default"
    assert rows["flag", "-O2"] == "bpfgen"
    assert rows["define", "A = true"] == "build.toml:10:16"
    assert rows["old: mcpu", "v2"] == "build.toml:4:12"
    assert rows["new: mcpu", "v3"] == "build.toml:6:12"
    assert rows["new: define", f"LINUX_VERSION_CODE = {6 << 16 | 1 << 8}"] == "build.toml:6:12"
    assert rows["d: mcpu", "v1"] == "build.toml:11:19"


def test_explain_unknown_program(kernels: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It suggests the nearest one, also of those that a glob made."""
    code, _, err = run(capsys, "explain", "p_b", "-C", kernels)
    assert (code, err) == (EXIT_INPUT, 'bpfgen: error: there is no program "p_b"\n  hint: did you mean "p_a"?\n')
