"""libbpf-tools and this repository's programs, loaded into Debian's kernels in emulated machines."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import fetch
import pytest
import sshd
import verified
from project import BPFGEN, COMMON, XDP, Project

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]

pytestmark = pytest.mark.real

# What isn't loaded, and of which kind that is. Of the newest kernel, only what won't change with the next one.
REFUSED: dict[str, dict[str, str]] = {
    "k5_10": {
        "biostacks": "attach_target",
        "fsdist": "description",
        "fsslower": "description",
        "futexctn": "isa",
        "mdflush": "attach_target",
        "readahead": "attach_target",
    },
    "k6_1": {
        "biostacks": "attach_target",
        "fsdist": "description",
        "fsslower": "description",
        "readahead": "attach_target",
        "tcppktlat": "helper",
    },
    "k6_12": {
        "fsdist": "description",
        "fsslower": "description",
        "readahead": "attach_target",
        "tcppktlat": "helper",
    },
    "k7": {
        "fsdist": "description",
        "fsslower": "description",
        "mdflush": "description",  # its modules are in another package
        "tcppktlat": "helper",
    },
}


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """libbpf-tools and more with the four kernels, verified; only the tests below may change it."""
    return Project(verified.verified(tmp_path_factory) / "project")


def reports(project: Project, *words: str, code: int) -> dict[str, dict[str, dict[str, Any]]]:
    """Kernel → program → what `bpfgen verify` says of its object."""
    value = json.loads(verified.command(project, "verify", "--json", *words, code=code))
    assert value["ok"] is (code == 0)
    return {
        report["kernel"]: {each["object"].split("/")[0]: each for each in report["objects"]}
        for report in value["reports"]
    }


class TestLibbpfTools:
    """53 objects on four kernels, by libbpf."""

    def test_refusals(self, tools: Project) -> None:
        """Each kernel refuses what it is known to refuse, and loads the rest."""
        found = reports(tools, code=1)
        assert sorted(found) == sorted(REFUSED)
        for kernel, every in found.items():
            objects = {name: each for name, each in every.items() if "-" not in name}  # others have a prefix
            assert len(objects) == 53
            refused = {name: each["refusal"]["kind"] for name, each in objects.items() if each["refusal"]}
            if kernel == "k7":
                refused = {name: kind for name, kind in refused.items() if name in REFUSED["k7"]}
            assert refused == REFUSED[kernel], kernel

    def test_verdicts_and_figures(self, tools: Project) -> None:
        """What the table of a program says counts; loaded programs have the verifier's figures."""
        found = reports(tools, code=1)
        verdicts = {name: each["verdict"] for name, each in found["k5_10"].items()}
        assert verdicts["futexctn"] == "accepted"
        assert verdicts["fsdist"] == "undescribed"
        assert verdicts["readahead"] == "fails"
        for kernel in ("k6_1", "k6_12"):
            assert {found[kernel][name]["verdict"] for name in ("mdflush", "funclatency", "numamove")} == {"ok"}
        counts = [program["count"] for program in found["k6_1"]["opensnoop"]["programs"]]
        assert all(count["instructions"] > 10 for count in counts)
        assert found["k6_1"]["offcputime"]["assumed"] == [["stackmap", 1024]]

    def test_only_what_changed_is_loaded(self, tools: Project) -> None:
        """A second run starts no machine; after an edit, the other objects' outcomes are those of before."""
        assert "no work to do" in tools.ninja("-n", "verify")
        kept = tools.root / "out" / "verify" / "k6_1" / "amd64.kept.json"
        value = json.loads(kept.read_text(encoding="utf-8"))
        before = set(value["ends"])
        for end in value["ends"].values():
            end["message"] = f"kept {end.get('message', '')}"
        kept.write_text(json.dumps(value), encoding="utf-8")
        source = tools.root / "libbpf-tools" / "opensnoop.bpf.c"
        source.write_text(source.read_text(encoding="utf-8") + "\nint added_by_test = 1;\n", encoding="utf-8")
        reports(tools, "--kernel", "k6_1", code=1)
        ends = json.loads(kept.read_text(encoding="utf-8"))["ends"]
        fresh = [end for end in ends.values() if not str(end.get("message", "")).startswith("kept")]
        assert [end["object"] for end in fresh] == ["opensnoop/x86_bpfel"]
        assert len(set(ends) - before) == 1
        assert len(ends) == len(before)


