"""Command lines of other tools: what a shell would start, and what that compiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpfgen.errors import Failure, Location
from bpfgen.recipes import compdb, make
from bpfgen.recipes.assemble import Imported, assemble
from bpfgen.recipes.clang import compiled
from bpfgen.recipes.gather import Gathered, Line, gather
from bpfgen.recipes.lexer import Unreadable
from bpfgen.recipes.walk import Command, commands

ENVIRON = {"CC": "clang-19", "TWO": "a b", "EMPTY": ""}

STARTED = [
    ("a b", ["a b"]),
    ("a 'b c' \"d e\"", ["a|b c|d e"]),
    ("a \"\" ''", ["a||"]),
    (r"a b\ c \$x", ["a|b c|$x"]),
    ('a "\\$x \\" \\z"', ['a|$x " \\z']),
    ("a \\\n b", ["a b"]),
    ("a b'c'\"d\"", ["a bcd"]),
    ("a #b\nc d#e", ["a", "c d#e"]),
    ("a $ $.", ["a $ $."]),
    ("$CC ${CC}x", ["clang-19 clang-19x"]),
    ('a $TWO "$TWO" x$TWO', ["a|a|b|a b|xa|b"]),
    ('a $EMPTY "$EMPTY" $UNSET', ["a|"]),
    ("$EMPTY a", ["a"]),
    ("X=1 a; echo $X; Y=2; b $Y", ["a", "echo", "b 2"]),
    ("X='a b'; c $X \"$X\"", ["c|a|b|a b"]),
    ("export X=1 && a $X", ["a 1"]),
    ("a ${UNSET:-b} ${EMPTY-c} ${EMPTY:-d}", ["a b d"]),
    ("f=x/y.bpf.c; a ${f%.c} ${f%%.*} ${f#*/} ${f##*.}", ["a x/y.bpf x/y y.bpf.c c"]),
    ("f=x/y.c; a $(basename $f .c) `dirname $f`", ["a y x"]),
    ("a $(basename x.c .c).o", ["a x.o"]),
    ("a $(date) ${x/b/c} $1", ["a ? ? ?"]),
    ("for p in a b; do c $p; done; d $p", ["c a", "c b", "d b"]),
    ("for p in $TWO; do for q in 1 2; do c $p$q; done; done", ["c a1", "c a2", "c b1", "c b2"]),
    ("for p in; do c; done", []),
    ("for p in *.c; do a $p; done", ["a one.c", "a two words.c"]),
    ("a '*.c' x*.none", ["a *.c x*.none"]),
    ('a "sub"/*.c', ["a sub/three.c"]),
    ("cd sub && a *.c; cd .. && b", ["sub: a three.c", "b"]),
    ("(cd sub; a); b", ["sub: a", "b"]),
    ("{ cd sub; a; }; b", ["sub: a", "sub: b"]),
    ("cd gone && a", ["gone: a"]),
    ("set -e; a || exit 1", ["set -e", "a", "exit 1"]),
    ("true || a; false && b; ! false && c", ["c"]),
    ('if [ "Linux" = "Darwin" ]; then a; else b; fi', ["b"]),
    ("if test -n '$x'; then a; fi", ["a"]),
    ("if [ -f x ]; then a; elif b; then c; else d; fi", ["a", "b", "c", "d"]),
    ("a | b | c", ["a", "b", "c"]),
    ("a > out 2>&1 < in; b 2>/dev/null", ["a > out", "b > /dev/null"]),
    ("a & b", ["a", "b"]),
    ("sh -ec 'for p in a b; do c $p; done'", ["c a", "c b"]),
    ('/bin/bash -c "cd sub && a"; b', ["sub: a", "b"]),
    ("env X=1 a; exec b; command c", ["a", "b", "c"]),
    ("sh script.sh", ["sh script.sh"]),
    ("read x; a $x", ["a ?"]),
    ("a\n\nb;\n", ["a", "b"]),
    ("", []),
]


@pytest.mark.parametrize(("script", "expected"), STARTED, ids=[script for script, _ in STARTED])
def test_commands(script: str, expected: list[str], tmp_path: Path) -> None:
    """Words as a shell makes them (`|` between those with spaces, `?` for what nobody can say); folders; outputs."""
    for name in ("one.c", "two words.c", "sub/three.c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [
        _shown(each, tmp_path, want) for each, want in _zipped(commands(script, str(tmp_path), ENVIRON), expected)
    ] == (expected)


def _zipped(found: list[Command], expected: list[str]) -> list[tuple[Command, str]]:
    return [(each, expected[index] if index < len(expected) else "") for index, each in enumerate(found)]


def _shown(command: Command, root: Path, like: str) -> str:
    folder = Path(command.folder).relative_to(root).as_posix()
    words = ("|" if "|" in like else " ").join(command.words).replace("\0", "?")
    output = f" > {command.output}" if command.output else ""
    return f"{'' if folder == '.' else f'{folder}: '}{words}{output}"


REFUSED = {
    "a 'b": "a ' is not closed",
    'a "b': 'a " is not closed',
    "a `b": "a ` is not closed",
    "a $(b": "a ( is not closed",
    "a ${b": "a { is not closed",
    "a $((1 + 1))": "$((…)) is not worked out",
    "while a; do b; done": "`while` is not followed",
    "case a in b) c;; esac": "`case` is not followed",
    "f() { a; }": "functions are not followed",
    "a <<E\nb\nE": "here-documents are not read",
    "for p in a; b": "'do' is expected, and there is 'b'",
    "if a; then b": "'fi' is expected, and there is the end",
    "a )": "')' is out of place",
    "| a": "'|' is out of place",
    "a && done": "'done' is out of place",
    "cd $(x) && a": "the folder of a `cd` is not known",
    'sh -c "$(x)"': "the script of a shell in it is not known",
}


@pytest.mark.parametrize(("script", "message"), REFUSED.items(), ids=list(REFUSED))
def test_refused(script: str, message: str) -> None:
    """What isn't followed says so."""
    with pytest.raises(Unreadable) as error:
        commands(script, "/", {})
    assert str(error.value) == message


