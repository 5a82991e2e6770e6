"""SARIF logs by the standard's own schema."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from fetch import sarif_schema
from madeverdicts import KERNELS, sample

from bpfgen.config.schemacheck import Allow
from bpfgen.errors import Location
from bpfgen.findings import sarif
from bpfgen.findings.checked import Selection, checked
from bpfgen.findings.policy import Finding
from bpfgen.findings.rules import Rules

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def schema() -> Any:
    """OASIS' schema, in JSON Schema's draft 4."""
    value = sarif_schema()
    assert value["id"] == sarif.SCHEMA
    return value


def place(finding: Finding) -> Location:
    """A name that isn't a URI as it is, an absolute one, and a file without a line."""
    where = finding.place or Location("my project/build.toml")
    return where if where.line != 30 else Location("/usr/include/x y.h", 1)


@pytest.fixture
def log() -> Any:
    """The log of the sample, where one kernel is accepted."""
    shown = checked(sample(), KERNELS, Rules((Allow("old", kernel="lts54"),)), Selection())
    return json.loads(json.dumps(sarif.log(shown.findings, place)))


def test_it_is_valid(log: Any, schema: Any) -> None:
    jsonschema.validate(log, schema, jsonschema.Draft4Validator)


def test_the_schema_looks_at_it(log: Any, schema: Any) -> None:
    """A log that is wrong is refused."""
    log["runs"][0]["results"][0]["level"] = "fails"
    with pytest.raises(jsonschema.ValidationError, match="fails"):
        jsonschema.validate(log, schema, jsonschema.Draft4Validator)


def test_what_it_says(log: Any) -> None:
    """Rules are those that results name; places are URIs; what is accepted is suppressed; notes are left out."""
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert len({rule["id"] for rule in rules}) == len({rule["name"] for rule in rules}) == len(rules)
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert {each["artifactLocation"]["uri"] for each in places} == {
        "bpf/exec.c",
        "file:///usr/include/x%20y.h",
        "my%20project/build.toml",
    }
    found = [(result["ruleId"], result["level"], "suppressions" in result) for result in run["results"]]
    assert found == [
        ("helper", "error", False),
        ("core", "error", False),
        ("map_type", "error", False),
        ("kfunc", "warning", False),
        ("attach_target", "warning", False),
        ("map_type", "note", True),
        ("helper", "note", True),
        ("core", "note", True),
    ]
    region = places[0]["region"]
    assert (region["startLine"], region["startColumn"]) == (12, 5)
    assert region["snippet"]["text"].startswith("bpf_loop(8,")
    assert run["results"][0]["properties"]["kernels"] == {"lts510": ["amd64", "arm64"]}


def test_fingerprints_stay(log: Any) -> None:
    """They are of what is needed and where it is written, not of lines: an edit above doesn't make it new."""
    prints = [result["partialFingerprints"]["need/v1"] for result in log["runs"][0]["results"]]
    assert prints[0] == prints[6]
    assert len(set(prints)) == 6
