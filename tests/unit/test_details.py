"""What an object needs of a kernel, on the committed object that has one of each thing, in both byte orders."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from objectfile import little_object

from bpfgen.bpf.btf import Btf, Kind
from bpfgen.bpf.code import Reference
from bpfgen.bpf.core import read_access
from bpfgen.bpf.details import Details, read_details
from bpfgen.bpf.elf import read_object
from bpfgen.bpf.externs import Extern
from bpfgen.bpf.globaldata import DataVariable
from bpfgen.bpf.info import MapInfo
from bpfgen.bpf.listing import listing
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.structops import Operation
from bpfgen.cli import run

OBJECTS = Path(__file__).parent.parent / "data" / "objects"


@pytest.fixture(params=["bpfel", "bpfeb"])
def found(request: pytest.FixtureRequest) -> BpfObject:
    return BpfObject((OBJECTS / f"needs.{request.param}.o").read_bytes())


@pytest.fixture
def details(found: BpfObject) -> Details:
    return read_details(found)


def test_what_programs_need(details: Details) -> None:
    enter, classify, unknown, start = details.needs
    assert (enter.helpers, enter.kfuncs) == (("bpf_loop", "bpf_probe_read_kernel"), ("acquire", "release"))
    assert (enter.kconfig, enter.ksyms, enter.maps) == (("CONFIG_NEW", "LINUX_KERNEL_VERSION"), (), ())
    assert enter.functions == ("twice", "each")  # one is called, the other a callback
    assert enter.variables == ("calls", "counters", "limit", "total")
    assert (enter.cpu, enter.features) == ("v4", ("alu32", "atomic", "jmp32", "ldsx"))
    assert (classify.section, classify.ksyms, classify.maps) == ("?tc", ("init_task", "typed_symbol"), ("outer",))
    assert (unknown.cpu, unknown.maps) == ("v4", ("bloom",))
    assert (start.cpu, start.helpers) == ("v3", ())


def test_externs(details: Details) -> None:
    assert sorted(details.externs, key=lambda each: each.name) == [
        Extern("CONFIG_NEW", "kconfig", True, "_Bool"),
        Extern("LINUX_KERNEL_VERSION", "kconfig", False, "int"),
        Extern("acquire", "kfunc", False, "struct task *acquire(struct task *, __u64)"),
        Extern("init_task", "ksym", False, ""),
        Extern("release", "kfunc", True, "void release(struct task *)"),
        Extern("typed_symbol", "ksym", True, "const int"),
    ]


def test_variables(details: Details) -> None:
    assert details.variables == (
        DataVariable(".bss", "calls", "volatile int", 0, 4, settable=False),
        DataVariable(".bss", "total", "int", 4, 4, settable=True),
        DataVariable(".data", "counters", "__u64[3]", 0, 24, settable=True),
        DataVariable(".rodata", "limit", "const volatile int", 0, 4, settable=True),
    )


def test_relocations_have_paths_and_lines(details: Details) -> None:
    asked = {(each.function, each.kind, each.path) for each in details.relocations}
    assert asked == {
        ("enter", "existence", "task___old.tgid"),
        ("enter", "byte offset", "task.high"),
        ("enter", "enum value", "feature.NEW"),
        ("enter", "byte offset", "task.mm"),
        ("enter", "byte offset", "mm.owners[2]"),
        ("enter", "byte offset", "task.pid"),
        ("twice", "byte offset", "task.comm"),
        ("twice", "byte offset", "task.mm"),
        ("twice", "byte offset", "mm.users"),
    }
    source = (OBJECTS / "needs.c").read_text(encoding="utf-8").splitlines()
    lines = {each.path: source[int(each.line.split(":")[1]) - 1] for each in details.relocations}
    assert "mm->users" in lines["mm.users"]
    assert "owners[2]->pid" in lines["mm.owners[2]"]


def test_maps_and_programs(found: BpfObject) -> None:
    maps = {each.name: each for each in found.maps}
    inner = MapInfo("outer.inner", "hash", 4, 8, 8, 0, "__u32", "__u64")
    assert maps["outer"] == MapInfo("outer", "hash_of_maps", 4, 4, 4, 0, "__u32", inner=inner)
    assert (maps["bloom"].pinning, maps["bloom"].extra) == ("name", 0x500000003)
    assert maps["ops"].flags == 0x2000
    enter = found.programs[0]
    assert (enter.attach_type, enter.attach_to, enter.sleepable) == ("trace_fentry", "do_exit", True)


def test_operations_and_notes(details: Details) -> None:
    assert details.operations == (Operation("ops", "start", "start"),)
    assert len(details.notes) == 1
    assert details.notes[0].startswith('SEC("mystery")')


def test_references(found: BpfObject) -> None:
    functions = {each.name: each for each in found.functions}
    kinds = [reference.kind for reference in functions["enter"].references.values()]
    assert kinds.count("kfunc") == 2  # the call, and the address that says whether it is there
    calls = [each for each in functions["enter"].references.values() if each.kind in ("call", "function")]
    twice, each = functions["twice"], functions["each"]
    assert calls == [
        Reference("call", "twice", 0, (".text", twice.start)),
        Reference("function", "each", 0, (".text", each.start)),
    ]


def test_listing(found: BpfObject) -> None:
    lines = [*listing(found)]
    for words in (
        "r2 = CONFIG_NEW ll",
        "call bpf_probe_read_kernel",
        "call acquire",
        "call twice",
        "r2 = each ll",
        "; byte offset of mm.owners[2]",
        "return comm[0] * 2 + task->mm->users;",
    ):
        assert [line for line in lines if line.endswith(words)], words


@pytest.mark.parametrize(
    ("root", "string", "kind", "message"),
    [
        ("tree", "0:9", 0, "asks for member 9 of tree, which has"),
        ("tree", "0:0:1:0:1", 0, "which is no struct, union or array"),
        ("tree", "", 0, "no access string"),
        ("tree", "0:-1", 0, "no access string"),
        ("tree", ":".join("0" * 65), 0, "no access string"),
        ("tree", "0:1", 8, "has the access string '0:1'"),
        ("tree", "0", 11, "asks for a value that tree doesn't have"),
        ("big", "7", 10, "asks for a value that big doesn't have"),
    ],
)
def test_accesses_that_do_not_fit(root: str, string: str, kind: int, message: str) -> None:
    btf = BpfObject((OBJECTS / "core.bpfel.o").read_bytes()).btf
    assert btf is not None
    (number,) = [each.id for each in btf if each.name == root]
    with pytest.raises(Malformed, match=message.replace("(", r"\(")):
        read_access(btf, number, string, kind)


def test_an_array_of_structs_is_walked() -> None:
    btf = BpfObject((OBJECTS / "core.bpfel.o").read_bytes()).btf
    assert isinstance(btf, Btf)
    (number,) = [each.id for each in btf if each.name == "tree"]
    access = read_access(btf, number, "2:0:3", 0)
    (size,) = [each.size for each in btf if each.id == number]
    assert (access.path, access.bits) == ("tree[2].nodes[3]", 8 * (2 * size + 3 * 8))


def test_functions_that_overlap_are_refused() -> None:
    code = bytes.fromhex("b700000000000000" + "9500000000000000") * 2

    text = (".text", 1, 6, code, 0, 0)
    twice = BpfObject(little_object(text, symbols=symbol(2, 3, 0, 32) + symbol(2, 3, 0, 32)))
    assert [each.code for each in twice.functions] == [twice.functions[0].code] * 2
    with pytest.raises(Malformed, match="overlap"):
        _ = BpfObject(little_object(text, symbols=symbol(2, 3, 0, 32) + symbol(2, 3, 16, 16))).functions


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(OBJECTS / "needs.bpfel.o")
    assert run(["inspect", "--json", path]) == 0
    (facts,) = json.loads(capsys.readouterr().out)
    assert {"programs", "maps", "needs", "externs", "variables", "relocations", "operations", "notes"} <= set(facts)
    assert run(["inspect", path]) == 0
    short = capsys.readouterr().out
    assert "kfuncs: acquire, release" in short
    assert "mm.owners[2]" not in short
    assert run(["inspect", "-v", path]) == 0
    assert "mm.owners[2]" in capsys.readouterr().out
    assert run(["inspect", "--code", path, __file__]) == 3
    streams = capsys.readouterr()
    assert "call acquire" in streams.out
    assert "not an ELF file" in streams.err


@pytest.mark.real
@pytest.mark.parametrize("target", ["bpfel", "bpfeb"])
@pytest.mark.parametrize("clang", [("clang-14",), (sys.executable, "-m", "ziglang", "clang")], ids=["14", "wheel"])
def test_another_compiler_says_the_same(clang: tuple[str, ...], target: str, tmp_path: Path) -> None:
    if not shutil.which(clang[0]):
        pytest.fail(f"{clang[0]} is not installed")
    path = tmp_path / "needs.o"
    flags = ["-O2", "-g", "-target", target, "-mcpu=v3", "-Wno-unknown-attributes", "-c"]
    subprocess.run([*clang, *flags, str(OBJECTS / "needs.c"), "-o", str(path)], check=True)
    read_object(path.read_bytes(), "needs.o")
    ours, theirs = (read_details(BpfObject(file.read_bytes())) for file in (path, OBJECTS / f"needs.{target}.o"))
    assert sorted(ours.externs, key=str) == sorted(theirs.externs, key=str)
    assert {(each.name, each.size) for each in ours.variables} == {(each.name, each.size) for each in theirs.variables}
    assert ours.operations == theirs.operations
    paths = [{(each.kind, each.path) for each in side.relocations} for side in (ours, theirs)]
    assert paths[0] == paths[1]
    for mine, other in zip(ours.needs, theirs.needs):
        assert (mine.helpers, mine.kfuncs, mine.maps) == (other.helpers, other.kfuncs, other.maps)


@pytest.mark.real
@pytest.mark.parametrize("name", ["needs", "sample", "core"])
def test_variables_are_where_libbpfs_linker_puts_them(name: str, tmp_path: Path) -> None:
    """An object alone is linked as it is, and its data sections then say where each variable is."""
    path = OBJECTS / f"{name}.{'bpfel' if sys.byteorder == 'little' else 'bpfeb'}.o"
    linked = tmp_path / "linked.o"
    subprocess.run(["bpftool", "gen", "object", str(linked), str(path)], check=True)
    types = BpfObject(linked.read_bytes()).btf
    assert types is not None
    theirs = {
        (section.name, each.name, each.offset, each.size)
        for section in types
        if section.kind is Kind.DATASEC
        for each in types.variables(section)
    }
    ours = {(each.section, each.name, each.offset, each.size) for each in BpfObject(path.read_bytes()).variables}
    assert ours
    assert ours <= theirs


CALL, LOAD, EXIT = (bytes.fromhex(text) for text in ("85000000", "18010000", "9500000000000000"))


def symbol(kind: int, section: int, value: int, size: int, binding: int = 1) -> bytes:
    """One that is called `name`."""
    return struct.pack("<IBBHQQ", 1, binding << 4 | kind, 0, section, value, size)


def object_of(code: bytes, *symbols: bytes, relocations: bytes = b"", kind: int = 9) -> BpfObject:
    """One of a function over the whole code, which is symbol 1; the others follow. `kind`: 9 for REL, 4 for RELA."""
    sections = (
        (".text", 1, 6, code, 0, 0),
        (".maps", 1, 2, bytes(64), 0, 0),
        (".rodata", 1, 2, bytes(16), 0, 0),
        (".rel.text", kind, 0, relocations, 1, 3),
    )
    return BpfObject(little_object(*sections, symbols=symbol(2, 3, 0, len(code)) + b"".join(symbols)))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (CALL + struct.pack("<i", 5), Reference("helper", "ktime_get_ns")),
        (CALL + struct.pack("<i", 9999), Reference("helper", "9999")),
        (CALL[:1] + b"\x20\0\0" + struct.pack("<i", 7), Reference("kfunc", "7")),
        (CALL[:1] + b"\x10\0\0" + struct.pack("<i", -1), Reference("call", "name", 0, (".text", 0))),
        (CALL[:1] + b"\x10\0\0" + struct.pack("<i", 100), Reference("call", ".text", 808, (".text", 101))),
        (LOAD + bytes(12), None),
    ],
)
def test_references_without_relocations(code: bytes, expected: Reference | None) -> None:
    (function,) = object_of(code + EXIT).functions
    assert function.references.get(0) == expected


@pytest.mark.parametrize(
    ("target", "kind", "addend", "expected"),
    [
        (symbol(1, 4, 32, 32), 9, b"", Reference("map", "name")),
        (symbol(1, 5, 4, 8), 9, b"", Reference("data", "name", 4, (".rodata", 8))),
        (symbol(3, 5, 0, 0, 0), 9, b"", Reference("data", ".rodata", 4, (".rodata", 4))),
        (symbol(3, 5, 0, 0, 0), 4, struct.pack("<q", 12), Reference("data", ".rodata", 12, (".rodata", 12))),
        (symbol(0, 0, 0, 0), 9, b"", Reference("extern", "name")),
    ],
)
def test_references_by_relocation(target: bytes, kind: int, addend: bytes, expected: Reference) -> None:
    load = LOAD + struct.pack("<i", 0 if expected.kind == "map" else 4) + bytes(8)
    relocation = struct.pack("<QQ", 0, 2 << 32 | 1) + addend
    (function,) = object_of(load + EXIT, target, relocations=relocation, kind=kind).functions
    assert function.references == {0: expected}
    assert str(expected) == expected.name + (f"+{expected.offset:#x}" if expected.offset else "")


@pytest.mark.parametrize(
    ("offset", "target", "message"),
    [
        (4, symbol(1, 4, 0, 8), "is at 0x4, within an instruction"),
        (800, symbol(1, 4, 0, 8), "is at 0x320, within an instruction"),
        (0, symbol(1, 0xFFF1, 0, 8), "instruction 0 refers to name, which isn't there"),
    ],
)
def test_relocations_that_lead_nowhere(offset: int, target: bytes, message: str) -> None:
    relocation = struct.pack("<QQ", offset, 2 << 32 | 1)
    with pytest.raises(Malformed, match=message):
        _ = object_of(LOAD + bytes(12) + EXIT, target, relocations=relocation).functions


def test_instructions_that_no_kernel_knows_are_noted() -> None:
    code = ("xdp", 1, 6, bytes([0xFF]) + bytes(7) + EXIT, 0, 0)
    found = BpfObject(little_object(code, symbols=symbol(2, 3, 0, 16)))
    assert read_details(found).notes == ("name has an instruction that no kernel knows",)


def test_a_program_of_too_many_functions() -> None:
    """A chain of calls; the kernel takes 256 functions."""

    def chain(count: int) -> BpfObject:
        code = (CALL[:1] + b"\x10\0\0" + struct.pack("<i", 1) + EXIT) * (count - 1) + EXIT * 2
        symbols = b"".join(symbol(2, 3, 16 * number, 16) for number in range(count))
        return BpfObject(little_object(("xdp", 1, 6, code, 0, 0), symbols=symbols))

    assert len(read_details(chain(250)).needs[0].functions) == 249
    with pytest.raises(Malformed, match="calls more than 256 functions"):
        read_details(chain(300))