class TestOwnPrograms:
    """This repository's programs by cilium/ebpf, on another architecture's kernel."""

    @pytest.fixture(scope="class")
    @classmethod
    def own(cls, tmp_path_factory: pytest.TempPathFactory) -> Project:
        """Its sources, for an arm64 kernel."""
        project = Project(tmp_path_factory.mktemp("own"))
        for folder in ("bpf", "include"):
            shutil.copytree(REPOSITORY / folder, project.root / folder, dirs_exist_ok=True)
        text = (REPOSITORY / "build.toml").read_text(encoding="utf-8").partition("[go]")[0]
        text = text.replace('arches = ["amd64", "arm64", "s390x"]', 'arches = ["arm64"]')
        # A kernel's configuration comes out of its package too.
        asks = 'extern int CONFIG_HZ __attribute__((section(".kconfig")));\n'
        project.write("bpf/hz.c", asks + XDP.replace("NAME", "hz").replace("VERDICT", "CONFIG_HZ == 250"))
        text += '[program.hz]\nsource = "bpf/hz.c"\nportable = true\ninclude = ["own"]\n'
        text += 'cflags = ["-Wno-unused-parameter"]\n'
        project.write("own/common.h", COMMON)
        kernel = f'[kernel.k]\nupstream = "6.12"\nimage = "{fetch.kernel("6.12", "arm64")}"\n'
        project.write("build.toml", f'{text}\n[check]\nloader = "cilium"\n{kernel}')
        return project

    def test_arm64(self, own: Project) -> None:
        """All of them load, also those that are for arm64 alone."""
        objects = reports(own, code=0)["k"]
        assert "tcp_connect" in objects
        assert {each["verdict"] for each in objects.values()} == {"ok"}

    def test_baseline(self, own: Project) -> None:
        """What the verifier takes more of than the committed baseline says is an error when that is asked for."""
        missing = own.bpfgen("verify", "--baseline", code=3).stderr
        assert "bpfgen-verify.json: error: there is no such file" in missing
        own.bpfgen("verify", "--update-baseline")
        own.bpfgen("verify", "--baseline")
        path = own.root / "bpfgen-verify.json"
        value = json.loads(path.read_text(encoding="utf-8"))
        counts = value["k"]["arm64"]["xdp_blocklist/bpfel"]
        (name,) = counts
        counts[name] -= 1
        counts["no_longer"] = 7
        path.write_text(json.dumps(value), encoding="utf-8")
        text = own.bpfgen("verify", "--baseline", code=1).stdout
        assert (
            f"xdp_blocklist/bpfel on k arm64: program {name} takes the verifier {counts[name] + 1} instructions" in text
        )
        assert "xdp_blocklist/bpfel on k arm64: program no_longer isn't loaded any more" in text


