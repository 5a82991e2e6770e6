"""The Rust module: names, strings, text against golden files, and the real compiler."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpfgen.catalog import arches
from bpfgen.errors import Failure
from bpfgen.outputs import Tools, rust
from bpfgen.outputs.names import key

DATA = Path(__file__).parents[1] / "data"
GOLDEN, OBJECTS = DATA / "rust", DATA / "objects"
PLAN = {"rust": {"dir": "src/bpf"}}


def entry(program: str, target: str = "x86_bpfel", variant: str = "", **more: Any) -> dict[str, Any]:
    """An object of the manifest, as far as the module looks at it."""
    rest = f"{target}{f'@{variant}' if variant else ''}"
    known = {"license": "GPL", "programs": [], "maps": [], "sha256": "", "size": 4, "endian": "little"}
    identity = {"id": f"{program}/{rest}", "program": program, "target": target, "kernel": None, "variant": variant}
    return {**known, **identity, "arches": ["amd64", "386"], "path": "sample.o", **more}


PROGRAM = {"name": "count", "section": "xdp", "type": "xdp", "instructions": 2}
MAP = {"name": ".rodata", "type": "array", "key_size": 4, "value_size": 2**32 - 1, "max_entries": 0}
ODD = ("match", "self", "ünï cö'de\"`*$[é]?\\", "3", "@", "\u202e", "XDP", "xdp", "x.d.p", "x_d_p")


def odd_objects() -> list[dict[str, Any]]:
    """Objects with names that are none in Rust, and of each byte order."""
    twice = [{**MAP, "name": name} for name in (".rodata", "rodata", "RODATA", ".data.x")]
    little = [entry(ODD[0], programs=[PROGRAM], maps=twice), *map(entry, ODD[1:])]
    big = entry("xdp", "s390_bpfeb", endian="big", arches=["s390x"], path="big.o")
    return [*little, entry("xdp", variant="debug", size=9), big]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The module in the current folder, of true objects for every little-endian machine."""
    monkeypatch.chdir(tmp_path)
    data = (OBJECTS / "sample.bpfel.o").read_bytes()
    Path("sample.o").write_bytes(data)
    shutil.copy(OBJECTS / "sample.bpfeb.o", "big.o")
    every = [name for name, arch in arches().items() if arch.target == "bpfel"]
    facts = {"sha256": sha256(data).hexdigest(), "size": len(data)}
    objects = [o if o["endian"] == "big" else {**o, **facts, "arches": every} for o in odd_objects()]
    rust.write(PLAN, {"objects": objects})
    return tmp_path / "src/bpf/mod.rs"


def test_golden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, update: bool) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("sample.o", "big.o"):
        Path(name).write_text(f"bytes of {name}\n", encoding="utf-8")
    rust.write(PLAN, {"objects": odd_objects()})
    text = Path("src/bpf/mod.rs").read_text(encoding="utf-8")
    if update:
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / "mod.rs").write_text(text, encoding="utf-8")
    assert text == (GOLDEN / "mod.rs").read_text(encoding="utf-8")
    files = {str(path) for path in Path("src").rglob("*") if path.is_file()}
    plan = {**PLAN, "objects": odd_objects(), "manifest": "manifest.json"}
    (made,) = rust.made(plan, Tools("plan.json"))
    assert set(made.outputs) == files


@given(st.lists(st.text(st.sampled_from("aA1._é-@ü"), max_size=4), max_size=12))
def test_identifiers_never_clash(names: list[str]) -> None:
    pairs = rust.identifiers(names, str.upper)
    assert [name for name, _ in pairs] == list(dict.fromkeys(names))
    assert len({chosen for _, chosen in pairs}) == len(pairs)
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*|_[A-Z0-9_]+", chosen) for _, chosen in pairs)


def test_two_objects_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Failure, match='the Rust module would have two objects named "a@b"'):
        rust.write(PLAN, {"objects": [entry("a@b"), entry("a", variant="b")]})
    assert not Path("src").exists()


