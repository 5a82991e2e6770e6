"""`config.source`: every place of a document, and every problem of a broken one."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Union

import pytest
import tomli
from hypothesis import example, given
from hypothesis import strategies as st

from bpfgen.config.source import Document, read_document
from bpfgen.errors import EXIT_INPUT, Failure

Path = tuple[Union[str, int], ...]

TEXT = """\
# a comment
title = "x"                      # 2
[program.x]
sources = ["a.c", "b.c"]
 flags = [
  # not [this]
  "-O2",
  ["in", { a.b = 1, "c d" = [2] }],
]
variants.debug.define.DEBUG = "1"
"quo.ted".'k' = '''
two ] lines''' # after
[program.x.variants.release]
[ program . y ]
doc = \"""
[fake]
a = "b" \\" \"""\"\"
next = 1979-05-27 07:32:00
"\\u00e9" = 'é'
[[kernel]]
version = "5.10"
[kernel.extra]
deep = 1
[[kernel]]
[[kernel.sub]]
[[kernel.sub]]
last = -inf
"""

PLACES: list[tuple[Path, bool, str]] = [
    ((), False, "1:1"),
    (("title",), False, "2:9"),
    (("title",), True, "2:1"),
    (("program",), False, "3:2"),
    (("program", "x"), False, "3:1"),
    (("program", "x"), True, "3:10"),
    (("program", "x", "sources"), False, "4:11"),
    (("program", "x", "sources", 1), False, "4:19"),
    (("program", "x", "flags"), True, "5:2"),
    (("program", "x", "flags", 0), False, "7:3"),
    (("program", "x", "flags", 1), False, "8:3"),
    (("program", "x", "flags", 1, 1, "a"), False, "8:12"),
    (("program", "x", "flags", 1, 1, "a", "b"), False, "8:18"),
    (("program", "x", "flags", 1, 1, "a", "b"), True, "8:14"),
    (("program", "x", "flags", 1, 1, "c d"), True, "8:21"),
    (("program", "x", "flags", 1, 1, "c d", 0), False, "8:30"),
    (("program", "x", "variants"), False, "10:1"),
    (("program", "x", "variants", "debug"), False, "10:10"),
    (("program", "x", "variants", "debug", "define", "DEBUG"), False, "10:31"),
    (("program", "x", "variants", "debug", "define", "DEBUG"), True, "10:23"),
    (("program", "x", "quo.ted", "k"), False, "11:17"),
    (("program", "x", "quo.ted", "k"), True, "11:11"),
    (("program", "x", "variants", "release"), False, "13:1"),
    (("program", "y"), True, "14:13"),
    (("program", "y", "doc"), False, "15:7"),
    (("program", "y", "next"), False, "18:8"),
    (("program", "y", "é"), False, "19:12"),
    (("kernel",), False, "20:1"),
    (("kernel", 0, "version"), False, "21:11"),
    (("kernel", 0, "extra", "deep"), False, "23:8"),
    (("kernel", 1), False, "24:1"),
    (("kernel", 1), True, "24:3"),
    (("kernel", 1, "sub", 0), False, "25:1"),
    (("kernel", 1, "sub", 1, "last"), False, "27:8"),
    # What is absent stands at its nearest parent.
    (("nothing", "here"), True, "1:1"),
    (("program", "x", "source"), True, "3:1"),
    (("program", "x", "sources", 2), False, "4:11"),
    (("kernel", 1, "version"), False, "24:1"),
]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(("path", "key", "place"), PLACES)
def test_place(path: Path, key: bool, place: str, bom: bytes, newline: str) -> None:
    document = read_document("build.toml", bom + TEXT.replace("\n", newline).encode())
    assert str(document.where(path, key=key)) == f"build.toml:{place}"


def test_a_header_is_the_place_of_a_table_that_was_mentioned_before() -> None:
    document = read_document("b", b"[a.b]\nx = 1\n[a]\ny = 2\n")
    assert str(document.where(("a",))) == "b:3:1"


def test_values_are_those_of_tomli() -> None:
    assert read_document("b", TEXT.encode()).values == tomli.loads(TEXT)