COMPILES = [
    ("clang -O2 -target bpf -c a.c -o b.o", "a.c b.o bpfel None -O2"),
    ("clang --target=bpfeb -c a.c", "a.c a.o bpfeb None "),
    ("clang -target=bpf -c a.c", "a.c a.o bpfel None "),
    ("/usr/bin/clang-19 -target bpfel -D__TARGET_ARCH_arm64 -c a.c -o x", "a.c x bpfel arm64 "),
    ("ccache clang -target bpf -D __TARGET_ARCH_x86 -c a.c -ox.o", "a.c x.o bpfel amd64 "),
    ("clang -target bpfeb -D__TARGET_ARCH_s390 -c a.c", "a.c a.o bpfeb s390x "),
    ("clang -target bpf -D__TARGET_ARCH_powerpc -c a.c", "a.c a.o bpfel ppc64le "),
    ("clang -target bpf -c a.c b.c", "a.c a.o bpfel None \nb.c b.o bpfel None "),
    ("clang -MMD -MP -MF a.d -MT x -x c -g -target bpf -c a.c", "a.c a.o bpfel None -g"),
    (
        "clang -target bpf -I/usr/include -idirafter /usr/lib/clang/19/include -I inc -c a.c",
        "a.c a.o bpfel None -I inc",
    ),
    ("clang -O2 -target bpf -S -emit-llvm -o - a.c", "a.c  bpfel None -O2"),
    ("clang -O2 -c a.c", ""),
    ("clang -target bpf -E a.c", ""),
    ("clang -target bpf -dM -E -", ""),
    ("clang -target x86_64 -c a.c", ""),
    ("gcc -target bpf -c a.c", ""),
    ("clang", ""),
]


@pytest.mark.parametrize(("line", "expected"), COMPILES, ids=[line for line, _ in COMPILES])
def test_compiles(line: str, expected: str) -> None:
    """Source, object, byte order, architecture, and the flags that are left."""
    found = compiled(Command(tuple(line.split()), "/", "", piped=False), None)
    shown = [f"{each.source} {each.output} {each.order} {each.arch} {' '.join(each.flags)}" for each in found]
    assert "\n".join(shown) == expected


def take(text: str, root: Path) -> tuple[Gathered, Imported]:
    """What one line in `root` becomes."""
    found = gather([Line(Location("Makefile", 7), str(root), text)], ENVIRON)
    imported = assemble("p", str(root), found, ())
    assert imported is not None
    return found, imported


def test_architectures_of_a_source_are_one_program(tmp_path: Path) -> None:
    """Compiles that differ in the architecture alone are one program; other flags make another one."""
    (tmp_path / "a.c").touch()
    each = "clang -target bpf -D__TARGET_ARCH_$arch -g -c a.c -o $arch.o"
    _, imported = take(f"for arch in x86 arm64; do {each}; done; clang -g -DX -target bpf -c a.c -o x.o", tmp_path)
    programs = imported.config.program
    assert {name: each.portable for name, each in programs.items()} == {"a_x86": False, "a_x": True}
    assert imported.config.targets.arches == ("amd64", "arm64")
    assert programs["a_x"].define == {"X": True}
    assert imported.comments["program", "a_x86"] == ("Makefile:7: x86.o", "Makefile:7: arm64.o")
    assert not imported.notes