def test_refuses_files_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("src/bpf").mkdir(parents=True)
    Path("src/bpf/mod.rs").write_text("pub mod mine;\n")
    with pytest.raises(Failure, match=r"mod\.rs: error: was not made by bpfgen"):
        rust.write(PLAN, {"objects": [entry("a")]})
    assert Path("src/bpf/mod.rs").read_text() == "pub mod mine;\n"


MAIN = """
mod bpf;

fn main() {
    for object in bpf::OBJECTS {
        assert_eq!(object.bytes.as_ptr() as usize % 8, 0);
        assert_eq!(&object.bytes[..4], b"\\x7fELF");
        println!("{} {} {}", object.bytes.len(), object.maps.len(), object.name);
    }
    let found = bpf::find("match").unwrap();
    assert_eq!(found.programs[0].name, bpf::match_::programs::COUNT);
    assert!(bpf::find("nosuch").is_none());
    assert_eq!(bpf::match_::LICENSE, "GPL");
    assert_eq!(bpf::match_::SIZE, bpf::match_::OBJECT.bytes.len());
    println!("{} {}", bpf::match_::maps::RODATA, bpf::match_::maps::RODATA_2);
}
"""


def run(*words: str) -> str:
    """A command's output; it must not complain."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def lines_of(objects: Sequence[dict[str, Any]], size: int) -> list[str]:
    """What `MAIN` prints of them."""
    return [f"{size} {len(o['maps'])} {key(o)}" for o in sorted(objects, key=key)]


@pytest.mark.real
@pytest.mark.skipif(sys.byteorder != "little", reason="the objects are for little-endian machines")
def test_a_program_reads_the_bytes(module: Path) -> None:
    """Without a warning of rustc's, also where no item is used."""
    Path("src/main.rs").write_text(MAIN, encoding="utf-8")
    assert run("rustc", "-D", "warnings", "--edition", "2021", "src/main.rs", "-o", "main") == ""
    little = [o for o in odd_objects() if o["endian"] == "little"]
    *lines, names = run("./main").splitlines()
    assert lines == lines_of(little, Path("sample.o").stat().st_size)
    assert names == ".rodata rodata"
    assert run("rustfmt", "--check", str(module)) == ""
    Path("unused.rs").write_text('#![no_std]\n#[path = "src/bpf/mod.rs"]\nmod bpf;\n', encoding="utf-8")
    flags = ("--crate-type", "lib", "--emit", "metadata", "--edition", "2018")
    assert run("rustc", "-D", "warnings", *flags, "unused.rs") == ""


# https://doc.rust-lang.org/rustc/platform-support.html
TARGETS = {
    "amd64": "x86_64-unknown-linux-gnu",
    "386": "i686-unknown-linux-gnu",
    "arm64": "aarch64-unknown-linux-gnu",
    "arm": "armv7-unknown-linux-gnueabihf",
    "riscv64": "riscv64gc-unknown-linux-gnu",
    "ppc64le": "powerpc64le-unknown-linux-gnu",
    "ppc64": "powerpc64-unknown-linux-gnu",
    "s390x": "s390x-unknown-linux-gnu",
    "loong64": "loongarch64-unknown-linux-gnu",
    "mips": "mips-unknown-linux-gnu",
    "mipsle": "mipsel-unknown-linux-gnu",
    "mips64le": "mips64el-unknown-linux-gnuabi64",
    "mips64": "mips64-unknown-linux-gnuabi64",
}


@pytest.mark.real
def test_architectures_are_those_of_rustc() -> None:
    """What it says of a target is what our objects are for. LoongArch came with Rust 1.71, after Debian 12's."""
    known = run("rustc", "--print", "target-list").split()
    assert set(TARGETS) == set(arches())
    for name, target in TARGETS.items():
        if target not in known and name == "loong64":
            continue
        said = run("rustc", "--print", "cfg", "--target", target).splitlines()
        assert f'target_arch="{arches()[name].rust}"' in said
        assert f'target_endian="{"big" if arches()[name].target == "bpfeb" else "little"}"' in said