# One line each that TOML refuses: line, its column, the message and the hint (parts of both).
FAULTS = [
    ("a = flywall", 5, "text needs quotes: flywall", 'write "flywall"'),
    ("a = bpf/x.c # why", 5, "text needs quotes: bpf/x.c", 'write "bpf/x.c"'),
    ('a = "x', 5, "this string is not closed", 'end it with " on its line'),
    ("a = 'x", 5, "this string is not closed", "end it with ' on its line"),
    ("a = [1 2]", 8, "expected ',' or ']' before this", "comma"),
    ('a = ["x, "y"]', 11, "expected ',' or ']' before this", "check the quotes"),
    ("a = {x = 1 y = 2}", 12, "expected ',' or '}' before this", "comma"),
    ("a = {x = 1, x = 2}", 13, "a.x is already defined at line 1, column 6", "keep one"),
    ("a 1", 3, "expected '=' and a value", "key = "),
    ("a b = 1", 3, "expected '=' after the key", "in quotes"),
    ("a: 1", 2, "not ':'", "write  key = value"),
    ("a =", 4, "a value is missing", "write a value"),
    ("= 1", 1, "a key is missing before '='", "key = value"),
    ("a = True", 5, "True is no TOML value", "write true"),
    ("a = no", 5, "no is no TOML value", "write false"),
    ("a = null", 5, "null is no TOML value", "leave the key out"),
    ("a = \u201cx\u201d", 5, "typographic quote", 'write "'),
    (r'a = "c:\users"', 8, r"\u is no escape sequence", "write / in paths"),
    (r'a = "c:\dir"', 8, r"\d is no escape sequence", "single quotes"),
    ("a = 1 2", 7, "unexpected text after the statement: 2", "one statement a line"),
    ("a = 1,", 6, "unexpected ','", "leave it out"),
    ("a = 1;", 6, "unexpected ';'", "leave it out"),
    ("a = 1 // x", 7, "unexpected text: // x", "a comment starts with #"),
    ("// x", 1, "not a statement: // x", "a comment starts with #"),
    ("a = 1.2.3", 5, "1.2.3 is not a number or date", 'quotes: "1.2.3"'),
    ("a = 01", 5, "01 is not a number or date", "quotes"),
    ("a = 2020-02-30", 5, "no such date", "quotes"),
    ('a = "\x01"', 6, "control character U+0001", "uXXXX"),
    ("# \x01", 3, "control character U+0001", "uXXXX"),
    ("]", 1, "']' closes nothing", "brackets above"),
    ("[program.x", 1, "this table header is not closed with ]", "[table]"),
    ("[[kernel]", 1, "this table header is not closed with ]]", "[[table]]"),
    ("[a/b]", 3, "expected ] after the table's name", "quote a name"),
    ("[]", 2, "a table needs a name", "[table]"),
    ("[a] x", 5, "unexpected text after the statement: x", "one statement"),
    ("a. = 1", 4, "a key is missing here", "in quotes"),
    ("naïve = 1", 3, "expected '=' after the key", "in quotes"),
]


@pytest.mark.parametrize(("line", "column", "message", "hint"), FAULTS)
def test_fault(line: str, column: int, message: str, hint: str) -> None:
    """It is explained, alone; and so is a fault behind it, with nothing made up in between."""
    with pytest.raises(Failure) as failure:
        read_document("build.toml", f"{line}\nfine = [\n  1,\n]\nlast = ?\n".encode())
    first, last = failure.value.problems
    assert failure.value.code == EXIT_INPUT
    assert str(first.where) == f"build.toml:1:{column}"
    assert message in first.message
    assert hint in first.hint
    assert str(last.where) == "build.toml:5:8"