def leftovers(project: Project) -> list[str]:
    """Emulators that run for a project, by their numbers."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            if command.startswith(b"qemu-system") and os.readlink(folder / "cwd") == str(project.root):
                found.append(folder.name)
    return found


class TestTrouble:
    """What goes wrong is said in one message, and nothing is left running."""

    SPIN = (
        '.section .note.pvh,"a",@note\n.long 4,4,18\n.asciz "Xen"\n.long _start\n.text\n.code32\n_start: jmp _start\n'
    )
    """A kernel that does nothing, for ever: qemu finds its start by the note (Xen's PVH)."""

    @pytest.fixture
    def small(self, tmp_path: Path) -> Project:
        """One program for one kernel, `kernel`."""
        project = Project(tmp_path / "small")
        project.program("pass")
        self.configure(project, "")
        return project

    @staticmethod
    def configure(project: Project, settings: str, image: str = "kernel") -> None:
        """Writes build.toml."""
        project.config(
            f'[targets]\narches = ["amd64"]\n[check]\nloader = "cilium"\n[verify]\n{settings}\n'
            f'[kernel.k]\nupstream = "6.1"\nimage = "{image}"\n[program.pass]\nsource = "bpf/pass.c"\n'
        )

    @staticmethod
    def said(project: Project, code: int, **more: Any) -> str:
        """The error of `bpfgen verify`: one."""
        text = str(project.bpfgen("verify", code=code, **more).stderr)
        assert text.count("error: ") == 1, text
        assert leftovers(project) == []
        return text

    @pytest.mark.parametrize(
        ("data", "text"),
        [
            (b"", '"kernel" is empty'),
            (b"!<arch>\n", '"kernel" is an empty package: it has no data.tar'),
            (b"!<arch>\n" + b"data.tar.xz     0           0     0     100644  999999    `\n", '"kernel" is damaged'),
            (b"no kernel at all", '"kernel" is no kernel'),
        ],
    )
    def test_damaged(self, small: Project, data: bytes, text: str) -> None:
        """A file that no kernel comes out of is said where build.toml names it."""
        (small.root / "kernel").write_bytes(data)
        assert self.said(small, 3).startswith(f"build.toml:17:9: error: {text}")

    def test_damaged_beside_a_good_one(self, small: Project) -> None:
        """The other kernel's report is shown all the same."""
        (small.root / "kernel").write_bytes(b"no kernel at all")
        self.configure(small, "")
        text = f'[kernel.good]\nupstream = "6.1"\nimage = "{fetch.kernel("6.1", "amd64")}"\n'
        with (small.root / "build.toml").open("a", encoding="utf-8") as file:
            file.write(text)
        done = small.bpfgen("verify", "--json", code=3)
        assert done.stderr.startswith('build.toml:17:9: error: "kernel" is no kernel')
        value = json.loads(done.stdout)
        assert [(each["kernel"], each["objects"][0]["verdict"]) for each in value["reports"]] == [("good", "ok")]
        assert value["ok"] is False
        assert leftovers(small) == []

    def test_kernel_that_does_not_start(self, small: Project) -> None:
        """Its code is damaged, so it dies without a word."""
        self.configure(small, "", str(fetch.kernel("6.1", "amd64")))
        small.bpfgen()
        small.ninja("out/verify/k/amd64.kernel")
        image = small.root / "out" / "verify" / "k" / "amd64.kernel"
        data = bytearray(image.read_bytes())
        data[2 << 20 : 12 << 20] = bytes(10 << 20)
        (small.root / "damaged").write_bytes(data)
        self.configure(small, "boot = 5", "damaged")
        text = self.said(small, 1)
        assert "the machine for k on amd64 " in text
        assert "the kernel said nothing" in text

    def test_panic(self, small: Project) -> None:
        """A kernel with too little memory panics."""
        self.configure(small, "memory = 64", str(fetch.kernel("6.1", "amd64")))
        text = self.said(small, 1)
        assert "the kernel of k on amd64 panics while it starts: System is deadlocked on memory" in text
        assert "more memory may help" in text

    def test_hang(self, small: Project) -> None:
        """A kernel that never starts is given up when its time is over."""
        (small.root / "spin.S").write_text(self.SPIN, encoding="utf-8")
        small.run(("gcc", "-nostdlib", "-static", "-Wl,-Ttext=0x1000000,--build-id=none", "-o", "kernel", "spin.S"))
        self.configure(small, "boot = 3")
        assert "the machine for k on amd64 hangs: no kernel has started within 3 seconds" in self.said(small, 1)

    def test_kvm(self, small: Project) -> None:
        """KVM is tried before it is believed: where it doesn't answer, that's an error, or the machine is emulated."""
        self.configure(small, 'accelerator = "kvm"', str(fetch.kernel("6.1", "amd64")))
        done = small.bpfgen("verify", code=None)
        assert leftovers(small) == []
        works = done.returncode == 0
        assert works or "no machine for amd64 runs by KVM: " in done.stderr
        self.configure(small, 'accelerator = "auto"', str(fetch.kernel("6.1", "amd64")))
        small.remove("out/verify")
        value = json.loads(small.bpfgen("verify", "--json").stdout)
        assert value["reports"][0]["how"] == ("KVM" if works else "emulated")

    def test_no_qemu(self, small: Project, tmp_path: Path) -> None:
        """The package that has it is named."""
        self.configure(small, "", str(fetch.kernel("6.1", "amd64")))
        tools = tmp_path / "tools"
        tools.mkdir()
        for name in ("go", "clang-19", "ld.lld", "sh"):
            found = shutil.which(name)
            if found:
                (tools / name).symlink_to(os.path.realpath(found))
        text = self.said(small, 1, env={**os.environ, "PATH": str(tools)})
        assert "there is no qemu-system-x86_64, which emulates a machine for amd64" in text
        assert "apt-get install qemu-system-x86" in text

    def test_no_kernel_to_boot(self, small: Project) -> None:
        """Types alone are no kernel."""
        shutil.copy("/sys/kernel/btf/vmlinux", small.root / "kernel")
        assert "has a kernel's types, and no kernel to boot" in self.said(small, 3)


class TestElsewhere:
    """Kernels that run already."""

    @pytest.fixture
    def small(self, tmp_path: Path) -> Project:
        """One program that loads everywhere, and one that loads nowhere."""
        project = Project(tmp_path / "small")
        project.program("pass")
        project.write(
            "bpf/fail.c", XDP.replace("NAME", "fail").replace("return VERDICT", "return ((volatile int *)ctx)[1000]")
        )
        return project

    @staticmethod
    def configure(project: Project, text: str = "") -> None:
        """Writes build.toml."""
        programs = "".join(f'[program.{name}]\nsource = "bpf/{name}.c"\n' for name in ("pass", "fail"))
        project.config(f'[targets]\narches = ["amd64"]\n[check]\nloader = "cilium"\n{text}\n{programs}')

    @staticmethod
    def verdicts(project: Project, *words: str) -> dict[str, str]:
        """Of both programs, by one report."""
        value = json.loads(project.bpfgen("verify", "--json", *words, code=1).stdout)
        (report,) = value["reports"]
        assert report["release"] == os.uname().release
        return {each["object"].split("/")[0]: each["verdict"] for each in report["objects"]}

    def test_running(self, small: Project) -> None:
        """The kernel of this machine, as root."""
        if os.geteuid() != 0:
            pytest.skip("loading takes root")
        self.configure(small)
        assert self.verdicts(small, "--running") == {"pass": "ok", "fail": "fails"}
        assert "1 object on 1 kernel: 1 loaded" in small.bpfgen("verify", "--running", "--only", "pass").stdout

    def test_not_root(self, small: Project) -> None:
        """Who isn't root is told both ways out."""
        self.configure(small)
        text = small.run(("unshare", "--user", *BPFGEN, "verify", "--running"), code=1).stderr
        assert "loading objects into the running kernel takes root" in text
        assert "sudo bpfgen verify --running" in text

    def test_ssh(self, small: Project, tmp_path: Path) -> None:
        """The kernel of a machine behind ssh, which keeps nothing of it."""
        if os.geteuid() != 0 or sshd.SSHD is None:
            pytest.skip("needs root, and sshd")
        server = sshd.Server(tmp_path)
        server.start((), "PermitRootLogin=yes")
        try:
            server.let_in()
            self.configure(small, f'[verify.ssh]\nhost = "box"\nconfig = "{tmp_path}/config"')
            before = set(Path("/tmp").glob("tmp.*"))
            assert self.verdicts(small, "--ssh") == {"pass": "ok", "fail": "fails"}
            assert set(Path("/tmp").glob("tmp.*")) <= before
        finally:
            server.stop()
        subprocess.run((*server.ssh, "-O", "exit", "box"), check=False, capture_output=True)
