"""`quote`: words and paths as Ninja and the shell read them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from project import NINJA

from bpfgen.config import values
from bpfgen.graph import CC, STEP, Action, Edge, build_graph
from bpfgen.ninja import render
from bpfgen.quote import command, path, shell_word, value

WORD = st.text(
    st.one_of(st.sampled_from(" $'\"`#:;&|\\*?[]{}()<>!~^=%@-é"), st.characters(blacklist_categories=("Cs", "Cc"))),
    max_size=12,
)
NAME = st.text(
    st.one_of(st.sampled_from(" $'\"#:&()[]{}!~=%@+,-.é"), st.characters(categories=("L", "N"))), min_size=1, max_size=8
).filter(lambda name: name not in {".", ".."} and len(name.encode()) < 100)
SLOW = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("-O2", "-O2"),
        ("", "''"),
        ("a b", "'a b'"),
        ("$HOME", "'$HOME'"),
        ("it's", "'it'\"'\"'s'"),
        ("~", "'~'"),
        ("#", "'#'"),
        ("é", "'é'"),
    ],
)
def test_shell_word(word: str, quoted: str) -> None:
    assert shell_word(word) == quoted


@pytest.mark.parametrize(
    ("text", "escaped"), [("a b", "a$ b"), ("c:d", "c$:d"), ("$x", "$$x"), ("'#'", "'#'"), (" a", "$ a")]
)
def test_path(text: str, escaped: str) -> None:
    assert path(text) == escaped


def test_value_keeps_its_first_space() -> None:
    assert value(" a $b") == "$ a $$b"


def test_command() -> None:
    assert command(["echo", "$x y"]) == "echo '$$x y'"
    assert command(["echo", "-n", "x=1"]) == "echo -n x=1"
    assert command(["echo", ""]) == "echo ''"
    assert command([]) == ""


@SLOW
@given(st.lists(WORD, min_size=1, max_size=40))
@example(["-n", "$(reboot)", "a\\", "'", '"', "\t", " "])
def test_words_survive_shell_and_ninja(tmp_path: Path, words: list[str]) -> None:
    show = (sys.executable, "-c", "import json, sys; json.dump(sys.argv[1:], open('words', 'w'))")
    subprocess.run(["/bin/sh", "-c", " ".join(map(shell_word, (*show, *words)))], cwd=tmp_path, check=True)
    assert json.loads((tmp_path / "words").read_text()) == words
    (tmp_path / "words").unlink()
    # Half of them as shared words, half as the edge's own.
    half = len(words) // 2
    edge = Edge(("words",), rule=STEP, action=Action((*show, *words[:half]), tuple(words[half:])))
    run_ninja(tmp_path, [edge])
    assert json.loads((tmp_path / "words").read_text()) == words


COPY = "import sys; out, dep, *ins = sys.argv[1:]; open(out, 'w').close(); open(dep, 'w').write('x: ' + ' '.join(ins))"


@SLOW
@given(st.lists(st.lists(NAME, min_size=1, max_size=3).map("/".join), min_size=1, max_size=20, unique_by=str.casefold))
@example(["-a b", "a:b", "$x", "x$ y", "#", "it's", '"', "é ü", "a&b", "~", "@x", " lead", "trail "])
def test_paths_survive_ninja(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    folder = tmp_path_factory.mktemp("paths")
    edges = []
    for index, name in enumerate(names):
        source = folder / "in" / str(index) / name
        source.parent.mkdir(parents=True)
        source.touch()
        output = f"out/{index}/{name}"
        edges.append(
            Edge((output,), (f"in/{index}/{name}",), rule=CC, action=Action(
                (sys.executable, "-c", COPY), (output, f"{output}.d", "in")
            ))
        )  # fmt: skip
    run_ninja(folder, edges)
    assert all((folder / edge.outputs[0]).is_file() for edge in edges)
    assert "no work to do" in run_ninja(folder, edges)


def run_ninja(folder: Path, edges: list[Edge]) -> str:
    """Writes the edges' Ninja file and builds all of it; what Ninja printed."""
    graph = build_graph(edges, [edge.outputs[0] for edge in edges], " build dir $", "# test", {})
    (folder / "build.ninja").write_text(render(graph), encoding="utf-8")
    done = subprocess.run([NINJA], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / " build dir $" / ".ninja_log").exists()
    return done.stdout


@pytest.mark.parametrize("text", ["a|b", "a\nb", "a\\b", "a\x7fb", ""])
def test_the_schema_refuses_what_ninja_cannot_write(text: str) -> None:
    for annotated in (values.Path, values.RelativePath, values.ProgramName):
        (rule,) = annotated.__metadata__  # type: ignore[attr-defined]
        assert not re.fullmatch(rule.pattern, text)
        assert re.fullmatch(rule.pattern, f"a b$:'\"#é{os.extsep}c")
