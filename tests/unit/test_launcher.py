"""`launcher`, `buildid`: what launchers are told of a project and of a compiler."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from typing import Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpfgen.buildid import fingerprint
from bpfgen.cachelog import Counts, of_counters, of_log
from bpfgen.cc.lean import hidden, without_dwarf
from bpfgen.config.report import Report
from bpfgen.config.source import read_document
from bpfgen.errors import Failure
from bpfgen.launcher import LAUNCHERS, Launcher, Use, _script, _setup, prefix_maps, refuse_elsewhere, unset

LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/")
FOLDERS = st.text(LETTERS, min_size=1, max_size=8).filter(lambda name: name not in {".", ".."})


def use(remote: Optional[str] = None, configured: frozenset[str] = frozenset(), root: str = "/p") -> Use:
    """A project, mostly in `/p`."""
    return Use(root, remote, "clang 1 abc", f"{root}/out/log", configured)


def test_ccache_leaves_alone_what_its_files_set() -> None:
    whole = dict(LAUNCHERS["ccache"](use("redis://x")))
    assert len(whole) == 7
    names = {"base_dir", "hash_dir", "depend_mode", "compiler_check", "stats_log", "remote_storage"}
    for name, left in (("hash_dir", 6), ("remote_storage", 5), ("secondary_storage", 5)):
        assert len(LAUNCHERS["ccache"](use("redis://x", frozenset([name])))) == left
    assert LAUNCHERS["ccache"](use("redis://x", frozenset(names))) == ()


def test_only_ccache_goes_with_a_builder() -> None:
    report = Report(read_document("build.toml", b'[cache]\nlauncher = "sccache"\n'))
    refuse_elsewhere(Launcher("none"), "docker", report)
    refuse_elsewhere(Launcher("ccache", words=("/usr/bin/ccache",), outside=True), "docker", report)
    report.fail_if_any()
    refuse_elsewhere(Launcher("sccache", words=("/usr/bin/sccache",)), "docker", report)
    with pytest.raises(Failure, match=r"^build.toml:2:12: error: sccache can't run a compiler that is elsewhere"):
        report.fail_if_any()


def test_ccache_replaces_no_dollar() -> None:
    found = dict(LAUNCHERS["ccache"](use(root="/a $b")))
    assert found["CCACHE_BASEDIR"] == "/a ${BPFGEN_DOLLAR}b"
    assert found["BPFGEN_DOLLAR"] == "$"


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        (None, {}),
        ("redis://x:1", {"SCCACHE_REDIS": "redis://x:1"}),
        ("https://x/y", {"SCCACHE_WEBDAV_ENDPOINT": "https://x/y"}),
        ("s3://bucket", {"SCCACHE_BUCKET": "bucket"}),
        ("s3://bucket/a/b/", {"SCCACHE_BUCKET": "bucket", "SCCACHE_S3_KEY_PREFIX": "a/b"}),
    ],
)
def test_sccache(remote: Optional[str], expected: dict[str, str]) -> None:
    assert dict(LAUNCHERS["sccache"](use(remote))) == expected


def test_variables_of_the_user_count_more() -> None:
    pairs = (("A OLD_A", "1"), ("OLD_A A", "1"), ("B NOB", "2"))
    assert unset(pairs, {}) == {"A": "1", "OLD_A": "1", "B": "2"}
    assert unset(pairs, {"OLD_A": ""}) == {"B": "2"}
    environs: list[dict[str, str]] = [{}, {"OLD_A": ""}, {"NOB": "x"}]
    for environ in environs:
        script = _setup(pairs, ("env",))
        done = subprocess.run(["/bin/sh", "-c", script], env=environ, capture_output=True, text=True, check=True)
        lines = [line.partition("=")[::2] for line in done.stdout.splitlines()]
        found = {name: value for name, value in lines if name not in {"PWD", "SHLVL", "_", "OLDPWD"}}
        assert found == {**environ, **unset(pairs, environ)}
    assert unset(pairs, {"NOB": "1"}) == {"A": "1", "OLD_A": "1"}


def test_there_are_as_many_maps_for_every_folder() -> None:
    assert prefix_maps("/p", (("/a=b", "x"),)) == ("-ffile-prefix-map=/p=.", "-ffile-prefix-map=.=.")


@given(FOLDERS, FOLDERS)
@settings(max_examples=20)
def test_a_script_is_the_same_in_every_checkout(one: str, two: str) -> None:
    """And its words come through a real shell, whose own folder stands for the project's."""
    scripts = []
    for root in (f"/x/{one}", f"/x/{two}"):
        words = (f"{root}/venv's/$zig", f"-f={root}=.", root, "/else where", "")
        script = _script(("printf", "[%s]", *words), "clang 1", root, ())
        scripts.append(script)
        run = ["sh", "-c", script.replace("$PWD", "$ROOT"), "sh", "a b"]
        done = subprocess.run(run, env={"ROOT": root}, capture_output=True, check=True)
        assert done.stdout == "".join(f"[{word}]" for word in (*words, "a b")).encode()
    assert scripts[0] == scripts[1]