def test_tools_beside_clang(tmp_path: Path) -> None:
    """bpftool's part: kernels' types, linked objects, skeletons; what has no place is said."""
    for name in ("a.c", "b.c"):
        (tmp_path / name).touch()
    dump = "bpftool btf dump file /sys/kernel/btf/vmlinux format c > vmlinux.h"
    build = "for p in a b; do clang -g -target bpf -c $p.c -o $p.o; done; bpftool gen object ab.o a.o b.o"
    more = "bpftool gen skeleton ab.o > ab.h; llvm-strip -g ab.o; docker run x make; go generate ./..."
    _, imported = take(f"{dump}; {build}; {more}", tmp_path)
    assert [each.sources for each in imported.config.program.values()] == [("a.c", "b.c")]
    assert imported.config.kernel["running"].btf == "/sys/kernel/btf/vmlinux"
    assert imported.config.skeleton is not None
    said = [str(note) for note in imported.notes]
    assert [text.split(": note: ")[0] for text in said] == ["Makefile:7"] * 3
    assert "[builder.docker]" in said[0]
    assert "bpfgen import bpf2go" in said[1]
    assert "kernel add" in said[2]


def test_what_cannot_be_followed_is_an_error(tmp_path: Path) -> None:
    """A compile for BPF in a line that isn't read, one of a file that isn't there, and one by way of llc."""
    (tmp_path / "a.c").touch()
    lines = [
        "while read p; do clang -target bpf -c $p; done",
        "clang -target bpf -c gone.c",
        "clang -target bpf -c $(date).c",
        "clang -target bpf -c $(date) -o b.o",
        "clang -emit-llvm -c a.c -o - | llc -march=bpf -filetype=obj -o a.o",
        "gcc-bpf -target bpf -c a.c",
        "while unrelated; do x; done",
        "clang -target bpf -c a.c $(date)",
    ]
    found = gather([Line(None, str(tmp_path), line) for line in lines], {})
    imported = assemble("p", str(tmp_path), found, ())
    assert imported is not None
    assert [problem.message.split(":")[0] for problem in imported.left] == [
        "this line can't be followed",
        "clang compiles for this host here, and llc makes BPF of that",
        "gcc-bpf is no clang that bpfgen knows",
        'there is no source "gone.c"',
        'there is no source "….c"',
        'there is no source "…"',
    ]
    assert any("only the shell knows" in note.text for note in imported.notes)


SAID = """\
make: Entering directory '/p'
Makefile:5: update target 'x' due to: y
clang -a \\
	-b
make[1]: Entering directory '/p/sub'
inc.mk:2: target 'z' does not exist
echo \\\\
for p in a; do \\
	b; \\
done
make[1]: Leaving directory '/p/sub'
after
make: Leaving directory '/p'
"""


def test_dry_run() -> None:
    """Folders, places and continued lines of what make prints."""
    assert [(str(line.where), line.folder, line.text) for line in make.read(SAID, "/p")] == [
        ("Makefile:5", "/p", "clang -a \\\n\t-b"),
        ("sub/inc.mk:2", "/p/sub", "echo \\\\"),
        ("sub/inc.mk:2", "/p/sub", "for p in a; do \\\n\tb; \\\ndone"),
        ("sub/inc.mk:2", "/p", "after"),
    ]


def test_database() -> None:
    """Both forms; folders are the file's where they are relative."""
    text = '[{"directory": "b", "command": "c d", "file": "x"}, {"directory": "/e", "arguments": ["f", "g h"]}]'
    assert [(line.folder, line.text, line.words) for line in compdb.lines(text, "cc.json", "/p")] == [
        ("/p/b", "c d", ()),
        ("/e", "f g h", ("f", "g h")),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[\n1,", "cc.json:2:3: error: is no JSON: Expecting value"),
        ("{}", "cc.json: error: is no compilation database: it holds no list"),
        ("[{}, 1]", 'cc.json: error: entry 1 has neither "command" nor "arguments"'),
        ('[{"arguments": [1]}]', 'cc.json: error: entry 1 has neither "command" nor "arguments"'),
    ],
)
def test_no_database(text: str, message: str) -> None:
    """A file that is none says so, with its place."""
    with pytest.raises(Failure) as failure:
        compdb.lines(text, "cc.json", "/")
    assert str(failure.value.problems[0]) == message
