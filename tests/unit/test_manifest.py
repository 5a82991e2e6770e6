"""`manifest.json`, and the rim that Ninja's edges call."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bpfgen.errors import EXIT_FAILED, EXIT_INPUT, EXIT_OK, EXIT_USAGE, Failure
from bpfgen.outputs import manifest

ROOT = Path(__file__).parents[2]
OBJECTS = ROOT / "tests/data/objects"


def entry(path: str) -> dict[str, Any]:
    """A plan's object."""
    return {"id": f"{path}/bpfel", "program": path, "target": "bpfel", "flags": ["-mcpu=v2"], "path": path}


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    for name in ("sample", "legacy"):
        shutil.copy(OBJECTS / f"{name}.bpfel.o", f"{name}.o")
    toolchain = {"clang": "clang version 19.1.7", "kind": "system", "version": "19.1.7"}
    objects = [entry("sample.o"), entry("legacy.o")]
    return {"bpfgen": "1.0", "project": "test", "toolchain": toolchain, "objects": objects, "go": None}


def written() -> Any:
    return json.loads(Path("manifest.json").read_text(encoding="utf-8"))


def step(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs a step as Ninja does, in the current folder."""
    command = [sys.executable, "-m", "bpfgen.steps", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_what_it_says_of_an_object(plan: dict[str, Any]) -> None:
    manifest.write(plan, "manifest.json")
    result = written()
    assert result["toolchain"] == plan["toolchain"]
    sample, legacy = result["objects"]
    assert sample["sha256"] == hashlib.sha256(Path("sample.o").read_bytes()).hexdigest()
    assert sample["size"] == Path("sample.o").stat().st_size
    assert sample["flags"] == ["-mcpu=v2"]
    assert (sample["has_btf"], legacy["has_btf"]) == (True, False)
    assert sample["programs"][-1] == {
        "name": "on_unlink",
        "section": "kprobe/do_unlinkat",
        "type": "kprobe",
        "instructions": 2,
        "attach_type": "",
        "attach_to": "do_unlinkat",
        "sleepable": False,
        "autoload": True,
    }
    assert [m["name"] for m in legacy["maps"]] == ["old_hash", "old_array"]


def test_a_second_run_changes_no_byte_and_touches_nothing(plan: dict[str, Any]) -> None:
    manifest.write(plan, "manifest.json")
    before, inode = Path("manifest.json").read_bytes(), Path("manifest.json").stat().st_ino
    manifest.write(plan, "manifest.json")
    assert Path("manifest.json").stat().st_ino == inode
    # Half from the old manifest, half read anew: the same bytes again.
    other = Path("legacy.o").read_bytes()
    shutil.copy("sample.o", "legacy.o")
    manifest.write(plan, "manifest.json")
    Path("legacy.o").write_bytes(other)
    manifest.write(plan, "manifest.json")
    assert Path("manifest.json").read_bytes() == before


def mark(change: dict[str, Any]) -> None:
    """Leaves a trace in the old manifest that only a reused entry carries on."""
    manifest_ = {**written(), **change}
    for each in manifest_["objects"]:
        each["license"] = "reused"
    Path("manifest.json").write_text(json.dumps(manifest_), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "licenses"),
    [({}, ["reused", ""]), ({"bpfgen": "0.9"}, ["Dual MIT/GPL", ""]), ({"reader": "other"}, ["Dual MIT/GPL", ""])],
)
def test_only_the_same_reader_spares_reading_an_unchanged_object(
    plan: dict[str, Any], change: dict[str, Any], licenses: list[str]
) -> None:
    manifest.write(plan, "manifest.json")
    mark(change)
    Path("legacy.o").write_bytes((OBJECTS / "legacy.bpfel.o").read_bytes() + b"\0")
    manifest.write(plan, "manifest.json")
    assert [o["license"] for o in written()["objects"]] == licenses


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"objects": 1}', "\x00", "\ud800"])
def test_a_damaged_old_manifest_is_forgotten(plan: dict[str, Any], damage: str) -> None:
    manifest.write(plan, "manifest.json")
    before = Path("manifest.json").read_bytes()
    Path("manifest.json").write_bytes(damage.encode(errors="surrogatepass"))
    manifest.write(plan, "manifest.json")
    assert Path("manifest.json").read_bytes() == before


def test_an_old_manifest_that_lacks_a_fact_is_forgotten(plan: dict[str, Any]) -> None:
    manifest.write(plan, "manifest.json")
    before = Path("manifest.json").read_bytes()
    Path("manifest.json").write_text(before.decode().replace('"has_btf"', '"had_btf"'), encoding="utf-8")
    manifest.write(plan, "manifest.json")
    assert Path("manifest.json").read_bytes() == before


def test_every_bad_object_is_named_in_one_run(plan: dict[str, Any]) -> None:
    Path("bad.o").write_bytes(b"int main(void)")
    Path("short.o").write_bytes(Path("sample.o").read_bytes()[:-1])
    plan["objects"] += [entry("bad.o"), entry("short.o")]
    with pytest.raises(Failure) as failure:
        manifest.write(plan, "manifest.json")
    assert [str(p.where) for p in failure.value.problems] == ["bad.o", "short.o"]
    assert not Path("manifest.json").exists()


def test_the_step(plan: dict[str, Any]) -> None:
    Path("plan.json").write_text(json.dumps(plan), encoding="utf-8")
    done = step("manifest", "plan.json", "out/manifest.json")
    assert (done.returncode, done.stdout, done.stderr) == (EXIT_OK, "", "")
    assert len(json.loads(Path("out/manifest.json").read_text(encoding="utf-8"))["objects"]) == 2
    assert os.listdir("out") == ["manifest.json"]


def test_a_bad_object_gives_one_error_and_its_exit_code(plan: dict[str, Any]) -> None:
    Path("sample.o").write_bytes(b"")
    Path("plan.json").write_text(json.dumps(plan), encoding="utf-8")
    done = step("manifest", "plan.json", "manifest.json")
    assert done.returncode == EXIT_INPUT
    first, hint = done.stderr.splitlines()
    assert first.startswith("sample.o: error: ")
    assert hint.startswith("  hint: ")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"objects": []}', "[" * 100_000])
def test_a_damaged_plan_gives_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plan.json").write_text(text, encoding="utf-8")
    done = step("manifest", "plan.json", "manifest.json")
    assert done.returncode == EXIT_INPUT
    assert done.stderr.splitlines()[0] == "plan.json: error: this file is damaged"


def test_a_missing_object_gives_one_line(plan: dict[str, Any]) -> None:
    Path("sample.o").unlink()
    Path("plan.json").write_text(json.dumps(plan), encoding="utf-8")
    done = step("manifest", "plan.json", "manifest.json")
    assert (done.returncode, done.stderr) == (EXIT_FAILED, "bpfgen: error: sample.o: No such file or directory\n")


def test_a_full_disk_gives_one_line(plan: dict[str, Any]) -> None:
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); {IGNORE}; {MAIN}"
    Path("plan.json").write_text(json.dumps(plan), encoding="utf-8")
    command = [sys.executable, "-c", limit, "manifest", "plan.json", "out/manifest.json"]
    # Coverage, which starts with the process, would write its data under the limit.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environment = {**plain, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (EXIT_FAILED, "bpfgen: error: out/manifest.json: File too large\n")
    assert os.listdir("out") == []


# A write beyond the limit raises a signal first, and fails only where that is ignored (setrlimit(2)).
IGNORE = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)"
MAIN = "import sys; from bpfgen.steps import main; sys.exit(main())"


@pytest.mark.parametrize("words", [(), ("manifest",), ("frobnicate", "a", "b")])
def test_a_wrong_step(words: tuple[str, ...]) -> None:
    done = step(*words)
    assert done.returncode == EXIT_USAGE
    assert done.stderr.splitlines() == ["bpfgen: error: steps are called by Ninja; run bpfgen && ninja"]


def test_a_ready_header_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("types.h").write_bytes(b"struct a { int b; };\n")
    assert step("vmlinux", "build.toml", "k", "", "types.h", "out/vmlinux.h", "").returncode == EXIT_OK
    assert Path("out/vmlinux.h").read_bytes() == b"struct a { int b; };\n"


@pytest.mark.real
@pytest.mark.parametrize("bpftool", ["", "bpftool"])
def test_vmlinux_of_the_running_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bpftool: str) -> None:
    """By both makers; what the second step reads is what the first one wrote."""
    monkeypatch.chdir(tmp_path)
    done = step("types", "build.toml", "k", "/sys/kernel/btf/vmlinux", "out/vmlinux.btf")
    assert (done.returncode, done.stderr) == (EXIT_OK, "")
    assert Path("out/vmlinux.btf").read_bytes() == Path("/sys/kernel/btf/vmlinux").read_bytes()
    done = step("vmlinux", "build.toml", "k", bpftool, "out/vmlinux.btf", "vmlinux.h", "")
    assert (done.returncode, done.stderr) == (EXIT_OK, "")
    text = Path("vmlinux.h").read_text(encoding="utf-8")
    assert "struct task_struct {" in text
    assert text.startswith("#define BPF_NO_KFUNC_PROTOTYPES\n") == bool(bpftool)


TOML = '[project]\nname = "x"\n[kernel.k]\nbtf = "kernel"\n'


def test_problems_of_a_kernel_stand_in_build_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its `btf` is when the step fails; at the file where the entry has gone."""
    monkeypatch.chdir(tmp_path)
    Path("kernel").write_bytes(b"no BTF at all, but some text")
    Path("build.toml").write_text(TOML)
    message = '"kernel" is no kernel, and has no BTF'
    done = step("types", "build.toml", "k", "kernel", "out/vmlinux.btf")
    assert (done.returncode, done.stderr.splitlines()[0]) == (EXIT_INPUT, f"build.toml:4:7: error: {message}")
    Path("build.toml").write_text("# gone\n\x00")
    done = step("types", "build.toml", "k", "kernel", "out/vmlinux.btf")
    assert (done.returncode, done.stderr.splitlines()[0]) == (EXIT_INPUT, f"kernel: error: {message}")
    assert not Path("out").exists()
    done = step("vmlinux", "build.toml", "k", "", "kernel", "vmlinux.h", "")
    assert done.stderr.startswith('kernel: error: "kernel" can\'t be written as C: BTF: wrong magic number')


@pytest.mark.real
@pytest.mark.parametrize("name", ["text.btf", "missing.btf"])
def test_bpftools_refusal_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.btf").write_bytes(b"no BTF at all, but some text")
    Path("build.toml").write_text(TOML)
    done = step("vmlinux", "build.toml", "k", "bpftool", name, "vmlinux.h", "")
    assert done.returncode == EXIT_INPUT
    first, hint = done.stderr.splitlines()
    assert first.startswith(f'build.toml:4:7: error: "{name}" can\'t be made a vmlinux.h by bpftool: ')
    assert hint == '  hint: write  bpftool = "none"  below [toolchain]: then bpfgen makes it'
    assert not Path("vmlinux.h").exists()
