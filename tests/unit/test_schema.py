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
TYPE_ERRORS = [
    "project-name-number",
    "project-unknown-key",
    "compile-mcpu-probe",
    "compile-cflags-string",
    "go-package",
]
TYPE_ERRORS += ["program-portable-string", "kernel-upstream-words", "variants-unknown-key", "targets-arch-unknown"]


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


@pytest.mark.parametrize("name", TYPE_ERRORS)
def test_refuses_wrong_values(name: str, schema: Any) -> None:
    """An editor marks what bpfgen refuses."""
    values = tomli.loads((ROOT / "tests/failing" / f"{name}.toml").read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, schema)


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
