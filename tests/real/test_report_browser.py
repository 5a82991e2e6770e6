"""The report in a real browser, used by the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Browser
from madeverdicts import KERNELS, manifest, sample

from bpfgen.config.schemacheck import Allow
from bpfgen.findings.checked import Selection, checked
from bpfgen.findings.rules import Rules
from bpfgen.outputs.report.page import page
from bpfgen.outputs.report.render import render

pytestmark = [pytest.mark.real, pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")]

SHOWN = "[...document.querySelectorAll('#matrix tbody tr:not([hidden])')].map(row => row.cells[0].innerText)"
PROGRAMS = "[...document.querySelectorAll('details.program:not([hidden]) .name')].map(name => name.innerText)"
FOCUS = "document.activeElement.innerText || document.activeElement.id"
COUNT = "document.getElementById('count').innerText"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of everything that there can be."""
    verdicts = sample()
    shown = checked(verdicts, KERNELS, Rules((Allow("old", kernel="lts54"),)), Selection())
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(page(shown, KERNELS, manifest(verdicts))), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests, which takes a second to start."""
    with Browser() as made:
        yield made


@pytest.fixture
def opened(browser: Browser, file: Path) -> Iterator[Browser]:
    """The report, just opened; nobody may have complained, and nothing else was asked for, when the test is through."""
    browser.errors.clear()
    browser.requests.clear()
    browser.media()
    browser.open(Path("/dev/null"))
    browser.open(file)
    yield browser
    assert browser.errors == []
    assert set(browser.requests) <= {"file:///dev/null", file.as_uri(), "data:,"}


def test_console_is_heard(browser: Browser, tmp_path: Path) -> None:
    """A page that complains and asks for things is caught: so silence means something."""
    page = tmp_path / "bad.html"
    page.write_text("<script>console.error('x'); undefined.y</script><img src='none.png'>", encoding="utf-8")
    browser.open(page)
    assert len(browser.errors) >= 3
    assert any("none.png" in address for address in browser.requests)


def test_filter_by_keyboard(opened: Browser) -> None:
    """`/` goes to the filter, words narrow, Escape undoes."""
    assert opened.eval(SHOWN) == ["count", "exec", "nat", "nat", "nat@debug"]
    opened.press("/")
    assert opened.eval(FOCUS) == "text"
    opened.write("loop BPF")
    assert opened.eval("document.activeElement.value") == "loop BPF"
    assert opened.eval(SHOWN) == ["exec"]
    assert opened.eval(PROGRAMS) == ["exec"]
    assert opened.eval(COUNT) == "1 of 5 rows"
    opened.write("/x")
    assert opened.eval("document.activeElement.value") == "loop BPF/x"
    assert opened.eval(SHOWN) == []
    assert opened.eval("document.getElementById('none').checkVisibility()")
    opened.press("Escape")
    assert len(opened.eval(SHOWN)) == 5
    assert not opened.eval("document.getElementById('none').checkVisibility()")


def test_filter_by_kernel_and_verdict(opened: Browser) -> None:
    """By Tab and the keys of each control; a chosen kernel's column is the only one."""
    opened.press("/", "Tab")
    assert opened.eval("document.activeElement.id") == "kernel"
    opened.write("lts510")
    assert opened.eval("document.getElementById('kernel').selectedOptions[0].text") == "lts510"
    headers = "[...document.querySelectorAll('thead th[data-kernel]:not([hidden])')].map(cell => cell.innerText)"
    assert opened.eval(headers) == ["lts510\n5.10"]
    assert opened.eval(SHOWN) == ["count", "exec", "nat", "nat"]
    opened.press("Tab", " ")
    assert opened.eval(SHOWN) == ["exec", "nat", "nat"]
    opened.press("Tab", " ")
    assert opened.eval(SHOWN) == ["exec", "nat"]


def test_matrix_by_keyboard(opened: Browser) -> None:
    """One stop of Tab; arrow keys move, Enter opens the program and goes to it, and Enter closes it again."""
    opened.press("/", "Tab", "Tab", "Tab", "Tab", "Tab", "Tab")
    assert opened.eval(FOCUS) == "count"
    opened.press("ArrowDown", "ArrowRight", "ArrowRight")
    assert opened.eval("document.activeElement.title") == "exec on lts510: fails"
    opened.press("ArrowLeft")
    assert opened.eval("document.activeElement.title") == "exec on lts54: fails, accepted"
    opened.press("End")
    assert opened.eval("document.activeElement.title") == "exec on rhel: unknown"
    opened.press("ArrowRight", "Home", "ArrowUp", "ArrowUp")
    assert opened.eval(FOCUS) == "count"
    opened.press("ArrowDown", "Enter")
    opened.settle()
    assert opened.eval("document.activeElement.tagName") == "SUMMARY"
    opened_programs = "[...document.querySelectorAll('details[open] .name')].map(name => name.innerText)"
    assert opened.eval(opened_programs) == ["exec"]
    assert "bpf_loop(8, step, <0>, 0);" in opened.eval("document.querySelector('details[open] pre').innerText")
    opened.press("Enter")
    assert opened.eval(opened_programs) == []
    opened.press("Tab")
    assert opened.eval(FOCUS).startswith("nat")


def test_tab_reaches_everything(opened: Browser) -> None:
    """In the order in which it is read, with a visible mark; the matrix once."""
    seen, marks = [], []
    for _ in range(13):
        opened.press("Tab")
        seen.append(opened.eval("document.activeElement.className || document.activeElement.id || " + FOCUS))
        marks.append(opened.eval("getComputedStyle(document.activeElement).outlineStyle"))
    assert seen[:3] == ["skip", "text", "kernel"]
    assert seen[7:10] == ["count", "expand", "collapse"]
    assert [name.split(" ")[0] for name in seen[10:13]] == ["count", "exec", "nat"]
    assert marks == ["solid"] * 13


