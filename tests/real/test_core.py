"""CO-RE relocations come out as libbpf and cilium/ebpf resolve them: on real kernels, and on the kernel's own cases."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fetch
import loaders
import pytest
from loaders import Result, Results
from project import BPFGEN, NINJA

from bpfgen.bpf.corecilium import Cilium
from bpfgen.bpf.flow import Flow, Known
from bpfgen.bpf.kernel import KernelTypes
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.resolve import AMBIGUOUS, MISSING, Resolution, Resolver
from bpfgen.kernels.extract import kernel_btf

pytestmark = pytest.mark.input
TOOLS = ("apt-get", "bpftool", "clang-19", "dpkg-deb", "gcc", "go")
HERE = Path(__file__).parent
CASES = "tools/testing/selftests/bpf/progs"
SERIES = [each.series for each in fetch.KERNELS]


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    """What all of them need."""
    missing = [tool for tool in TOOLS if shutil.which(tool, path=fetch.SEARCH) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    if os.geteuid() != 0:
        pytest.skip("libbpf asks the kernel before it relocates: needs root")


@pytest.fixture(scope="module")
def libbpf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """libbpf as a command."""
    return loaders.libbpf_command(tmp_path_factory.mktemp("libbpf"))


@pytest.fixture(scope="module")
def cilium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """cilium/ebpf as a command."""
    return loaders.cilium_command(tmp_path_factory.mktemp("cilium"))


def by_libbpf(types: KernelTypes, objects: Sequence[Path]) -> Results:
    """Our results, as `loaders.libbpf` has them: up to the first one of an object at which libbpf stops."""
    found: Results = {}
    for path in objects:
        resolver = Resolver(BpfObject(path.read_bytes()))
        results, numbers = resolver.resolve(types), Counter[str]()
        for each in resolver.asked:
            section = each.relocation.section
            found[str(path), section, "", numbers[section]] = plain(results[each.place])
            if found[str(path), section, "", numbers[section]] == "stop":
                break
            numbers[section] += 1
    return found


def by_cilium(types: KernelTypes, objects: Sequence[Path]) -> Results:
    """The same for `loaders.cilium`: nothing but that it stops, of a program where it does so before it is done."""
    found: Results = {}
    for path in objects:
        resolver = Resolver(BpfObject(path.read_bytes()), "cilium")
        for program, asked in resolver.programs:
            functions = {each.place: each.function for each in asked}
            assert resolver.own is not None
            results = dict(Cilium(resolver.own, types).resolutions(asked))
            # Where only the instruction can't take the number, that is told apart.
            if any(
                each.state == AMBIGUOUS or (plain(each) == "stop" and not each.matches) for each in results.values()
            ):
                found[str(path), program.name, "", 0] = "stop"
                continue
            for place, each in results.items():
                if each.relocation.kind_name != "local type id":
                    function = functions[place]
                    found[str(path), program.name, function.name, place[1] - function.start] = plain(each)
    return found


def plain(resolution: Resolution) -> Result:
    """As the commands say it."""
    if resolution.value is not None:
        return resolution.value % (1 << 64)
    return "missing" if resolution.state == "missing" else "stop"


def differing(ours: Results, theirs: Results) -> Mapping[object, object]:
    """Where two differ."""
    keys = ours.keys() | theirs.keys()
    return {key: (ours.get(key), theirs.get(key)) for key in keys if ours.get(key) != theirs.get(key)}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """libbpf-tools, built for the running kernel."""
    root = tmp_path_factory.mktemp("tools")
    shutil.copytree(fetch.libbpf_tools(), root, dirs_exist_ok=True)
    shutil.copyfile(HERE / "libbpf_tools" / "build.toml", root / "build.toml")
    for command in (BPFGEN, (NINJA,)):
        subprocess.run(command, cwd=root, check=True, capture_output=True)
    return sorted(root.glob("out/obj/*/*.o"))


@pytest.fixture(scope="module")
def others() -> list[Path]:
    """The objects in cilium/ebpf's module that have relocations: its examples and what it tests itself with."""
    module = fetch.cilium_examples()
    paths = [*module.rglob("*bpfel.o"), *module.rglob("*-el.elf")]
    return [path for path in sorted(paths) if BpfObject(path.read_bytes()).relocations]


