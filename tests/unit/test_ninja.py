"""`ninja`: the text, to the letter."""

from __future__ import annotations

from bpfgen.graph import CC, GENERATE, Action, Edge, build_graph
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


def test_unused_rules_are_left_out() -> None:
    text = render(build_graph([Edge(("all",))], ("all",), "out", "#", {}))
    assert "rule " not in text
