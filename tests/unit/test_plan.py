"""`plan.json` and `compile_commands.json`: their texts are JSON, in the form that is promised."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from bpfgen import compdb
from bpfgen.graph import Action, build_graph
from bpfgen.plan import planned_ids, render_plan

LETTER = st.one_of(st.sampled_from('"\\{}, :\n\u2028é'), st.characters(exclude_categories=["Cs"]))
TEXT = st.text(LETTER, max_size=12)
OBJECT = st.builds(lambda name, words: {"id": name, "program": name, "flags": tuple(words)}, TEXT, st.lists(TEXT))


@given(st.lists(OBJECT), TEXT)
def test_plan_is_read_back(objects: list[dict[str, object]], project: str) -> None:
    """As it was, whatever is in it; its ids are found without reading all of it, and nothing else is taken for one."""
    plan = {"bpfgen": "1", "project": project, "objects": objects, "go": {"dir": project}}
    text = render_plan(plan)
    assert json.loads(text) == json.loads(json.dumps(plan))
    assert planned_ids(text) == {entry["id"] for entry in objects}


def test_plan_has_an_object_a_line() -> None:
    text = render_plan({"bpfgen": "1", "objects": [{"id": "a/x"}, {"id": "b/x"}], "go": None})
    assert text == '{"bpfgen": "1", "go": null, "objects": [\n{"id": "a/x"},\n{"id": "b/x"}\n]}\n'


def test_ids_of_no_plan() -> None:
    """Of an older bpfgen's, or of a damaged one."""
    assert planned_ids("") == planned_ids(json.dumps({"objects": [{"id": "a/x"}]}, indent=1)) == set()


@given(st.dictionaries(TEXT, st.lists(TEXT, min_size=1), max_size=4), TEXT)
def test_compilation_database(editor: dict[str, list[str]], root: str) -> None:
    """Is laid out as json lays it out."""
    actions = {source: Action(tuple(words[:1]), tuple(words[1:])) for source, words in editor.items()}
    entries = [{"directory": root, "file": source, "arguments": words} for source, words in editor.items()]
    text = compdb.render(build_graph([], (), "out", "#", actions), root)
    assert text == json.dumps(entries, indent=1, ensure_ascii=False) + "\n"
