"""Graph → `compile_commands.json` (clang.llvm.org/docs/JSONCompilationDatabase.html), from the unwrapped actions."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bpfgen.graph import Graph

_text = json.JSONEncoder(ensure_ascii=False).encode


def render(graph: Graph, root: str) -> str:
    """One entry for each source, so that targets and variants don't fight over it in the editor.

    Headers have no entries: clangd takes the flags of a source that includes them, or of the nearest source.
    """
    entries = ",\n".join(_entry(root, source, action.argv) for source, action in graph.editor.items())
    return f"[\n{entries}\n]\n" if entries else "[]\n"


def _entry(directory: str, file: str, arguments: Sequence[str]) -> str:
    # As json.dumps with `indent=1` writes it, in a third of the time: its `indent` takes an encoder in Python.
    words = ",\n   ".join(map(_text, arguments))
    return f' {{\n  "directory": {_text(directory)},\n  "file": {_text(file)},\n  "arguments": [\n   {words}\n  ]\n }}'
