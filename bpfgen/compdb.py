"""Graph → `compile_commands.json` (clang.llvm.org/docs/JSONCompilationDatabase.html), from the unwrapped actions."""

from __future__ import annotations

import json

from bpfgen.graph import Graph


def render(graph: Graph, root: str) -> str:
    """One entry for each source, so that targets and variants don't fight over it in the editor.

    Headers have no entries: clangd takes the flags of a source that includes them, or of the nearest source.
    """
    entries = [
        {"directory": root, "file": source, "arguments": list(action.argv)} for source, action in graph.editor.items()
    ]
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"