@pytest.mark.parametrize("target", ["bpfel", "bpfeb"])
def test_a_script_knows_what_leaves_dwarf_out(target: str) -> None:
    script = _script(("printf", "[%s]"), "clang 1", "/p", (), lean=True)
    run = ["sh", "-c", script, "sh", "-c", hidden(target), "a b"]
    done = subprocess.run(run, capture_output=True, check=True)
    assert done.stdout == "".join(f"[{word}]" for word in (*run[4:], *without_dwarf(target))).encode()


def test_other_folders_stay_as_they_are() -> None:
    assert "PWD" not in _script(("/y/p", "/pq"), "clang 1", "/p", ())


def elf(build_id: bytes, rest: bytes = b"") -> bytes:
    """A little ELF file with a note."""
    note = struct.pack("<III", 4, len(build_id), 3) + b"GNU\0" + build_id
    head = b"\x7fELF\x02\x01" + bytes(26) + struct.pack("<Q", 64) + bytes(14) + struct.pack("<HH", 56, 1) + bytes(6)
    assert len(head) == 64
    return head + struct.pack("<IIQQQQQQ", 4, 4, 120, 0, 0, len(note), len(note), 4) + note + rest


def test_fingerprint(tmp_path: Path) -> None:
    def of(*contents: bytes) -> str:
        paths = [tmp_path / str(number) for number in range(len(contents))]
        for path, content in zip(paths, contents):
            path.write_bytes(content)
        return fingerprint(map(str, paths))

    assert of(elf(b"a" * 20)) == of(elf(b"a" * 20, b"stripped or not"))
    assert of(elf(b"a" * 20)) != of(elf(b"b" * 20))
    assert of(b"#!/bin/sh\n" + bytes(100_000)) != of(b"#!/bin/sh\n" + bytes(100_001))
    assert len({of(b"x", elf(b"a")), of(b"x", elf(b"b")), of(b"y", elf(b"b")), of(b"x")}) == 4


@given(st.binary(max_size=300))
def test_fingerprint_of_anything(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "program"
    for content in (data, b"\x7fELF\x02\x01" + data, elf(b"a")[:200] + data, elf(b"a" * 20)[: len(data)]):
        path.write_bytes(content)
        assert len(fingerprint([str(path)])) == 32


def test_counts(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("# cache_miss.c\ncache_miss\n# a.c\ndirect_cache_hit\nremote_storage_hit\n")
    assert of_log(str(tmp_path / "log")) == Counts(1, 1, 1)
    assert of_log(str(tmp_path / "none")) is None
    old = of_counters({"preprocessed_cache_hit": 2, "secondary_storage_hit": 1})
    assert (old, old.percent, old.data["rate"]) == (Counts(2, 0, 1), "100 %", 1.0)
    assert (Counts(0, 0).percent, Counts(0, 0).rate) == ("-", None)
