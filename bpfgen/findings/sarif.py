"""Findings as a SARIF log, which code scanners' front ends show. Pure.

Static Analysis Results Interchange Format 2.1.0, an OASIS standard: the numbers of sections in the comments are its.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import quote

from bpfgen import __version__
from bpfgen.errors import Location
from bpfgen.findings.kinds import KINDS, kind
from bpfgen.findings.listing import level, message
from bpfgen.findings.policy import ACCEPTED, ERROR, NOTE, WARNING, Finding

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def log(findings: Iterable[Finding], place: Callable[[Finding], Location]) -> dict[str, Any]:
    """The whole log, ready for JSON. Places' files are relative to the repository, or absolute."""
    shown = [finding for finding in findings if finding.level != NOTE]
    kinds = list(dict.fromkeys((*KINDS, *(finding.reason.kind for finding in shown))))
    driver = {
        "name": "bpfgen",
        "semanticVersion": __version__,
        "rules": [_rule(name) for name in kinds],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "bpfgen/check/"},  # 3.17.3: what is before the last slash names the analysis
        "results": [_result(finding, place(finding), kinds) for finding in shown],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(name: str) -> dict[str, Any]:
    about = kind(name)
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in about.title.replace("'", "").replace("-", " ").split()),
        "shortDescription": {"text": about.title},
        "fullDescription": {"text": about.text},
        "help": {"text": about.help},
        "defaultConfiguration": {"level": ERROR},
    }


def _result(finding: Finding, place: Location, kinds: Sequence[str]) -> dict[str, Any]:
    reason = finding.reason
    result: dict[str, Any] = {
        "ruleId": reason.kind,
        "ruleIndex": kinds.index(reason.kind),
        "level": WARNING if finding.level == WARNING else level(finding.level),
        "message": {"text": message(finding)},
        "locations": [{"physicalLocation": _location(place, reason.line.text if reason.line else "")}],
        # 3.27.17: the same finding tomorrow, on another line.
        "partialFingerprints": {"need/v1": _fingerprint(finding)},
        "properties": {"kernels": {name: list(arches) for name, arches in finding.kernels}},
    }
    if finding.level == ACCEPTED:
        result["suppressions"] = [{"kind": "external", "justification": finding.accepted}]  # 3.35
    return result


def _location(place: Location, text: str) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(place.file)}}
    if place.line:
        region: dict[str, Any] = {"startLine": place.line}
        if place.column:
            region["startColumn"] = place.column
        if text:
            region["snippet"] = {"text": text}
        location["region"] = region
    return location


def _uri(path: str) -> str:
    """3.10.1: a reference; where the path is absolute, with a scheme."""
    return ("file://" if path.startswith("/") else "") + quote(path, errors="surrogateescape")


def _fingerprint(finding: Finding) -> str:
    reason = finding.reason
    words = (finding.program, reason.kind, reason.name, reason.line.text if reason.line else "")
    return hashlib.sha256("\0".join(words).encode("utf-8", "surrogateescape")).hexdigest()
