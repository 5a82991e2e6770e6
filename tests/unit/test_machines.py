"""`bpfgen init --docker`, `--vagrant` and `--lima`: what they write, and where they write nothing."""

from __future__ import annotations

import dataclasses
import itertools
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from bpfgen import cli
from bpfgen.config.decode import decode
from bpfgen.config.report import Report
from bpfgen.config.schemabuilder import Builder
from bpfgen.config.source import read_document
from bpfgen.errors import EXIT_INPUT, EXIT_USAGE
from bpfgen.machines import BASES, BUILDER, DEFAULT_ARCHES, FILES, packages, render

GOLDEN = Path(__file__).parents[1] / "data/machines"
CASES = [("docker", "debian"), ("docker", "ubuntu"), ("vagrant", "debian"), ("lima", "debian")]
MINE = '[project]\nname = "mine"\n[targets]\narches = ["s390x"]\n[program.one]\nsource = "one.c"\narches = ["arm"]\n'
every = pytest.mark.parametrize("kind", FILES)


@pytest.mark.parametrize(("kind", "base"), CASES, ids=["-".join(case) for case in CASES])
def test_golden(kind: str, base: str, update: bool) -> None:
    """To the letter; `--update` remakes them."""
    path = GOLDEN / f"{Path(FILES[kind]).name}.{base}"
    text = render(kind, base, DEFAULT_ARCHES, "/home of/the project")
    if update:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["docker", "vagrant", "lima"])
def test_one_list_of_packages(kind: str) -> None:
    """All three install the same, with the headers of whatever the project is built for."""
    text = render(kind, "debian", ("amd64", "ppc64le", "mips"), "/p").replace("${CLANG}", "19")
    words = text.split("--no-install-recommends")[1].replace("\\", "").split()
    installed = list(itertools.takewhile(lambda word: word not in {"&&", "SHELL"}, words))
    assert installed == packages("debian", ("amd64", "ppc64le", "mips"))
    assert "linux-libc-dev-ppc64el-cross" in text


def test_the_base_is_the_dockerfile_s() -> None:
    """The other machines are Debian, whatever it is."""
    for kind in ("vagrant", "lima"):
        assert render(kind, "ubuntu", DEFAULT_ARCHES, "/p") == render(kind, "debian", DEFAULT_ARCHES, "/p")


@every
def test_nothing_asks_for_the_kernel_that_runs(kind: str) -> None:
    """A container's, and a machine's, are others than that of programs."""
    assert not [base for base in BASES if re.search(r"uname|headers-\$", render(kind, base, DEFAULT_ARCHES, "/p"))]


