"""The failing corpus: one `build.toml` and the exact text that it must give, places and hints included."""

from __future__ import annotations

import argparse
import ast
from pathlib import Path

import pytest

from bpfgen.errors import Failure
from bpfgen.project import load

CORPUS = Path(__file__).parent.parent / "failing"
CASES = sorted(path.stem for path in CORPUS.glob("*.toml"))
PACKAGE = CORPUS.parent.parent / "bpfgen"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What the cases find beside them."""
    for name in ("bpf/a.c", "bpf/b.c", "bpf/sub/a.c", "bpf/B.c", "odd/-x.c", "odd/a|b.c", "include/x.h", "kernel.btf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize("name", CASES)
def test_message(name: str, project: Path, update: bool) -> None:
    """Each case gives exactly its message."""
    (project / "build.toml").write_bytes((CORPUS / f"{name}.toml").read_bytes())
    args = argparse.Namespace(directory=str(project), file="build.toml", only=[], skip=[])
    with pytest.raises(Failure) as caught:
        load(args)
    expected = CORPUS / f"{name}.err"
    if update:
        expected.write_text(f"{caught.value}\n", encoding="utf-8")
    assert f"{caught.value}\n" == expected.read_text(encoding="utf-8")
    assert caught.value.code == 3


def test_size() -> None:
    """The corpus is as large as promised, and holds nothing else."""
    assert len(CASES) >= 80
    assert {path.stem for path in CORPUS.iterdir()} == set(CASES)


@pytest.mark.parametrize(
    "module",
    [
        "bindings.py",
        "config/check.py",
        "config/checkflags.py",
        "config/checkgo.py",
        "config/checkkernel.py",
        "config/checkverdicts.py",
        "config/checkverify.py",
        "config/decode.py",
        "project.py",
        "sources.py",
    ],
)
def test_every_message_has_a_case(module: str) -> None:
    """The longest fixed piece of each message in the source appears in the corpus."""
    corpus = "".join(path.read_text(encoding="utf-8") for path in CORPUS.glob("*.err"))
    missing = [piece for piece in _pieces(PACKAGE / module) if piece not in corpus]
    assert not missing


def _pieces(path: Path) -> list[str]:
    """The longest fixed piece of the message of each `report.add(…)` and `_refuse(…)` call."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"report.add", "_refuse"}:
            message = node.args[2 if ast.unparse(node.func) == "_refuse" else 1]
            texts = [n.value for n in ast.walk(message) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
            found += [max(texts, key=len)] if texts else []
    return found
