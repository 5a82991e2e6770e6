"""What is wrong with a text that is no TOML: every problem of it, in the words of the person who wrote it.

When tomli refuses a text, the statement at fault is blanked and the rest is read again, so that one run shows all
problems. Imported only when there is one.
"""

from __future__ import annotations

import re
from typing import Callable, Optional

import tomli

from bpfgen.config.positions import Scan
from bpfgen.config.source import locate
from bpfgen.errors import Problem
from bpfgen.frozen import frozen

MAX_PROBLEMS = 20

_KEY = r"(?:[A-Za-z_][\w-]*|\"[^\"\n]*\"|'[^'\n]*')"
_KEYS = rf"[ \t]*{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*[ \t]*"
_PAIR = rf"{_KEYS}=(?!=)"
_HEADER = rf"[ \t]*\[{{1,2}}{_KEYS}\]{{1,2}}[ \t]*(?:#.*)?$"
_STRING = r"\"(?:[^\"\\]|\\.)*\"|'[^']*'"
_SPECIFICATION = "see https://toml.io/en/v1.0.0"


@frozen
class _Broken:
    """tomli's first complaint about a text, and the scan of all that comes before it."""

    text: str
    said: str
    at: int
    scan: Scan

    @property
    def statement(self) -> int:
        return self.scan.statements[-1]

    @property
    def rest(self) -> str:
        """What follows on the line."""
        return self.text[self.at :].split("\n", 1)[0]

    @property
    def line_start(self) -> int:
        return self.text.rfind("\n", 0, self.at) + 1

    @property
    def line(self) -> str:
        return self.text[self.line_start :].split("\n", 1)[0]


# What is wrong: offset, message, hint.
_Finding = tuple[int, str, str]


def syntax_problems(name: str, text: str) -> list[Problem]:
    problems: list[Problem] = []
    header_lost = False
    rest: Optional[str] = text
    while rest is not None and len(problems) < MAX_PROBLEMS:
        try:
            tomli.loads(rest)
            break
        except tomli.TOMLDecodeError as error:
            broken = _broken(rest, error)
        except (ValueError, RecursionError) as error:
            return [*problems, _unplaced(name, rest, error)]
        if header_lost and rest[broken.statement] == "[" and _rule(broken) is _defined_twice:
            break  # perhaps it belongs to the table whose header was wrong
        at, message, hint = _explain(broken)
        problems.append(Problem(locate(name, rest, at), message, hint))
        header_lost = header_lost or rest.startswith("[", broken.statement)
        rest = _without(broken)
    return problems


def _broken(text: str, error: tomli.TOMLDecodeError) -> _Broken:
    from bpfgen.config.positions import Scan

    found = Scan(text[: error.pos])
    at = error.pos
    if error.msg == 'Expected "\'"':  # tomli looked for the quote up to the end of the file; its line is enough
        line_end = text.find("\n", found.at)
        at = line_end if line_end >= 0 else at
    return _Broken(text, error.msg, at, found)


def _unplaced(name: str, text: str, error: Exception) -> Problem:
    """For the limits that tomli reports without a place: finds the statement that runs into them by itself."""
    from bpfgen.config.positions import Scan

    starts = Scan(text).statements
    statements = zip(starts, [*starts[1:], len(text)])
    at = next((start for start, end in statements if _over_limit(text[start:end])), 0)
    if isinstance(error, RecursionError):
        return Problem(locate(name, text, at), "nested too deeply", "use fewer brackets, or fewer parts in the key")
    return Problem(locate(name, text, at), "a number with too many digits", "put it in quotes if it is text")


def _over_limit(statement: str) -> bool:
    try:
        tomli.loads(statement)
    except tomli.TOMLDecodeError:
        return False
    except (ValueError, RecursionError):
        return True
    return False


def _without(broken: _Broken) -> Optional[str]:
    """The text without the statement at fault; None where nobody can tell where that statement ends."""
    text, start = broken.text, broken.statement
    end = broken.line_start + len(broken.line)
    if _next_statement(broken):
        end = broken.line_start
    elif text[start] == "[":
        # The keys below must not land in the table above: they get one of their own.
        return f"{text[:start]}['{start}: header at fault']{text[end:]}"
    elif not (broken.scan.complete and _balanced(broken.rest)):
        line = text[start:end]
        following = re.match(r"(?:[ \t]*(?:#.*)?\n)*(.*)", text[end:])
        plain = "\n" not in line and "'''" not in line and '"""' not in line
        begins = not following or not following[1].strip() or re.match(f"{_PAIR}|{_HEADER}", following[1])
        closed = _rule(broken) is not _open_string and _balanced(line)
        if not (plain and (closed or (begins and (_even(line) or broken.at == start)))):
            return None
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def _balanced(line: str) -> bool:
    """No bracket and no multi-line string is left open, as far as the strings of the line are whole."""
    if "'''" in line or '"""' in line:
        return False
    return _even(re.sub(r"[\"'#].*", "", re.sub(_STRING, "", line)))