def test_link_to_a_program(browser: Browser, file: Path) -> None:
    """An address with a program in it opens that program."""
    browser.open(Path("/dev/null"))
    browser.open(file, "#program-1")
    assert browser.eval("document.querySelector('details[open] .name').innerText") == "exec"
    assert browser.errors == []


def test_names_of_controls(opened: Browser) -> None:
    """What a screen reader says: every control, table and cell has a name, and symbols aren't read out."""
    tree = opened.call("Accessibility.getFullAXTree")["nodes"]
    named = {"button", "checkbox", "combobox", "searchbox", "link", "grid", "columnheader", "rowheader", "gridcell"}
    rows = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in tree if not n.get("ignored")]
    assert {role for role, _name in rows} >= named | {"search", "status", "main"}
    assert not [role for role, name in rows if role in named and not name.strip()]
    assert ("checkbox", "fails") in rows
    assert ("grid", "Matrix") in rows


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(opened: Browser, scheme: str) -> None:
    """Text on each colour of the matrix is readable, in either scheme (WCAG 2.2, 1.4.3: 4.5 to 1)."""
    opened.media(prefers_color_scheme=scheme)
    assert (
        opened.eval("getComputedStyle(document.body).backgroundColor")
        == {
            "light": "rgb(255, 255, 255)",
            "dark": "rgb(22, 22, 22)",
        }[scheme]
    )
    worst = opened.eval(CONTRAST)
    assert len(worst) == 5
    assert min(worst.values()) >= 4.5, worst


CONTRAST = """(() => {
  const light = (hex) => {
    const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
    const [r, g, b] = parts.map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, two) => (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => light(style.getPropertyValue("--" + name).trim());
  const found = { soft: Math.min(ratio(colour("soft"), colour("back")), ratio(colour("soft"), colour("panel"))) };
  for (const name of ["ok", "fails", "conditional", "unknown"]) {
    const text = colour("on-" + name);
    found[name] = Math.min(ratio(text, colour(name)), ratio(text, colour("back")));
  }
  return found;
})()"""


def test_print(opened: Browser) -> None:
    """On paper there is everything: the filter isn't, details are open, symbols stay."""
    opened.media("print")
    assert not opened.eval("document.getElementById('filter').checkVisibility()")
    paper = opened.call("Page.printToPDF", preferCSSPageSize=True)["data"]
    assert len(paper) > 10_000
    opened.eval("window.dispatchEvent(new Event('beforeprint'))")
    assert opened.eval("document.querySelectorAll('details[open]').length") == 3
    opened.eval("window.dispatchEvent(new Event('afterprint'))")
    assert opened.eval("document.querySelectorAll('details[open]').length") == 0


TILES = "[...document.querySelectorAll('.treemap .whole')].map((tile) => tile.getBoundingClientRect())"
SEEN = f"{TILES}.map((box) => [box.left, box.top, box.right, box.bottom])"


def test_treemap(opened: Browser) -> None:
    """Every program has its part of the picture: none over another, with a name for who can't see it."""
    tiles = opened.eval(SEEN)
    assert len(tiles) == 3
    for index, one in enumerate(tiles):
        for other in tiles[index + 1 :]:
            assert (
                min(one[2], other[2]) - max(one[0], other[0]) < 1.5
                or min(one[3], other[3]) - max(one[1], other[1]) < 1.5
            )
    assert opened.eval("[...document.querySelectorAll('.treemap text')].map((text) => text.textContent)") == [
        "nat", "count", "exec",
    ]  # fmt: skip
    tree = opened.call("Accessibility.getFullAXTree")["nodes"]
    images = [node["name"]["value"] for node in tree if node.get("role", {}).get("value") in ("image", "img")]
    assert "Treemap of instructions: nat is the largest of 3" in images
    assert opened.eval("document.querySelectorAll('#sizes tbody tr').length") == 3


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_treemap_without_colours(opened: Browser, scheme: str) -> None:
    """Frames and names differ from what is behind them by lightness alone, on paper, too (WCAG 2.2, 1.4.11: 3 to 1)."""
    opened.media(**({"media": "print"} if scheme == "print" else {"prefers_color_scheme": scheme}))
    colours = opened.eval(
        "[['.whole', 'stroke'], ['text', 'fill'], ['rect', 'fill']].map(([name, key]) =>"
        " getComputedStyle(document.querySelector('.treemap ' + name))[key])"
    )
    frame, name, behind = (int(re.findall(r"\d+", colour)[0]) for colour in colours)
    assert abs(frame - behind) > 120
    assert abs(name - behind) > 120
    grey = [re.findall(r"\d+", colour) for colour in colours]
    assert all(len(set(parts)) == 1 for parts in grey), grey
    assert opened.eval("document.querySelector('.treemap').checkVisibility()")


def test_without_script(browser: Browser, file: Path) -> None:
    """It can be read where scripts are off."""
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.media()
        browser.open(file)
        assert len(browser.eval(SHOWN)) == 5
        browser.eval(
            "document.querySelector('details:nth-of-type(2)').open = true"
        )  # as a click does, without a script
        assert browser.eval("document.querySelector('details:nth-of-type(2) pre').innerText") != ""
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_narrow(opened: Browser) -> None:
    """On a telephone the page itself doesn't scroll sideways; the matrix does."""
    opened.call("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=False)
    try:
        assert opened.eval("document.documentElement.scrollWidth") <= 400
        assert opened.eval("document.querySelector('.scroll').scrollWidth") > 400
    finally:
        opened.call("Emulation.clearDeviceMetricsOverride")
