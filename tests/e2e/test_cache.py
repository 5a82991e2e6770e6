"""Compilers behind launchers: who finds whose objects, and what it is told of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from project import Project

from bpfgen.buildid import fingerprint

pytestmark = pytest.mark.real

ODD = "another = folder/it's $HOME #1 é"
CLANGS = ["clang-14", "clang-19", "wheel"]
CONFIG = """
[targets]
arches = ["amd64", "arm64"]
[program.one]
source = "bpf/one.c"
[program.both]
sources = ["bpf/one.c", "bpf/two.c"]
"""
COMPILES = 6
"""Sources × architectures of these programs."""
KERNEL = """
[targets]
arches = ["amd64"]
[kernel.k]
btf = "kernel/vmlinux.h"
[program.one]
source = "bpf/one.c"
"""
HEADER = "#ifndef __VMLINUX_H__\n#define __VMLINUX_H__\n\n{}#endif\n"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment whose caches are this test's own."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith(("CCACHE_", "SCCACHE_"))}
    return {**rest, "CCACHE_DIR": str(tmp_path / "ccache"), "HOME": str(tmp_path / "home")}


def need(*tools: str) -> None:
    """Skips the test where a tool isn't installed."""
    missing = [tool for tool in tools if shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def checkout(
    root: Path, clang: str = "clang-19", launcher: str = '"ccache"', more: str = "", rest: str = CONFIG
) -> Project:
    """Two programs of three sources in a folder of their own."""
    need("ccache", *([clang] if clang.startswith("clang-") else []))
    project = Project(root, clang)
    project.program("one", "const char *file_one = __FILE__;\n")
    project.program("two", "const char *file_two = __FILE__;\n")
    project.config(rest)
    text = (root / "build.toml").read_text(encoding="utf-8")
    project.write("build.toml", text.replace('launcher = "none"\n', f"launcher = {launcher}\n{more}"))
    return project


def build(project: Project, env: Mapping[str, str]) -> Any:
    """What `bpfgen cache` counts of one `bpfgen && ninja`."""
    project.bpfgen(env=env)
    project.bpfgen("cache", "--zero", env=env)
    project.ninja(env=env)
    return counts(project, env)


def counts(project: Project, env: Mapping[str, str]) -> Any:
    """What `bpfgen cache` says of the whole cache; for ccache, it must say the same of the project's compiles."""
    found = json.loads(project.bpfgen("cache", "--format", "json", env=env).stdout)
    assert found["project"] in (None, found["cache"])
    return found["cache"]


def all_hits(number: int = COMPILES, remote: int = 0) -> dict[str, Any]:
    """The counts of a build that compiles nothing."""
    return {"hits": number, "remote_hits": remote, "misses": 0, "rate": 1.0}


@pytest.mark.parametrize("clang", CLANGS)
def test_another_checkout_and_a_wiped_one_compile_nothing(tmp_path: Path, env: dict[str, str], clang: str) -> None:
    first, second = (checkout(tmp_path / name, clang) for name in ("a", ODD))
    assert build(first, env) == {"hits": 0, "remote_hits": 0, "misses": COMPILES, "rate": 0.0}
    assert build(second, env) == all_hits()
    assert second.objects() == first.objects()
    again = second.objects()
    second.remove("out")
    assert build(second, env) == all_hits()
    assert second.objects() == again
    assert "no work to do" in second.ninja(env=env)
    assert second.bpfgen(env=env).stdout == ""
    text = (second.root / "compile_commands.json").read_text(encoding="utf-8")
    assert "ccache" not in text
    assert ".bpfgen" not in text
    second.bpfgen("clean", env=env)
    assert not (second.root / "out").exists()


def test_a_build_without_a_cache_gives_the_same(tmp_path: Path, env: dict[str, str]) -> None:
    cached, plain = checkout(tmp_path / "a"), checkout(tmp_path / "b", launcher='"none"')
    build(cached, env)
    cached.remove("out")
    build(cached, env)
    plain.bpfgen(env=env)
    plain.ninja(env=env)
    assert cached.objects() == plain.objects()


def test_what_changed_is_compiled(tmp_path: Path, env: dict[str, str]) -> None:
    first, second = (checkout(tmp_path / name) for name in "ab")
    build(first, env)
    header = second.root / "include/common.h"
    text = header.read_text(encoding="utf-8")
    header.write_text(text.replace("VERDICT 2", "VERDICT 1"), encoding="utf-8")
    assert build(second, env)["misses"] == COMPILES
    header.write_text(text, encoding="utf-8")
    second.remove("out")
    assert build(second, env) == all_hits()
    config = (second.root / "build.toml").read_text(encoding="utf-8")
    second.write("build.toml", config.replace("[compile]", '[compile]\ncflags = ["-O1"]'))
    assert build(second, env)["misses"] == COMPILES
    second.write("build.toml", config.replace("clang-19", "wheel"))
    assert build(second, env)["misses"] == COMPILES


def test_reduced_headers_are_found_too(tmp_path: Path, env: dict[str, str]) -> None:
    first, second = (checkout(tmp_path / name, rest=KERNEL) for name in ("a", ODD))
    for project in (first, second):
        members = "".join(f"struct s{number} {{\n\tint m;\n}};\n\n" for number in range(100))
        project.write("kernel/vmlinux.h", HEADER.format(members))
        project.write("bpf/one.c", '#include "vmlinux.h"\nint size = sizeof(struct s7);\n')
    assert build(first, env)["misses"] == 1
    assert build(second, env) == all_hits(1)
    assert "reduced: " in first.bpfgen("explain", "one", env=env).stdout
    assert "not known: not built here yet, or by a cache" in second.bpfgen("explain", "one", env=env).stdout
    assert "no work to do" in second.ninja(env=env)
    # The depfile out of the cache is as good as clang's.
    second.write("kernel/vmlinux.h", HEADER.format("struct s7 {\n\tchar m;\n};\n\n"))
    assert "obj/one/x86_bpfel.bpf.o" in set(touched(second, env))


def touched(project: Project, env: Mapping[str, str]) -> list[str]:
    """The files that Ninja writes."""
    before = project.stamps()
    project.ninja(env=env)
    return [name for name, stamp in project.stamps().items() if before.get(name) != stamp]


def another_clang(folder: Path, build_id: bool) -> Path:
    """Debian's clang 19 in another folder; as another build of the same version, or the same one."""
    system = Path(os.path.realpath(shutil.which("clang-19") or "")).parent
    made = folder / "bin" / "clang-19"
    made.parent.mkdir(parents=True)
    (folder / "lib").symlink_to(system.parent / "lib")
    data = (system / "clang").read_bytes()
    if build_id:
        start = data.index(b"GNU\0", data.index(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0")) + 4
        data = data[:start] + b"\xaa" * 20 + data[start + 20 :]
    made.write_bytes(data)
    made.chmod(0o755)
    return made


def test_builds_of_one_version_are_told_apart(tmp_path: Path, env: dict[str, str]) -> None:
    build(checkout(tmp_path / "a"), env)
    copy, other = (another_clang(tmp_path / f"clang{other}", other) for other in (False, True))
    versions = [subprocess.run([path, "--version"], capture_output=True, check=True).stdout for path in (copy, other)]
    assert versions[0].splitlines()[0] == versions[1].splitlines()[0]
    assert fingerprint([str(copy)]) != fingerprint([str(other)])
    projects = [checkout(tmp_path / path.parents[1].name / "project", str(path)) for path in (copy, other)]
    assert [build(project, env)["misses"] for project in projects] == [0, COMPILES]


def test_the_users_own_settings_count_more(tmp_path: Path, env: dict[str, str]) -> None:
    project = checkout(tmp_path / "a")
    launcher = project.root / "out/.bpfgen/launcher"
    theirs = tmp_path / "their.log"
    (tmp_path / "ccache").mkdir()
    conf = tmp_path / "ccache/ccache.conf"
    conf.write_text(f"stats_log = {theirs}\nhash_dir = true\n", encoding="utf-8")
    project.bpfgen(env=env)
    project.ninja(env=env)
    assert theirs.read_text(encoding="utf-8").count("cache_miss") >= COMPILES
    assert "CCACHE_NOHASHDIR" not in launcher.read_text(encoding="utf-8")
    conf.write_text("", encoding="utf-8")  # Ninja notices
    project.ninja(env=env)
    assert "CCACHE_NOHASHDIR" in launcher.read_text(encoding="utf-8")
    more = tmp_path / "more.log"
    project.remove("out")
    project.ninja(env={**env, "CCACHE_STATSLOG": str(more), "CCACHE_HASHDIR": "1"})
    assert more.exists()
    assert not (project.root / "out/.bpfgen/cache.log").exists()


def test_without_depend_mode(tmp_path: Path, env: dict[str, str]) -> None:
    """ccache preprocesses then, by our driver."""
    first, second = (checkout(tmp_path / name) for name in ("a", ODD))
    own = {**env, "CCACHE_NODEPEND": "1", "CCACHE_NODIRECT": "1"}
    assert build(first, own)["misses"] > 1  # some preprocess to the same text
    assert build(second, own) == all_hits()
    assert first.objects() == second.objects()


def test_the_log_begins_anew(tmp_path: Path, env: dict[str, str]) -> None:
    project = checkout(tmp_path / "a")
    project.bpfgen(env=env)
    log = project.write("out/.bpfgen/cache.log", "direct_cache_hit\n" * 300_000)
    project.bpfgen("-v", env=env)
    assert not log.exists()
    project.ninja(env=env)
    assert 0 < log.stat().st_size < 10_000


def test_a_wheel_that_moves(tmp_path: Path, env: dict[str, str]) -> None:
    """Its script is quoted, remade and found again, and other folders of the wheel share what is inside the project."""
    wheel = subprocess.run([sys.executable, "-c", "import ziglang; print(ziglang.__path__[0])"],
                           capture_output=True, text=True, check=True).stdout.strip()  # fmt: skip
    package = Path(__file__).resolve().parents[2] / "bpfgen"
    projects = [checkout(tmp_path / name, "wheel") for name in ("a", ODD)]
    for project, expected in zip(projects, (0, COMPILES)):
        site = project.root / "venv 'x' $y"
        site.mkdir()
        (site / "ziglang").symlink_to(wheel)
        shutil.copytree(package, site / "bpfgen", ignore=shutil.ignore_patterns("__pycache__"))
        inside = {**env, "PYTHONPATH": str(site)}
        assert build(project, inside)["hits"] == expected
    assert projects[0].objects() == projects[1].objects()
    script = project.root / "out/.bpfgen/clang"
    script.unlink()
    project.program("one", "int changed;\n")
    project.ninja(env=inside)
    assert "/ziglang/zig" in script.read_text(encoding="utf-8")
    moved = project.root / "moved"
    site.rename(moved)
    project.bpfgen(env={**env, "PYTHONPATH": str(moved)})
    assert "/moved/" in script.read_text(encoding="utf-8")
    project.ninja(env={**env, "PYTHONPATH": str(moved)})


def test_links_to_ccache_are_passed_over(tmp_path: Path, env: dict[str, str]) -> None:
    links = tmp_path / "links"
    links.mkdir()
    project = checkout(tmp_path / "a")
    (links / "clang-19").symlink_to(str(shutil.which("ccache")))
    masked = {**env, "PATH": f"{links}:{env['PATH']}"}
    build(project, masked)
    assert str(links) not in (project.root / "build.ninja").read_text(encoding="utf-8")
    assert build(checkout(tmp_path / "b"), env) == all_hits()


class Store(BaseHTTPRequestHandler):
    """A cache that speaks HTTP: what is put under a path is what is got."""

    kept: ClassVar[dict[str, bytes]] = {}

    def do_PUT(self) -> None:
        self.kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201)

    def do_GET(self) -> None:
        self.answer(200 if self.path in self.kept else 404, self.kept.get(self.path, b""))

    def do_HEAD(self) -> None:
        self.answer(200 if self.path in self.kept else 404)

    def answer(self, status: int, body: bytes = b"") -> None:
        """Sends the whole answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def http() -> Iterator[str]:
    """The address of a cache on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_http(tmp_path: Path, env: dict[str, str], http: str) -> None:
    env["STORE"] = "bpf"  # ccache puts it in
    first, second = (checkout(tmp_path / name, more=f'remote = "{http}/$STORE"\n') for name in ("a", ODD))
    assert build(first, {**env, "CCACHE_DIR": str(tmp_path / "one")})["misses"] == COMPILES
    assert build(second, {**env, "CCACHE_DIR": str(tmp_path / "two")}) == all_hits(remote=COMPILES)
    assert first.objects() == second.objects()
    assert len(Store.kept) >= COMPILES
    assert {path[:5] for path in Store.kept} == {"/bpf/"}


@pytest.fixture
def hosts() -> Iterator[tuple[str, str]]:
    """Two network namespaces with a cable between them, 10.0.0.1 and 10.0.0.2, and no way out."""
    need("ip", "redis-server")
    if os.geteuid() != 0:
        pytest.skip("network namespaces take root")
    names = [f"bpfgen-{os.getpid()}-{name}" for name in "ab"]
    ends = [f"bg{os.getpid()}{name}" for name in "ab"]
    env = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    try:
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True, env=env)
        cable = ["ip", "link", "add", ends[0], "netns", names[0], "type", "veth", "peer", "name", ends[1]]
        subprocess.run([*cable, "netns", names[1]], check=True, env=env)
        for number, (name, end) in enumerate(zip(names, ends), 1):
            address = ["address", "add", f"10.0.0.{number}/24", "dev", end]
            for words in (address, ["link", "set", end, "up"], ["link", "set", "lo", "up"]):
                subprocess.run(["ip", "-n", name, *words], check=True, env=env)
        yield names[0], names[1]
    finally:
        for name in names:  # the cable goes with them
            subprocess.run(["ip", "netns", "delete", name], check=False, env=env, stderr=subprocess.DEVNULL)


@pytest.fixture
def redis(hosts: tuple[str, str], tmp_path: Path) -> Iterator[str]:
    """The address of a Redis on the first host."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    words = ["redis-server", "--bind", "10.0.0.1", "--protected-mode", "no", "--save", "", "--dir", str(tmp_path)]
    ip = shutil.which("ip", path=path) or "ip"
    with subprocess.Popen([ip, "netns", "exec", hosts[0], *words], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert any("eady to accept connections" in line for line in server.stdout)
            yield "redis://10.0.0.1"
        finally:
            server.terminate()


def test_two_hosts_share_a_redis(tmp_path: Path, env: dict[str, str], hosts: tuple[str, str], redis: str) -> None:
    found, objects = [], []
    for host, folder in zip(hosts, ("home/first", ODD)):
        project = checkout(tmp_path / folder, more=f'remote = "{redis}"\n')
        own = {**env, "CCACHE_DIR": str(tmp_path / host), "PATH": env["PATH"] + ":/usr/sbin:/sbin"}
        project.bpfgen(env=own)
        project.run(["ip", "netns", "exec", host, project.ninja_path], env=own)
        found.append(counts(project, own))
        objects.append(project.objects())
    assert found == [{"hits": 0, "remote_hits": 0, "misses": COMPILES, "rate": 0.0}, all_hits(remote=COMPILES)]
    assert objects[0] == objects[1]


def test_a_remote_cache_that_is_away(tmp_path: Path, env: dict[str, str]) -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        project = checkout(tmp_path / "a", more=f'remote = "redis://user:secret@127.0.0.1:{taken.getsockname()[1]}"\n')
        assert build(project, env)["misses"] == COMPILES
    assert "secret" not in project.bpfgen("cache", env=env).stdout


@pytest.fixture
def sccache(env: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a server of sccache's that ends with the test."""
    need("sccache")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {**env, "SCCACHE_DIR": str(tmp_path / "sccache"), "SCCACHE_SERVER_PORT": str(port)}
    subprocess.run(["sccache", "--start-server"], env=own, check=True, capture_output=True)
    yield own
    subprocess.run(["sccache", "--stop-server"], env=own, check=True, capture_output=True)


@pytest.mark.parametrize("clang", CLANGS)
def test_sccache(tmp_path: Path, sccache: dict[str, str], clang: str) -> None:
    """It doesn't take the sources of programs that are linked (-Xclang); the others it finds from other checkouts."""
    first, second = (checkout(tmp_path / name, clang, '"sccache"') for name in ("a", ODD.replace("=", "")))
    assert build(first, sccache) == {"hits": 0, "remote_hits": None, "misses": 2, "rate": 0.0}
    assert build(second, sccache) == {"hits": 2, "remote_hits": None, "misses": 0, "rate": 1.0}
    assert first.objects() == second.objects()
    assert ".bpfgen" not in (second.root / "compile_commands.json").read_text(encoding="utf-8")
    assert "no work to do" in second.ninja(env=sccache)
    second.program("one", "int changed;\n")
    second.ninja(env=sccache)
    assert counts(second, sccache)["misses"] == 2


RECORDER = """\
#!/bin/sh
printf '%s\\n' "$PWD" "$#" "$@" >> "$LOG"
exec "$@"
"""


@pytest.mark.parametrize("clang", ["clang-19", "wheel"])
def test_any_command(tmp_path: Path, env: dict[str, str], clang: str) -> None:
    project = checkout(tmp_path / ODD, clang, '["tools/run it", "two words"]')
    script = project.write("tools/run it", RECORDER.replace('exec "$@"', 'shift; exec "$@"'))
    script.chmod(0o755)
    log = tmp_path / "log"
    project.bpfgen(env=env)
    project.ninja(env={**env, "LOG": str(log)})
    runs = log.read_text(encoding="utf-8").split(f"{project.root}\n")[1:]
    compiler = "out/.bpfgen/clang" if clang == "wheel" else str(shutil.which(clang))
    assert len(runs) == COMPILES
    assert {tuple(run.split("\n")[1:3]) for run in runs} == {("two words", compiler)}
    assert len(project.objects()) == 4
    assert f"launcher: {script} two words" in project.bpfgen("cache", env=env).stdout


def test_env_is_a_launcher(tmp_path: Path, env: dict[str, str]) -> None:
    project = checkout(tmp_path, launcher='["env", "CPATH=nowhere"]')
    project.bpfgen(env=env)
    project.ninja(env=env)
    assert len(project.objects()) == 4
    assert "can't read what it counts" in project.bpfgen("cache", env=env).stdout


def test_a_launcher_that_is_not_there(tmp_path: Path, env: dict[str, str]) -> None:
    project = checkout(tmp_path, launcher='["no-such-launcher"]')
    said = project.bpfgen(code=3, env=env).stderr
    hint = '\n  hint: install it, or write  launcher = "auto"  to use ccache where it is installed\n'
    assert said == 'build.toml:6:12: error: there is no launcher "no-such-launcher"' + hint


def test_what_is_printed(tmp_path: Path, env: dict[str, str]) -> None:
    project = checkout(tmp_path / "a")
    build(project, env)
    table = project.bpfgen("cache", env=env).stdout
    assert table.splitlines()[0] == f"launcher: {shutil.which('ccache')}"
    assert [line.split() for line in table.splitlines()[2:]] == [
        ["HITS", "REMOTE", "MISSES", "RATE"],
        ["project", "0", "0", str(COMPILES), "0", "%"],
        ["cache", "0", "0", str(COMPILES), "0", "%"],
    ]
    section = json.loads(project.bpfgen("stats", "--format", "json", env=env).stdout)["cache"]
    assert section == counts(project, env)
    assert f"ccache: 0 % of {COMPILES} compiles were there" in project.bpfgen("stats", env=env).stdout
    said = project.bpfgen("cache", "--zero", "--dry-run", env=env).stdout
    assert said == "bpfgen: would set the counts of ccache to zero\n"
    assert counts(project, env)["misses"] == COMPILES
    assert project.bpfgen("cache", "--zero", env=env).stdout == "bpfgen: set the counts of ccache to zero\n"
    zero = json.loads(project.bpfgen("cache", "--format", "json", env=env).stdout)
    assert (zero["project"], zero["cache"]["misses"], zero["cache"]["rate"]) == (None, 0, None)


@pytest.mark.parametrize(
    ("launcher", "path", "said"),
    [('"none"', "", "none, as build.toml says"), ('"auto"', "/nowhere", "none, since ccache is not installed")],
)
def test_no_launcher(tmp_path: Path, env: dict[str, str], launcher: str, path: str, said: str) -> None:
    project = checkout(tmp_path, "wheel", launcher)
    own = {**env, **({"PATH": path} if path else {})}
    assert project.bpfgen("cache", env=own).stdout == f"launcher: {said}\n"
    assert project.bpfgen("cache", "--zero", env=own).stdout == "bpfgen: no launcher that counts\n"
    found = json.loads(project.bpfgen("cache", "--format", "json", env=own).stdout)
    assert found == {"launcher": "none", "command": [], "remote": None, "project": None, "cache": None}
    project.bpfgen(env=own)
    project.ninja(env=own)
    assert json.loads(project.bpfgen("stats", "--format", "json", env=own).stdout)["cache"] is None


def test_documented_commands(tmp_path: Path, env: dict[str, str]) -> None:
    """The page on caching shows what happens."""
    page = (Path(__file__).resolve().parents[2] / "docs/cache.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert shown
    project = checkout(tmp_path / "checkout")
    build(project, env)
    own = {**env, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"}
    for block in shown:
        commands = [line for line in block.splitlines() if line.startswith("$ ")]
        script = "".join(f"printf '%s\\n' '{line}'\n{line[2:]}\n" for line in commands)
        done = project.run(["sh", "-ec", script], env=own)
        assert done.stdout == block
