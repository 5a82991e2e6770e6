"""`read_object`: what sound objects declare, and that damaged ones fail with a message and nothing else."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bpfgen.bpf.details import read_details
from bpfgen.bpf.elf import object_info, read_object
from bpfgen.bpf.info import MapInfo, ProgramInfo
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.show import human_size, render
from bpfgen.errors import Failure
from bpfgen.strip import strip

OBJECTS = Path(__file__).parent.parent / "data" / "objects"
FILES = ["debug.bpfeb.o", "debug.bpfel.o", "legacy.bpfel.o", "sample.bpfeb.o", "sample.bpfel.o"]
ENDIANS = {"bpfel": "little", "bpfeb": "big"}
MMAPABLE = 0x400


def load(name: str) -> bytes:
    return (OBJECTS / name).read_bytes()


@pytest.mark.parametrize("target", ENDIANS)
def test_programs(target: str) -> None:
    info = read_object(load(f"sample.{target}.o"), "sample.o")
    assert (info.endian, info.license, info.has_btf, info.has_dwarf) == (
        ENDIANS[target],
        "Dual MIT/GPL",
        True,
        False,
    )
    assert [(p.name, p.section, p.type) for p in info.programs] == [
        ("drop_all", "xdp", "xdp"),
        ("pass_all", "xdp", "xdp"),
        ("classify", "tc", "sched_cls"),
        ("on_unlink", "kprobe/do_unlinkat", "kprobe"),
    ]
    assert info.programs[-1] == ProgramInfo("on_unlink", "kprobe/do_unlinkat", "kprobe", 2, attach_to="do_unlinkat")
    assert [program.autoload for program in info.programs] == [True, True, False, True]
    assert [(p.name, p.section, p.instructions) for p in info.subprograms] == [("add", ".text", 10)]


@pytest.mark.parametrize("target", ENDIANS)
def test_maps(target: str) -> None:
    inner = MapInfo("outer.inner", "hash", 4, 8, 1, 1, "const __u32", "struct flow *")
    assert read_object(load(f"sample.{target}.o"), "sample.o").maps == (
        MapInfo("inner", "hash", 4, 8, 1, 1, "const __u32", "struct flow *"),
        MapInfo("outer", "hash_of_maps", 4, 4, 3, 0, inner=inner),
        MapInfo("flows", "hash", 16, 32, 128, 0, "struct flow", "__u64[4]"),
        MapInfo("events", "ringbuf", 0, 0, 4096, 0),
        MapInfo("counters", "percpu_array", 4, 4, 2, 0, "__u32", "counter_t"),
        MapInfo(".rodata", "array", 4, 4, 1, 0x480),
        MapInfo(".data", "array", 4, 8, 1, MMAPABLE),
        MapInfo(".data.custom", "array", 4, 4, 1, MMAPABLE),
        MapInfo(".rodata.hidden", "array", 4, 4, 1, 0x80),
        MapInfo(".bss", "array", 4, 4, 1, MMAPABLE),
        MapInfo(".kconfig", "array", 4, 5, 1, 0x480),
    )


def test_legacy_maps_need_no_btf() -> None:
    info = read_object(load("legacy.bpfel.o"), "legacy.o")
    assert not info.has_btf
    assert info.btf_size == 0
    assert info.maps == (
        MapInfo("old_hash", "hash", 4, 8, 64, 1),
        MapInfo("old_array", "array", 4, 16, 2, 0),
    )


def test_dwarf_is_seen() -> None:
    assert read_object(load("debug.bpfeb.o"), "debug.o").has_dwarf


def test_info_is_plain_json() -> None:
    info = read_object(load("sample.bpfel.o"), "sample.o")
    assert json.loads(json.dumps(dataclasses.asdict(info)))["maps"][0]["name"] == "inner"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda _: b"", "not an ELF file"),
        (lambda _: b"\x7fELF", "its ELF header is damaged"),
        (lambda _: b"int main(void)", "not an ELF file"),
        (lambda data: data[:18] + b"\x3e\0" + data[20:], "another machine (EM_X86_64)"),
        (lambda data: data[:16] + b"\3\0" + data[18:], "not a relocatable object (ET_DYN)"),
        (lambda data: data[:-1], "truncated"),
        (lambda data: data[:60] + b"\xff\xfe" + data[62:], "truncated"),
        (lambda data: data.replace(b"\x9f\xeb\1\0", b"\0\0\0\0", 1), "BTF: wrong magic number"),
    ],
)
def test_damaged_objects_say_why(damage: Any, message: str) -> None:
    with pytest.raises(Failure) as failure:
        read_object(damage(load("sample.bpfel.o")), "bad.o")
    (problem,) = failure.value.problems
    assert str(problem).startswith("bad.o: error: ")
    assert message in problem.message


def read_or_fail(data: bytes) -> None:
    try:
        info = read_object(data, "bad.o")
    except Failure as failure:
        assert len(failure.problems) == 1  # noqa: PT017  (both outcomes are right)
        return
    json.dumps(dataclasses.asdict(info))


@given(st.sampled_from(FILES), st.data())
def test_a_truncated_object_never_raises_anything_else(name: str, data: st.DataObject) -> None:
    whole = load(name)
    read_or_fail(whole[: data.draw(st.integers(0, len(whole)))])


NUMBERS = st.one_of(
    st.binary(min_size=1, max_size=8),
    st.sampled_from([b"\xff" * 4, b"\xff" * 8, bytes(8), b"\x7f" + b"\xff" * 7, b"\xff" * 7 + b"\x7f"]),
)


@given(st.sampled_from(FILES), st.lists(st.tuples(st.integers(0, 1 << 16), NUMBERS), min_size=1, max_size=8))
@example("sample.bpfel.o", [(5, b"\2")])
def test_a_mutated_object_never_raises_anything_else(name: str, changes: list[tuple[int, bytes]]) -> None:
    mutant = bytearray(load(name))
    for place, value in changes:
        at = place % len(mutant)
        mutant[at : at + len(value)] = value[: len(mutant) - at]
    read_or_fail(bytes(mutant))


def test_render() -> None:
    found = BpfObject(load("legacy.bpfel.o"))
    lines = render(object_info(found), read_details(found), "old.o").splitlines()
    assert lines[:5] == [
        "old.o",
        "  size     920 B, little endian",
        "  license  none",
        "  BTF      none",
        "  DWARF    none",
    ]
    assert lines[6].startswith("  note     its section maps declares maps as before BTF")
    assert lines[8:] == [
        "  PROGRAM  SECTION  TYPE           INSTRUCTIONS",
        "  keep     socket   socket_filter  9",
        "",
        "  MAP        TYPE   KEY  VALUE  ENTRIES  FLAGS",
        "  old_hash   hash   4 B  8 B    64       0x1",
        "  old_array  array  4 B  16 B   2        -",
        "",
        "  PROGRAM  NEEDS",
        "  keep     helpers: bpf_map_lookup_elem",
        "           maps: old_hash",
    ]


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (1 << 40, "1024.0 GiB")])
def test_human_size(size: int, text: str) -> None:
    assert human_size(size) == text


@pytest.fixture
def pins(tmp_path: Path) -> Iterator[Path]:
    """A BPF file system of the test's own: a fresh machine has none mounted."""
    folder = tmp_path / "pins"
    folder.mkdir()
    subprocess.run(["mount", "-t", "bpf", "bpf", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def bpftool(*arguments: str | Path) -> Any:
    command = ["bpftool", "-j", *map(str, arguments)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output) if output.strip() else None


@pytest.mark.real
@pytest.mark.parametrize("clang", ["clang-14", "clang-19"])
def test_the_kernel_sees_the_same(clang: str, tmp_path: Path, pins: Path) -> None:
    target = tmp_path / "sample.o"
    # Programs behind `?` aren't loaded by default, and bpftool then fails to pin them.
    flags = ["-O2", "-g", "-target", "bpfel", "-mcpu=v2", '-DTC="tc"', "-c"]
    subprocess.run([clang, *flags, str(OBJECTS / "sample.c"), "-o", str(target)], check=True)
    target.write_bytes(strip(target.read_bytes()))
    bpftool("prog", "loadall", target, pins / "programs", "pinmaps", pins / "maps")
    info = read_object(target.read_bytes(), "sample.o")

    loaded = [bpftool("prog", "show", "pinned", path) for path in sorted((pins / "programs").iterdir())]
    assert [(p["name"], p["type"]) for p in loaded] == sorted((p.name, p.type) for p in info.programs)

    created = [bpftool("map", "show", "pinned", path) for path in (pins / "maps").iterdir()]
    fields = ("type", "bytes_key", "bytes_value", "max_entries", "flags")
    found = {m["name"].replace("sample.", "."): tuple(m[f] for f in fields) for m in created}
    # The libbpf in bpftool 7.1 makes a map of static variables alone mappable; libbpf 1.8 does not.
    found[".rodata.hidden"] = (*found[".rodata.hidden"][:-1], found[".rodata.hidden"][-1] & ~MMAPABLE)
    assert found == {m.name: (m.type, m.key_size, m.value_size, m.max_entries, m.flags) for m in info.maps}

    names = {m["id"]: m["name"].replace("sample.", ".") for m in created}
    used = {p["name"]: {names[number] for number in p.get("map_ids", [])} for p in loaded}
    details = read_details(BpfObject(target.read_bytes()))
    sections = {variable.name: variable.section for variable in details.variables}
    constants = {name for name in names.values() if name.startswith(".rodata")}  # libbpf binds them to each program
    for each in details.needs:
        needed = {*each.maps, *(sections[name] for name in each.variables), *([".kconfig"] * bool(each.kconfig))}
        assert used[each.program] == needed | constants
    assert any(each.maps for each in details.needs)
