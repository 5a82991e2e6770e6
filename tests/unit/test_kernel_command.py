"""`bpfgen kernel`: what it prints, writes and refuses."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest
from test_extract import BTF, FORMS

from bpfgen import cli
from bpfgen.kernels.profile import Profile, read, render
from bpfgen.kernels.unusable import Unusable

TOML = '# mine\r\n[project]\r\nname = "x"\r\n[program.a]\r\nsource = "a.c"\r\n'
DIGITS = hashlib.sha256(BTF).hexdigest()[:12]
BOTH = hashlib.sha256(2 * hashlib.sha256(BTF).hexdigest().encode()).hexdigest()[:12]
BPFTOOL = """#!/bin/sh
case "$*" in
  "-j version") echo '{"version":"7.5.0","libbpf_version":"1.5"}' ;;
  "-j feature probe kernel") echo '{"helpers":{"xdp_available_helpers":["bpf_loop"]}}' ;;
  *) exit 9 ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without a kernel, and kernels beside it."""
    (tmp_path / "build.toml").write_bytes(TOML.encode())
    for name in ("amd64", "arm64"):
        (tmp_path / f"linux-{name}.deb").write_bytes(FORMS["deb"])
    (tmp_path / "text").write_text("no kernel")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_add_one_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["kernel", "add", "k", "linux-amd64.deb"]) == 0
    name = f"btf/k-{DIGITS}.btf"
    assert (project / name).read_bytes() == BTF
    entry = f'\r\n[kernel.k]\r\nbtf = "{name}"\r\n'
    assert (project / "build.toml").read_bytes().decode() == TOML + entry
    said = f"bpfgen: wrote {name}, {len(BTF):,} bytes\nbpfgen: wrote build.toml: [kernel.k]\n"
    assert capsys.readouterr().out == said


def test_add_with_what_boots(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file that was given, as the project sees it; one that has types alone is refused."""
    (project / "build.toml").write_bytes(TOML.encode() + b'[targets]\r\narches = ["amd64"]\r\n')
    assert cli.run(["-q", "kernel", "add", "k", "linux-amd64.deb", "--image"]) == 0
    assert 'image = "linux-amd64.deb"' in (project / "build.toml").read_text()
    assert cli.run(["-q", "kernel", "add", "own", f"btf/k-{DIGITS}.btf", "--image"]) == 3
    assert "has a kernel's types, and no kernel to boot" in capsys.readouterr().err