@pytest.mark.parametrize("series", SERIES)
def test_real_kernels(
    series: str, programs: list[Path], others: list[Path], libbpf: Path, cilium: Path, tmp_path: Path
) -> None:
    """Each relocation of libbpf-tools and of cilium/ebpf's own objects, by both loaders."""
    raw = tmp_path / "types.btf"
    raw.write_bytes(kernel_btf(str(fetch.kernel(series, "amd64"))))
    types = KernelTypes(raw.read_bytes())
    ours = by_libbpf(types, programs)
    assert differing(ours, loaders.libbpf(libbpf, raw, programs)) == {}
    assert len(ours) > 500
    assert 10 < sum(each == "missing" for each in ours.values()) < 100
    ours = by_cilium(types, programs)
    assert differing(ours, loaders.cilium(cilium, raw, programs)) == {}
    assert len(ours) > 500
    for theirs, ours in (
        (loaders.libbpf(libbpf, raw, others), by_libbpf(types, others)),
        (loaders.cilium(cilium, raw, others), by_cilium(types, others)),
    ):
        opened = {key[0] for key in theirs}  # some are made for a loader to refuse
        assert differing({key: each for key, each in ours.items() if key[0] in opened}, theirs) == {}
        assert len(theirs) > 100


@pytest.mark.parametrize("series", SERIES)
def test_guards_of_real_programs(series: str, programs: list[Path]) -> None:
    """Where a kernel lacks what libbpf-tools ask for, a guard stands before it, but where they don't load a program."""
    types = KernelTypes(kernel_btf(str(fetch.kernel(series, "amd64"))))
    major, minor = map(int, f"{series}.0".split(".")[:2])
    known = Known((major, minor), kconfig={"LINUX_KERNEL_VERSION": (major << 16) + (minor << 8)})
    dead = 0
    for path in programs:
        found = BpfObject(path.read_bytes())
        resolutions, flow = Resolver(found).resolve(types), Flow(found)
        missing = {place for place, each in resolutions.items() if each.state == MISSING}
        mains = [each for each in found.functions if each.section != ".text"]
        reached = {place[0] for each in mains for place in missing & flow.live(each, resolutions, known)}
        assert all("folio" in section for section in reached), path.parent.name
        dead += len(missing)
    assert dead > 20


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kernel's own tests of CO-RE: programs, and what stands for the types of a kernel in them."""
    out = tmp_path_factory.mktemp("cases")
    tree = fetch.selftests()
    header = subprocess.run(
        ["bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"], check=True, capture_output=True
    )
    (out / "vmlinux.h").write_bytes(header.stdout)
    own = [f"-I{tree / name}" for name in ("tools/testing/selftests/bpf", "tools/include/uapi", "tools/lib")]
    flags = ["-target", "bpf", "-mcpu=v3", "-O2", "-g", "-w", "-D__TARGET_ARCH_x86", f"-I{out}", *own]

    def compiled(source: Path) -> None:
        words = ["clang-19", *flags, "-idirafter", "/usr/include/x86_64-linux-gnu", "-c", str(source)]
        subprocess.run([*words, "-o", out / f"{source.stem}.o"], check=True, capture_output=True)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(compiled, (tree / CASES).glob("*core_reloc_*.c")))
    return out


def test_cases_of_the_kernel(cases: Path, libbpf: Path, cilium: Path) -> None:
    """All 13 kinds, ambiguous types, fields that don't fit, and what a loader stops at."""
    seen = Counter[object]()
    for path in sorted(cases.glob("btf__core_reloc_*.o")):
        case = path.stem[len("btf__core_reloc_") :]
        names = {each: each.stem[len("test_core_reloc_") :] for each in cases.glob("test_core_reloc_*.o")}
        family = case.partition("___")[0]
        objects = sorted(each for each, name in names.items() if name.startswith(family) or case.startswith(name))
        assert objects, case
        section = BpfObject(path.read_bytes()).elf.section(".BTF")
        assert section is not None
        raw = cases / "types.btf"
        raw.write_bytes(section.data)
        types = KernelTypes(section.data)
        ours = by_libbpf(types, objects)
        assert differing(ours, loaders.libbpf(libbpf, raw, objects)) == {}, path.stem
        seen.update(each if isinstance(each, str) else "number" for each in ours.values())
        ours = by_cilium(types, objects)
        assert differing(ours, loaders.cilium(cilium, raw, objects)) == {}, path.stem
    assert (seen["number"] > 800, seen["missing"] > 30, seen["stop"] >= 5) == (True, True, True), seen