def _even(line: str) -> bool:
    return line.count("[") == line.count("]") and line.count("{") == line.count("}")


def _next_statement(broken: _Broken) -> bool:
    """Whether the fault only shows because an array or inline table before this line was never closed."""
    before = [c for c in broken.scan.open if c.start < broken.line_start]
    if not before:
        return False
    return bool(re.match(_HEADER, broken.line)) or (before[-1].closer == "]" and bool(re.match(_PAIR, broken.line)))


def _explain(broken: _Broken) -> _Finding:
    if _next_statement(broken):
        return _not_closed(broken, [c for c in broken.scan.open if c.start < broken.line_start][-1].start)
    quote = re.match("[\u201c\u201d\u2018\u2019\u00ab\u00bb]", broken.rest)
    if quote:
        return broken.at, f"{quote[0]} is a typographic quote", "write \" or '"
    return _rule(broken)(broken)


def _rule(broken: _Broken) -> Callable[[_Broken], _Finding]:
    return next((rule for words, rule in _RULES if re.match(words, broken.said)), _other)


def _not_closed(broken: _Broken, at: int) -> _Finding:
    kind, closer = ("array", "]") if broken.text[at] == "[" else ("inline table", "}")
    line = locate("", broken.text, broken.at).line
    where = f" before line {line}" if _next_statement(broken) else ""
    return at, f"this {kind} is not closed", f'write "{closer}"{where}'


def _invalid_value(broken: _Broken) -> _Finding:
    word = re.split(r"[,\]}#]", broken.rest)[0].strip()
    if not word:
        innermost = broken.scan.open[-1] if broken.scan.open else None
        if innermost and broken.at >= len(broken.text):
            return _not_closed(broken, innermost.start)
        return broken.at, "a value is missing", 'write a value, such as "text", 1, true or ["a", "b"]'
    lower = word.lower()
    if lower in ("true", "false", "yes", "no", "on", "off"):
        right = "true" if lower in ("true", "yes", "on") else "false"
        return broken.at, f"{word} is no TOML value", f"write {right}"
    if lower in ("null", "none", "nil"):
        return broken.at, f"{word} is no TOML value", "leave the key out"
    if re.match(r"\w|[./~$*-]", word):
        quote = "'" if '"' in word or "\\" in word else '"'
        return broken.at, f"text needs quotes: {_short(word)}", f"write {quote}{_short(word.rstrip(quote))}{quote}"
    return broken.at, f"not a value: {_short(word)}", 'text needs quotes: "text"'


def _short(word: str) -> str:
    return word if len(word) <= 40 else f"{word[:40]}…"


def _no_equals(broken: _Broken) -> _Finding:
    rest = broken.rest.strip()
    if rest.startswith(":"):
        return broken.at, "expected '=' after the key, not ':'", "write  key = value"
    if rest and not rest.startswith("#") and "=" in rest:
        return broken.at, "expected '=' after the key", "put a key with spaces or special characters in quotes"
    return broken.at, "expected '=' and a value after the key", 'write  key = "value"'


def _more_after(broken: _Broken) -> _Finding:
    places = broken.scan.places.values()
    value = max((place.value for place in places if place.value >= broken.statement), default=broken.at)
    word = re.match(r"[^\s,;#\x00-\x1f]*", broken.text[value:])
    if word and word[0][:1] in tuple("+-0123456789") and value < broken.at < value + len(word[0]):
        return value, f"{_short(word[0])} is not a number or date", f'put text in quotes: "{_short(word[0])}"'
    rest = _short(broken.rest.strip())
    if rest[:1] in (",", ";"):
        return broken.at, f"unexpected {rest[0]!r} after the value", "leave it out: a line end ends a statement"
    if rest.startswith("//"):
        return broken.at, f"unexpected text: {rest}", "a comment starts with #"
    return broken.at, f"unexpected text after the statement: {rest}", "one statement a line; check quotes and brackets"


