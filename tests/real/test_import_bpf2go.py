"""`bpfgen import bpf2go` and `bpfgen bpf2go` against bpf2go itself, run by `go generate`."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import fetch
import pytest
from objects import code
from project import BPFGEN, NINJA
from switching import environ, run, tools

from bpfgen.bpf.compare import differences

pytestmark = [pytest.mark.real, pytest.mark.input]

DATA = Path(__file__).parent.parent / "data" / "layouts"
MADE = re.compile(r"_bpf(?:e[lb])?[\w.]*\.(?:go|o)$")
"""Names of what bpf2go makes."""


def copied(name: str, root: Path) -> Path:
    """A fresh copy of a layout, or of cilium's examples as a module of their own."""
    if name != "cilium":
        shutil.copytree(DATA / name, root)
        return root
    module = fetch.cilium_examples()
    # Go's module cache is read-only, and so would be a copy with modes.
    shutil.copytree(module / "examples", root / "examples", copy_function=shutil.copyfile)
    for path in (*root.rglob("*"), root):
        path.chmod(0o755 if path.is_dir() else 0o644)
        if MADE.search(path.name):
            path.unlink()
    text = f"module example.com/cilium\n\ngo 1.25.0\n\nrequire github.com/cilium/ebpf {fetch.EBPF}\n"
    (root / "go.mod").write_text(f"{text}\ntool github.com/cilium/ebpf/cmd/bpf2go\n", encoding="utf-8")
    return root


def made(root: Path) -> dict[str, Path]:
    """What bpf2go or bpfgen made below a folder, by its path there."""
    found = sorted(path for path in root.rglob("*") if MADE.search(path.name))
    names = {str(path.relative_to(root)): path for path in found}
    return {name: path for name, path in names.items() if not name.startswith(("out/", ".bpfgen/"))}


LAYOUTS = ("agent", "cilium", "packages", "tool")
COUNTS = {"agent": 8, "cilium": 54, "packages": 10, "tool": 10}
"""Files that bpf2go makes, so that nothing is compared with nothing."""


@pytest.fixture(scope="module", params=LAYOUTS)
def layout(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A layout in which `go generate` has run bpf2go, and its name."""
    name = str(request.param)
    root = copied(name, tmp_path_factory.mktemp("theirs") / name)
    env = environ(BPF2GO=str(tools() / "bpf2go"))
    if "\ntool " in (root / "go.mod").read_text(encoding="utf-8"):
        run("go", "list", "-deps", "tool", cwd=root, env=env)  # `go tool` wants go.sum, and doesn't write it
    run("go", "generate", "./...", cwd=root, env=env)
    assert len(made(root)) == COUNTS[name]
    return name, root


def go_text(path: Path) -> str:
    """A Go file after gofmt, without its first line."""
    text = subprocess.run(["gofmt", path], check=True, capture_output=True, text=True).stdout
    return text.partition("\n")[2]


def test_import_builds_the_same_files(layout: tuple[str, Path], tmp_path: Path) -> None:
    """By name, by Go's text, and by the objects' code; and a second run has nothing to do."""
    name, theirs = layout
    root = copied(name, tmp_path / name)
    env = environ()
    run(*BPFGEN, "import", "bpf2go", cwd=root, env=env)
    run(*BPFGEN, cwd=root, env=env)
    run(NINJA, cwd=root, env=env)
    ours = made(root)
    assert sorted(ours) == sorted(made(theirs))
    for path, their in made(theirs).items():
        if path.endswith(".go"):
            assert go_text(ours[path]) == go_text(their), path
        else:
            assert code(ours[path]) == code(their), path
    run(*BPFGEN, cwd=root, env=env)
    assert "no work to do" in run(NINJA, cwd=root, env=env).stdout


def one_word_changed(root: Path) -> None:
    """Replaces bpf2go in every `//go:generate` line."""
    for path in root.rglob("*.go"):
        text = path.read_text(encoding="utf-8")
        command = r"(?m)^(//go:generate .*?)(?:go tool bpf2go|go run \S*( \S*)?cmd/bpf2go\S*|\$BPF2GO)"
        path.write_text(re.sub(command, r"\1bpfgen bpf2go", text), encoding="utf-8")


def test_one_word_changed_makes_the_same_files(layout: tuple[str, Path], tmp_path: Path) -> None:
    """`bpfgen bpf2go` for bpf2go: the same names, Go and objects, line information included; nothing else is left in
    sight of Go and git.
    """
    name, theirs = layout
    root = copied(name, tmp_path / name)
    one_word_changed(root)
    before = set(root.rglob("*"))
    run("go", "generate", "./...", cwd=root, env=environ())
    ours = made(root)
    assert sorted(ours) == sorted(made(theirs))
    for path, their in made(theirs).items():
        if path.endswith(".go"):
            assert go_text(ours[path]) == go_text(their), path
        else:
            assert differences(ours[path].read_bytes(), their.read_bytes()) == [], path
    new = {path.relative_to(root).parts[0] for path in set(root.rglob("*")) - before - set(ours.values())}
    assert new - {"go.sum"} == {".bpfgen"}
    assert (root / ".bpfgen/.gitignore").read_text(encoding="utf-8") == "*\n"