def test_add_for_each_architecture(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files share a hash, since their names share what is written in build.toml."""
    words = ["kernel", "add", "lts510", "linux-{arch}.deb", "--upstream", "5.10", "--to", "kernels"]
    assert cli.run([*words, "-n"]) == 0
    assert not (project / "kernels").exists()
    assert cli.run(["-q", *words]) == 0
    assert sorted(path.name for path in (project / "kernels").iterdir()) == [
        f"lts510-{arch}-{BOTH}.btf" for arch in ("amd64", "arm64")
    ]
    capsys.readouterr()
    assert cli.run(["kernel", "list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["upstream"], row["btf"]) == ("lts510", "5.10", f"kernels/lts510-{{arch}}-{BOTH}.btf")
    assert (row["missing"], list(row["files"])) == ([], ["amd64", "arm64"])
    (project / "kernels" / f"lts510-arm64-{BOTH}.btf").unlink()
    assert cli.run(["kernel", "list"]) == 0
    assert capsys.readouterr().out == (
        f"lts510\n  upstream 5.10\n  types of {row['btf']}\n  MISSING kernels/lts510-arm64-{BOTH}.btf\n"
    )


def test_a_header_and_a_profile_are_taken_too(project: Path) -> None:
    (project / "own.h").write_bytes(b"struct a;\n")
    assert cli.run(["-q", "kernel", "add", "k", "own.h"]) == 0
    assert [path.suffix for path in (project / "btf").iterdir()] == [".h"]
    (project / "elsewhere").mkdir()
    (project / "elsewhere/p.btf").write_bytes(BTF)
    facts = {"file": "p.btf", "sha256": hashlib.sha256(BTF).hexdigest()}
    profile = Profile({"release": "5.14"}, {"bpftool": "7.5"}, {}, facts)
    (project / "elsewhere/p.json").write_text(render(profile))
    assert cli.run(["-q", "kernel", "add", "p", "elsewhere/p.json"]) == 0
    names = sorted(path.name for path in (project / "btf").iterdir() if path.name.startswith("p-"))
    assert sorted(name.partition(".")[2] for name in names) == ["btf", "json"]
    kept = read(next((project / "btf").glob("p-*.json")).read_bytes())
    assert kept.btf == {"file": f"p-{DIGITS}.btf", "sha256": facts["sha256"]}
    text = (project / "build.toml").read_text()
    assert 'profile = "btf/p-' in text
    assert f'btf = "btf/p-{DIGITS}.btf"' in text
    (project / "elsewhere/p.btf").write_bytes(FORMS["raw"][:-1] + b"x")
    assert cli.run(["-q", "kernel", "add", "q", "elsewhere/p.json"]) == 3


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("text", "text: error: is no kernel, and has no BTF\n"),
        ("gone", "gone: error: there is no such file\n"),
        ("gone-{arch}", "gone-amd64: error: there is no such file\n"),
        ("build.toml", "build.toml: error: is no kernel"),
    ],
)
def test_add_refuses(path: str, said: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And changes nothing."""
    assert cli.run(["kernel", "add", "k", path]) == 3
    assert capsys.readouterr().err.startswith(said)
    assert (project / "build.toml").read_bytes().decode() == TOML
    assert not (project / "btf").exists()


def test_a_wrong_version_or_name(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["kernel", "add", "k", "linux-amd64.deb", "--upstream", "5.10-lts"]) == 3
    assert 'must be a kernel version such as "5.10"' in capsys.readouterr().err
    assert cli.run(["kernel", "add", "a/b", "linux-amd64.deb"]) == 3
    assert (project / "build.toml").read_bytes().decode() == TOML
    assert not (project / "btf").exists()


def test_types_that_are_shipped_are_listed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the kernels that they are for, also where the file's name says it."""
    tables = ('[kernel.a]\nbtf = "{arch}/5.4.0-1009-aws.btf"\n', '[kernel.b]\nbtf = "{arch}.btf"\nrelease = "4.18.*"\n')
    with (project / "build.toml").open("a") as file:
        file.write("".join(f"{table}min_btf = true\n" for table in tables))
    assert cli.run(["kernel", "list", "--json"]) == 0
    assert [row["min_btf"] for row in json.loads(capsys.readouterr().out)] == [["5.4.0-1009-aws"], ["4.18.*"]]
    assert cli.run(["kernel", "list"]) == 0
    assert "  types shipped for 4.18.*\n" in capsys.readouterr().out


def test_nothing_to_list(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["kernel", "list"]) == 0
    assert capsys.readouterr().out == "bpfgen: there is no kernel target; bpfgen kernel add makes one\n"


def test_capture(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What bpftool says is written down, with its version."""
    (project / "bpftool").write_text(BPFTOOL)
    (project / "bpftool").chmod(0o755)
    assert cli.run(["kernel", "capture", "here.json", "--bpftool", "./bpftool"]) == 0
    profile = read((project / "here.json").read_bytes())
    assert profile.features == {"helpers": {"xdp_available_helpers": ["bpf_loop"]}}
    assert (profile.tools["bpftool"], profile.tools["libbpf"]) == ("7.5.0", "1.5")
    assert "bpfgen: wrote here.json of Linux " in capsys.readouterr().out
    if sys.platform == "linux" and Path("/sys/kernel/btf/vmlinux").exists():
        assert profile.btf is not None
        assert profile.btf["sha256"] == hashlib.sha256((project / "here.btf").read_bytes()).hexdigest()


def test_capture_without_a_tool(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["kernel", "capture", "here.json", "--bpftool", "no-such-tool"]) == 1
    assert capsys.readouterr().err.startswith("bpfgen: error: no bpftool was found")
    (project / "bpftool").write_text("#!/bin/sh\necho 'Error: not today' >&2\nexit 1\n")
    (project / "bpftool").chmod(0o755)
    assert cli.run(["kernel", "capture", "here.json", "--bpftool", "./bpftool"]) == 1
    said = "./bpftool: error: doesn't answer  -j feature probe kernel: not today\n"
    assert capsys.readouterr().err.startswith(said)
    assert not (project / "here.json").exists()


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"format": 2}', b'{"format":1,"kernel":1,"tools":{},"features":{}}']
)
def test_what_is_no_profile(data: bytes) -> None:
    with pytest.raises(Unusable):
        read(data)