def _invalid_statement(broken: _Broken) -> _Finding:
    rest = broken.rest
    if rest.startswith("="):
        return broken.at, "a key is missing before '='", "write  key = value"
    if rest[:1] in ("]", "}"):
        return broken.at, f"{rest[0]!r} closes nothing", "leave it out, or check the brackets above"
    if rest.startswith(("//", ";", "/*")):
        return broken.at, f"not a statement: {_short(rest)}", "a comment starts with #"
    message = f"not a statement: {_short(rest)}" if rest.isprintable() else f"unexpected character {rest[0]!r}"
    return broken.at, message, "write  key = value  or a header such as [table]; a key like this needs quotes"


def _invalid_key(broken: _Broken) -> _Finding:
    container = broken.scan.open[-1] if broken.scan.open else None
    if container and (not broken.rest or broken.rest[0] == "}"):
        if broken.at >= len(broken.text):
            return _not_closed(broken, container.start)
        hint = "no newline and no last comma in { … }; or give it a header such as [table]"
        return broken.at, "an inline table must be on one line", hint
    if broken.rest.startswith("]"):
        return broken.at, "a table needs a name", "write  [table]"
    return broken.at, "a key is missing here", "a key is of A-Z a-z 0-9 _ -, or in quotes"


def _header_not_closed(broken: _Broken) -> _Finding:
    opener = "[[" if "]]" in broken.said else "["
    closer = "]" * len(opener)
    if broken.rest.strip() in ("", "]"):
        return broken.statement, f"this table header is not closed with {closer}", f"write  {opener}table{closer}"
    return broken.at, f"expected {closer} after the table's name", 'quote a name with special characters: ["a/b"]'


def _unclosed(broken: _Broken) -> _Finding:
    container = broken.scan.open[-1] if broken.scan.open else None
    if container and broken.at >= len(broken.text):
        return _not_closed(broken, container.start)
    closer = container.closer if container else "]"
    if re.match(r"[\w\"'\[{+-]", broken.rest):
        return broken.at, f"expected ',' or '{closer}' before this", "put a comma between the values; check the quotes"
    return broken.at, f"expected ',' or '{closer}' here", "check the brackets and the quotes"


def _defined_twice(broken: _Broken) -> _Finding:
    clash = broken.scan.clash
    if clash is None:
        return broken.statement, "this table or key is already defined, in another form", "define it in one place"
    first = locate("", broken.text, clash.first)
    path = ".".join(str(part) for part in clash.path if isinstance(part, str))
    return clash.again, f"{path} is already defined at line {first.line}, column {first.column}", "keep one of the two"


def _open_string(broken: _Broken) -> _Finding:
    if "Illegal" in broken.said or "Found invalid" in broken.said:
        char = broken.text[broken.at : broken.at + 1]
        if char != "\n":
            code = f"U+{ord(char):04X}" if char else "end of file"
            return broken.at, f"the control character {code} is not allowed here", r'write it as \uXXXX in "…"'
    at = min(broken.scan.at, broken.at)
    quote = re.match("\"{3}|'{3}|[\"']", broken.text[at:])
    closer = quote[0] if quote else '"'
    return at, "this string is not closed", f"end it with {closer}" + (" on its line" if len(closer) == 1 else "")


def _escape(broken: _Broken) -> _Finding:
    at = broken.text.rfind("\\", 0, broken.at)
    shown = broken.text[at : at + 2].strip()
    hint = r"write / in paths, or '…' in single quotes, or \\ for one backslash"
    return at, rf"{shown} is no escape sequence", hint


def _date(broken: _Broken) -> _Finding:
    return broken.at, "there is no such date or time", "put text in quotes"


def _other(broken: _Broken) -> _Finding:
    return broken.at, broken.said[:1].lower() + broken.said[1:], _SPECIFICATION


_RULES: tuple[tuple[str, Callable[[_Broken], _Finding]], ...] = (
    (r"Invalid value", _invalid_value),
    (r"Expected '=' after a key", _no_equals),
    (r"Expected newline", _more_after),
    (r"Invalid statement", _invalid_statement),
    (r"Invalid initial character", _invalid_key),
    (r"Expected '\]{1,2}' at the end", _header_not_closed),
    (r"Unclosed (?:array|inline table)", _unclosed),
    (r"Cannot (?:declare|overwrite|redefine|mutate)|Duplicate inline", _defined_twice),
    (r"Unterminated string|Illegal character|Found invalid character|Expected [\"']", _open_string),
    (r"Unescaped|Invalid hex|Escaped character", _escape),
    (r"Invalid date", _date),
)
"""What tomli says (2.2 to 2.5), and who explains it; the wording of a new release falls through to `_other`."""
