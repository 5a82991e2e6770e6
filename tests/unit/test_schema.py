"""What is generated from the schema: the JSON Schema and the reference page are current, and agree with decoding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tomli

from bpfgen.config import docs
from bpfgen.config import jsonschema as generated
from bpfgen.config.decode import decode
from bpfgen.config.report import Report
from bpfgen.config.source import read_document

ROOT = Path(__file__).parent.parent.parent
CORPUS = ROOT / "tests/failing"
# Where the two differ on purpose: case → what the schema says.
EXCEPTIONS = {
    # It lists the architectures, for completion; bpfgen finds unknown ones after decoding, with a better hint.
    **dict.fromkeys((f"targets-arch-{name}" for name in ("alias", "case", "typo", "unknown")), True),
    "skeleton-arch": True,
    # A file that is being written has no program yet.
    "program-none": False,
    "program-empty-table": False,
    # In Python, `$` matches before a last newline too; in ECMAScript, which JSON Schema speaks, it doesn't.
    "compile-cflags-newline": False,
}


@pytest.mark.parametrize(
    ("path", "text"),
    [("schema/build.schema.json", generated.render()), ("docs/reference.md", docs.render())],
    ids=["schema", "reference"],
)
def test_committed_copy_is_current(path: str, text: str, update: bool) -> None:
    """`--update` remakes it."""
    if update:
        (ROOT / path).write_text(text, encoding="utf-8")
    assert (ROOT / path).read_text(encoding="utf-8") == text


@pytest.fixture(scope="module")
def schema() -> Any:
    """The JSON Schema, itself checked."""
    value = json.loads(generated.render())
    jsonschema.Draft7Validator.check_schema(value)
    return value


def test_accepts_what_decodes(schema: Any) -> None:
    """This repository's file and the template of `bpfgen init` are valid by both."""
    for path in ("build.toml", "bpfgen/templates/init/build.toml"):
        data = (ROOT / path).read_bytes().replace(b"@NAME@", b'"x"')
        jsonschema.validate(tomli.loads(data.decode()), schema)
        document = read_document(path, data)
        report = Report(document)
        decode(document.values, report)
        report.fail_if_any()


@pytest.mark.parametrize("name", sorted(path.stem for path in CORPUS.glob("*.toml") if path.stem[:5] != "toml-"))
def test_refuses_what_decoding_refuses(name: str, schema: Any) -> None:
    """An editor marks a value exactly where bpfgen finds it of the wrong kind; the rest is about other values."""
    document = read_document("build.toml", (CORPUS / f"{name}.toml").read_bytes())
    report = Report(document)
    decode(document.values, report)
    refused = not jsonschema.Draft7Validator(schema).is_valid(document.values)
    assert refused == EXCEPTIONS.get(name, len(report) > 0)


def test_every_key_is_documented(schema: Any) -> None:
    """Each table and each key has a sentence."""

    def undocumented(entry: Any, path: str) -> list[str]:
        found = []
        for name, value in entry.get("properties", {}).items():
            inner = value if "properties" in value else value.get("additionalProperties", {})
            if "description" not in value:
                found.append(f"{path}.{name}")
            found += undocumented(inner, f"{path}.{name}") if isinstance(inner, dict) else []
        return found

    tables = {".project", ".toolchain", ".compile", ".builder", ".targets", ".kernel", ".program", ".go"}
    assert set(undocumented(schema, "")) <= tables
