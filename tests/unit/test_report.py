"""The report as text; tests/real/test_report_browser.py has it in a browser."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

from madeverdicts import KERNELS, LOOP, manifest, sample, verdict

from bpfgen.bpf.lines import Line
from bpfgen.config.schemacheck import Allow
from bpfgen.findings.checked import Selection, checked
from bpfgen.findings.rules import Rules
from bpfgen.outputs.report.page import page
from bpfgen.outputs.report.render import render
from bpfgen.verdicts.model import Verdict

RULES = Rules((Allow("only 3 of them are left", program="exec", kernel="lts54"),))


def report(verdicts: list[Verdict]) -> str:
    """The report of verdicts, and of objects that fit."""
    return render(page(checked(verdicts, KERNELS, RULES, Selection()), KERNELS, manifest(verdicts)))


class Tags(HTMLParser):
    """Every element that isn't closed properly, and all attributes that there are."""

    VOID = frozenset({"meta", "link", "input", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.attributes: set[tuple[str, str]] = set()
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Opens an element."""
        self.attributes |= {(name, value or "") for name, value in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Closes the last one, which must be of that name."""
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def parsed(text: str) -> Tags:
    """The report's elements."""
    tags = Tags()
    tags.feed(text)
    tags.close()
    return tags


def test_it_is_one_sound_file() -> None:
    """Elements are closed, ids are single, links lead somewhere, and nothing is fetched."""
    text = report(sample())
    tags = parsed(text)
    assert not tags.wrong
    assert not tags.open
    assert len(tags.ids) == len(set(tags.ids))
    links = {value for name, value in tags.attributes if name == "href"} - {"data:,"}
    assert {link.removeprefix("#") for link in links} <= set(tags.ids)
    assert not any(name == "src" for name, _value in tags.attributes)
    assert "http" not in re.sub("http-equiv", "", text)


def test_it_is_the_same_each_time() -> None:
    assert report(sample()) == report(sample())


def test_what_is_not_said_by_colour() -> None:
    """Each verdict has its symbol and its word, and what is accepted has brackets."""
    text = report(sample())
    cells = set(re.findall(r'<span aria-hidden="true">(.)</span> ([^<]+)</a>', text))
    assert cells == {
        ("✓", "ok"),
        ("◐", "conditional"),
        ("?", "unknown"),
        ("✗", "fails"),
        ("✗", "(fails)"),
    }
    assert "Accepted: only 3 of them are left" in text


def test_texts_are_no_markup() -> None:
    """Whatever names and source lines are, they stay texts."""
    evil = '"><script>alert(1)</script>&amp;{{ 7 * 7 }}\x00\udcff'
    reason = dataclasses.replace(LOOP, name=evil, message=evil, program=evil, line=Line(evil, 1, 1, evil))
    text = report([verdict(f"p{evil.replace('/', '')}/bpfel", "lts61", "amd64", reason)])
    assert text.count("<script>") == 1
    assert "{{ 7 * 7 }}" in text
    assert not parsed(text).wrong


def test_sizes() -> None:
    """Instructions and bytes are those of the row's own objects."""
    rows = re.findall(r'<td role="gridcell" class="number">(.*?)</td>', report(sample()))
    assert rows[::2] == ["11", "10", "13", "15", "19–21"]
    assert rows[1::2] == ["1011", "1010", "1013", "1015", "1019–1021"]
