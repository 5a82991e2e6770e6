"""`ninja`: the text, to the letter."""

from __future__ import annotations

from bpfgen.graph import CC, FOLDER, GENERATE, Action, Ahead, Edge, build_graph
from bpfgen.ninja import render

EXPECTED = """\
# comment
ninja_required_version = 1.10
builddir = my out

rule cc.1
  command = clang '-DX=$$a b' $args
  description = cc $what
  depfile = $out.d
  deps = gcc
  restat = 1

rule generate.1
  command = bpfgen $args
  description = bpfgen $what
  restat = 1
  generator = 1
  pool = console

build a$ b.o: cc.1 a$:.c | note || x.h
  args = -o 'a b.o'
  what = $$it
build b.o: cc.1 b.c
  args = -o b.o
  what = b.o
build build.ninja: generate.1
  what = build.ninja
build all: phony a$ b.o b.o
default all
"""


def test_text() -> None:
    base = ("clang", "-DX=$a b")
    edges = [
        Edge(("a b.o",), ("a:.c",), ("note",), ("x.h",), CC, Action(base, ("-o", "a b.o")), "$it"),
        Edge(("b.o",), ("b.c",), rule=CC, action=Action(base, ("-o", "b.o"))),
        Edge(("build.ninja",), rule=GENERATE, action=Action(("bpfgen",), ())),
        Edge(("all",), ("a b.o", "b.o")),
    ]
    assert render(build_graph(edges, ("all",), "my out", "# comment", {})) == EXPECTED


def test_ahead() -> None:
    """The shell starts the one command, then is the other."""
    ahead = Ahead(("clang", "-I", FOLDER, "-DX=$a"), "x.h", ("-MT", "o"))
    edge = Edge(("b.o",), ("b.c",), rule=CC, action=Action(("driver",), ("-c", "b.c")), first=ahead, folder="a b")
    text = render(build_graph([edge], ("b.o",), "out", "#", {}))
    first = "clang -I $folder '-DX=$$a' $args -MT o -o $out.tmp 2>$out.said"
    line = f"  command = if [ -f $folder/x.h ]; then {first} & fi; exec driver $args --bpfgen-ahead=$$!\n"
    assert line in text
    assert "\n  folder = 'a b'\n" in text


def test_unused_rules_are_left_out() -> None:
    text = render(build_graph([Edge(("all",))], ("all",), "out", "#", {}))
    assert "rule " not in text