# Whole files: the problems that they must give, and no other.
FILES = [
    (b'a = ["x",\n"y"\nb = 1\nc = q', ["1:5: error: this array is not closed", "4:5: error: text needs quotes: q"]),
    (b"a = [1,\n[program.x]\ny = 2", ["1:5: error: this array is not closed"]),
    (b'a = [\n"x"\n"y"\n]\nb = ?', ["3:1: error: expected ',' or ']' before this"]),
    (b"a = [1, 2", ["1:5: error: this array is not closed"]),
    (b"a = [1,", ["1:5: error: this array is not closed"]),
    (b"a = {", ["1:5: error: this inline table is not closed"]),
    (b'a = 1\nb = """x\ny = 1', ["2:5: error: this string is not closed"]),
    (b'a = "x\n"', ["1:5: error: this string is not closed"]),
    (b"a = 1\nb = 2\na = [\n1]\nc = ?", ["3:1: error: a is already defined at line 1", "5:5: error: not a value: ?"]),
    (b"[t]\na = 1\n[t]\na = 2\nb = ?", ["3:2: error: t is already defined at line 1, column 2", "5:5: error: not a"]),
    (b"[[t]]\n[t]", ["2:2: error: t is already defined at line 1, column 3"]),
    (b"[[t]]\n[t.s]\n[[t]\n[t.s]\n", ["3:1: error: this table header is not closed"]),
    (b"a.b = 1\n[a]", ["2:2: error: a is already defined at line 1, column 1"]),
    (b"a.b = 1\na.b.c = 2", ["2:3: error: a.b is already defined at line 1, column 3"]),
    (b"a = { b = 1 }\n[a.c]", ["2:2: error: a is already defined at line 1, column 1"]),
    (b"[d\nx =\n[d]\n", ["1:1: error: this table header", "2:4: error: a value is missing"]),
    (b"a = 1\rb = 2\rc", ["1:6: error: a carriage return", "3:2: error: expected '='"]),
    (b"a = 1\r", ["1:6: error: a carriage return"]),
    (b"a = 1\r\nb =\r\nc\r\n", ["2:4: error: a value is missing", "3:2: error: expected '='"]),
    (b"\xff\xfea\0", ["1:1: error: the file is UTF-16"]),
    (b"\xef\xbb\xbfa = 1\r\n\xc3\xa9\xe9 = 1", ["2:2: error: byte 0xe9 is not UTF-8"]),
    (b"b = 1\na = " + b"[" * 5000, ["2:1: error: nested too deeply"]),
    (b"?\n" * 30, [f"{line}:1: error: not a statement" for line in range(1, 21)]),
]


@pytest.mark.parametrize(("data", "expected"), FILES, ids=[repr(data[:30]) for data, _ in FILES])
def test_file(data: bytes, expected: list[str]) -> None:
    with pytest.raises(Failure) as failure:
        read_document("build.toml", data)
    problems = [str(problem) for problem in failure.value.problems]
    assert len(problems) == len(expected), problems
    for problem, start in zip(problems, expected):
        assert problem.startswith(f"build.toml:{start}")


def test_a_newline_in_an_inline_table_is_as_tomli_has_it() -> None:
    """TOML 1.1, and tomli from 2.4 on, allow it; an older tomli must give a hint."""
    try:
        assert read_document("b", b"a = {x = 1,\n y = 2}").values == {"a": {"x": 1, "y": 2}}
    except Failure as failure:
        assert "inline table must be on one line" in str(failure)  # noqa: PT017