@every
def test_in_a_project(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It adds its file alone, made for the project's architectures; and never writes over one, but with --force."""
    (tmp_path / "build.toml").write_text(MINE)
    assert cli.run(["init", str(tmp_path), f"--{kind}"]) == 0
    path = tmp_path / FILES[kind]
    assert {file for file in tmp_path.rglob("*") if file.is_file()} == {tmp_path / "build.toml", path}
    assert {"linux-libc-dev-s390x-cross", "linux-libc-dev-armhf-cross"} < set(path.read_text().split())
    path.write_text("mine")
    capsys.readouterr()
    assert cli.run(["init", str(tmp_path), f"--{kind}"]) == EXIT_USAGE
    assert capsys.readouterr().err == f"{path}: error: the file is there already\n  hint: --force overwrites it\n"
    assert path.read_text() == "mine"
    assert cli.run(["init", str(tmp_path), f"--{kind}", "--force"]) == 0
    assert path.read_text() != "mine"
    assert (tmp_path / "build.toml").read_text() == MINE


def test_in_a_new_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of it at once; the project is sound."""
    assert cli.run(["init", str(tmp_path), "--docker", "--vagrant", "--lima", "--go"]) == 0
    assert [kind for kind, file in FILES.items() if not (tmp_path / file).is_file()] == []
    assert cli.run(["matrix", "-C", str(tmp_path), "--format", "ids"]) == 0
    assert capsys.readouterr().out.endswith("xdp_count/bpfel\n")


def test_a_broken_project_has_a_dockerfile_too(tmp_path: Path) -> None:
    (tmp_path / "build.toml").write_text("[project")
    assert cli.run(["init", str(tmp_path), "--docker"]) == 0
    assert (tmp_path / "bpf/Dockerfile").is_file()


def test_the_lines_for_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are printed, and are right wherever this bpfgen builds in docker."""
    (tmp_path / "build.toml").write_text(MINE)
    cli.run(["init", str(tmp_path), "--docker"])
    assert BUILDER in capsys.readouterr().out
    document = read_document("build.toml", (MINE + BUILDER).encode())
    report = Report(document)
    decode(document.values, report)
    assert (len(report) == 0) is any(field.name == "docker" for field in dataclasses.fields(Builder))


def test_lima_is_yaml() -> None:
    """Whatever the project's folder is called; one image for each kind of host."""
    root = "/a: #b/'c'/\"d\"/é"
    value = yaml.safe_load(render("lima", "debian", DEFAULT_ARCHES, root))
    assert value["mounts"] == [{"location": root, "writable": True}]
    assert [image["arch"] for image in value["images"]] == ["x86_64", "aarch64"]
    script = value["provision"][0]["script"]
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    assert script.split("--no-install-recommends")[1].replace("\\", "").split() == packages("debian", DEFAULT_ARCHES)


def test_lima_names_no_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A project below it is named by `~`, which is everybody's own."""
    monkeypatch.setenv("HOME", "/home/me")
    assert 'location: "~/p"' in render("lima", "debian", DEFAULT_ARCHES, "/home/me/p")
    assert 'location: "/home/mel/p"' in render("lima", "debian", DEFAULT_ARCHES, "/home/mel/p")


def test_lima_refuses_a_folder_that_it_cannot_name(tmp_path: Path) -> None:
    folder = tmp_path / "a\x7fb" / "p"
    folder.mkdir(parents=True)
    assert cli.run(["init", str(folder), "--lima"]) == EXIT_INPUT
    assert not list(folder.iterdir())


@pytest.mark.real
def test_vagrantfile_is_ruby() -> None:
    ruby = shutil.which("ruby")
    if ruby is None:
        pytest.skip("there is no ruby")
    subprocess.run([ruby, "-c"], input=render("vagrant", "debian", DEFAULT_ARCHES, "/p"), text=True, check=True)


# What a Vagrantfile is to Vagrant, as far as ours goes: settings by name, in the order of their calls.
VAGRANT = """
class Settings
  def method_missing(name, *words, **options, &block)
    puts [name, *words, *options].join(" ") unless block || words.empty?
    block&.call(*Array.new([block.arity, 1].max) { Settings.new })
    self
  end
  def respond_to_missing?(*) = true
end
module Vagrant
  def self.configure(version) = yield(Settings.new)
end
"""


@pytest.mark.real
def test_vagrantfile_sets_what_it_says() -> None:
    """Run by Ruby, with an object that notes what is set: the box, the folder, and a script that a shell can read."""
    ruby = shutil.which("ruby")
    if ruby is None:
        pytest.skip("there is no ruby")
    text = VAGRANT + render("vagrant", "debian", DEFAULT_ARCHES, "/p")
    said = subprocess.run([ruby], input=text, text=True, check=True, capture_output=True).stdout
    assert "box= bento/debian-12\n" in said
    assert "synced_folder . /host\n" in said
    script = said.split("provision shell inline ")[1]
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    assert script.split("--no-install-recommends")[1].replace("\\", "").split() == packages("debian", DEFAULT_ARCHES)


@pytest.mark.real
def test_debian_has_the_packages() -> None:
    """As far as apt can tell without installing them."""
    apt = shutil.which("apt-get")
    if apt is None:
        pytest.skip("there is no apt")
    words = packages("debian", (*DEFAULT_ARCHES, "386", "arm", "ppc64le", "riscv64", "s390x"))
    done = subprocess.run(
        [apt, "install", "--simulate", "--no-install-recommends", *words], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