def test_places_cost_nothing_until_they_are_asked_for() -> None:
    code = (
        "import sys; from bpfgen.config.source import read_document; document = read_document('b', b'a = 1');"
        "assert 'bpfgen.config.positions' not in sys.modules; document.where(('a',));"
        "assert 'bpfgen.config.positions' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- random documents, in random styles ----

KEYS = st.sampled_from(["a", "b", "c-d", "1", "e_f", "", "x y", "q.r", "é", 'say "x"', "it's", "back\\slash", "#", "]"])
STRINGS = st.text(st.sampled_from(list("ab é#[]{}=,.'\"\\\n\t")), max_size=8)
SCALARS = st.one_of(STRINGS, st.integers(-99, 10**6), st.booleans(), st.sampled_from([1.5, -2e10, math.inf]))
DATES = st.datetimes().map(lambda moment: moment.replace(microsecond=0))
VALUES = st.recursive(
    SCALARS | DATES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
SPACE = st.sampled_from(["", " ", "\t "])
END = st.sampled_from(["\n", " # [x] = 'y\n", "\n\n", "\n # c\n"])
Draw = Any


def basic(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")


def string(draw: Draw, text: str) -> str:
    styles = [f'"{basic(text)}"', f'"""\n{basic(text)}"""', '"""\\\n  """' if not text else f'"""{basic(text)}"""']
    if "'" not in text:
        styles.append(f"'''\n{text}'''")
        if "\n" not in text:
            styles.append(f"'{text}'")
    return str(draw(st.sampled_from(styles)))


def key(draw: Draw, name: str) -> str:
    styles = [f'"{basic(name)}"']
    if re.fullmatch(r"[A-Za-z0-9_-]+", name):
        styles.append(name)
    if "'" not in name:
        styles.append(f"'{name}'")
    return f"{draw(SPACE)}{draw(st.sampled_from(styles))}{draw(SPACE)}"


def inline(draw: Draw, value: Any) -> str:
    if isinstance(value, str):
        return string(draw, value)
    if isinstance(value, list):
        gap = st.sampled_from(["", " ", "\n", " # ]\n"])
        items = "".join(f"{draw(gap)}{inline(draw, item)}{draw(gap)}," for item in value)
        return f"[{items[:-1] if draw(st.booleans()) else items}{draw(gap)}]"
    if isinstance(value, dict):
        return "{" + ",".join(pair for name in value for pair in pairs(draw, "", name, value[name])) + "}"
    return str(value).lower() if isinstance(value, (bool, float)) else str(value)


def pairs(draw: Draw, prefix: str, name: str, value: Any) -> Iterator[str]:
    """`prefix.name = value`, as one pair or as several with dotted keys."""
    whole = prefix + key(draw, name)
    if isinstance(value, dict) and value and draw(st.booleans()):
        for inner in value:
            yield from pairs(draw, f"{whole}.", inner, value[inner])
    else:
        yield f"{whole}={draw(SPACE)}{inline(draw, value)}{draw(SPACE)}"


def tables(draw: Draw, prefix: str, table: dict[str, Any]) -> Iterator[str]:
    """The statements of a table; tables in it as pairs or behind headers of their own."""
    later = []
    for name, value in table.items():
        is_array = isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
        if (isinstance(value, dict) or is_array) and draw(st.booleans()):
            later.append((name, value))
        else:
            for pair in pairs(draw, "", name, value):
                yield pair + draw(END)
    for name, value in later:
        whole = prefix + key(draw, name)
        for item in value if isinstance(value, list) else [value]:
            yield (f"[[{whole}]]" if isinstance(value, list) else f"[{whole}]") + draw(END)
            yield from tables(draw, f"{whole}.", item)


@st.composite
def documents(draw: Draw) -> tuple[dict[str, Any], bytes]:
    data = draw(st.dictionaries(KEYS, VALUES | st.lists(st.dictionaries(KEYS, VALUES, max_size=2)), max_size=4))
    text = "".join(tables(draw, "", data))
    bom = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return data, bom + text.replace("\n", draw(st.sampled_from(["\n", "\r\n"]))).encode()


def paths(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield from paths(inner, (*path, name))


def text_at(document: Document, path: Path, key: bool) -> str:
    place = document.where(path, key=key)
    lines = document.text.split("\n")
    return "\n".join([lines[place.line - 1][place.column - 1 :], *lines[place.line :]])


def reads(text: str, before: str, after: str, value: Any) -> bool:
    """Whether some beginning of `text` is TOML for `value`."""
    for end in range(1, len(text) + 1):
        try:
            if tomli.loads(before + text[:end] + after) == value:
                return True
        except tomli.TOMLDecodeError:
            pass
    return False


@given(documents())
def test_places_of_random_documents(document: tuple[dict[str, Any], bytes]) -> None:
    from bpfgen.config.positions import scan

    values, data = document
    read = read_document("b", data)
    assert read.values == values
    found = scan(read.text)
    assert found.complete
    assert found.clash is None
    assert set(found.places) == {path for path, _ in paths(values)}
    for path, value in paths(values):
        if path and isinstance(path[-1], str):
            assert reads(text_at(read, path, key=True), "", "=1", {path[-1]: 1}), path
        if not isinstance(value, (dict, list)):
            text = text_at(read, path, key=False)
            assert not text[0].isspace()
            assert reads(text, "x=", "", {"x": value}), path


def only_fails_with_places(data: bytes) -> None:
    try:
        read_document("b", data)
    except Failure as failure:
        problems = failure.problems
    else:
        return
    assert problems
    for problem in problems:
        assert problem.where is not None
        assert problem.where.line > 0
        assert problem.where.column > 0
        assert problem.hint


@given(
    st.binary(max_size=200) | st.text(st.sampled_from(list("ab1[]{}=.,#'\"\\\n\r\t é")), max_size=60).map(str.encode)
)
@example(b'"\\u12')
@example(b"[a.'b\n")
@example(b"a." * 3000 + b"a = 1")  # tomli refuses it from 2.5 on
def test_random_bytes(data: bytes) -> None:
    only_fails_with_places(data)


@given(documents(), st.lists(st.tuples(st.integers(0, 999), st.integers(0, 3), st.binary(max_size=2)), max_size=4))
def test_mutated_documents(document: tuple[dict[str, Any], bytes], edits: list[tuple[int, int, bytes]]) -> None:
    data = document[1]
    for at, length, new in edits:
        at %= len(data) + 1  # noqa: PLW2901
        data = data[:at] + new + data[at + length :]
    only_fails_with_places(data)
