"""The one schema of `build.toml`: decoding, defaults, JSON Schema and the reference page all come from here.

A class is a table, a field is a key, its annotation says what the value may be, the string under it is its
documentation.
Field names are the keys as written. `None` and `()` mean "not given"; what then happens is said in the documentation.
"""

from __future__ import annotations

from typing import Literal, Optional, Union

from bpfgen.config.schemabuilder import Builder
from bpfgen.config.schemacheck import Check, Lint
from bpfgen.config.schemaverify import Load, Verify
from bpfgen.config.values import (
    Address,
    ArchName,
    Bpftool,
    Clang,
    CType,
    Feature,
    Flag,
    GoApi,
    GoFileStem,
    GoFileSuffix,
    GoFolder,
    GoPackage,
    GoStem,
    GoTag,
    LauncherName,
    Macro,
    MacroValue,
    Mcpu,
    Name,
    Path,
    ProgramName,
    ProjectName,
    RelativePath,
    Release,
    Requirement,
    Version,
    Word,
)
from bpfgen.frozen import field, frozen


@frozen
class Project:
    """What is built, and where to."""

    name: ProjectName
    """The project's name; it is recorded in the manifest."""
    out: RelativePath = "out"
    """The folder for everything that is built. bpfgen writes nowhere else but `build.ninja`, `compile_commands.json`,
    `bpfgen.lock` and the `dir` of an output.
    """


@frozen
class Toolchain:
    """Which compiler builds the objects."""

    clang: Clang = "auto"
    """`auto` takes a system clang that has the BPF target and meets `require`, else the clang of the `ziglang` wheel
    (`pip install 'bpfgen[clang]'`). `wheel` takes the wheel's always: the same compiler on every host. Anything else
    is a command or a path."""
    require: Requirement = ">=14"
    """Versions of clang that may build this project."""
    bpftool: Bpftool = "auto"
    """Makes `vmlinux.h` of a kernel target's types, and skeletons. `auto` takes a bpftool that is installed, for
    `vmlinux.h` from version 7.5 on; where there is none, and with `none`, bpfgen makes an equivalent header itself.
    Anything else is a command or a path."""


@frozen
class Compile:
    """Settings of every program; a program adds to them or overrides them."""

    cflags: tuple[Flag, ...] = ("-Wall",)
    """Flags after bpfgen's own (`-O2 -g -target … -mcpu=…`), one string each, never split and never given to a shell.
    """
    include: tuple[Path, ...] = ()
    """Folders of headers (`-I`), relative to the project."""
    define: dict[Macro, MacroValue] = field(default_factory=dict)
    """Macros: text and numbers as they are, `true` for `-DNAME`, `false` for `-UNAME`."""
    mcpu: Optional[Mcpu] = None
    """The instruction set. Not given: the newest one that the oldest kernel target has (`v3` from 5.12, `v2` from
    4.14, else `v1`),
    and `v2` when no kernel target says its version."""
    vmlinux: Optional[Name] = None
    """The kernel target whose `vmlinux.h` CO-RE programs include. Not given: the newest one that has `btf`."""
    fast: bool = True
    """Each program is compiled with what it can name of `vmlinux.h`, which takes a quarter of the time and gives the
    same object; where that isn't sure, and for programs of several sources, with the whole header. DWARF that the strip
    would drop isn't made. `false`: always the whole header, with DWARF.
    `bpfgen check --fast` compares both."""
    strip: bool = True
    """Objects are stripped of DWARF, as `llvm-strip -g` does it; their BTF stays, and with it line information.
    `false` keeps DWARF, for tools that read it."""


@frozen
class Cache:
    """Keeps what was compiled, for other checkouts, branches and machines."""

    launcher: Union[LauncherName, tuple[Word, ...]] = "auto"
    """What runs the compiler: `auto` takes ccache where it is installed, else nothing; `none` nothing. A list is any
    command that clang's own words are appended to, such as `["recc"]` for remote execution."""
    remote: Optional[Address] = None
    """A cache that machines share: ccache takes `redis://`, `redis+unix://`, `http://` and `file://`, sccache
    `redis://`, `rediss://`, `s3://BUCKET` and `http://` or `https://` (WebDAV). What else they need (credentials, a
    region) stands in their own environment variables."""


@frozen
class Targets:
    """What the objects are for, unless a program says otherwise."""

    arches: tuple[ArchName, ...] = ("amd64", "arm64")
    """Architectures, by Go's names."""
    kernels: Optional[tuple[Name, ...]] = None
    """Kernel targets, names of `[kernel.…]` tables. Not given: all of them, in the order of the file."""


@frozen
class Kernel:
    """A kernel that objects must load on."""

    upstream: Optional[Version] = None
    """The upstream version whose features it has."""
    btf: Optional[Path] = None
    """Its types: raw BTF (`/sys/kernel/btf/vmlinux` is the running kernel's), a `vmlinux`, a `vmlinuz` or Image, a
    kernel's `.deb` or `.rpm`, an archive of BTFHub (`.btf.tar.xz`), or a ready `vmlinux.h`. `{arch}` stands for the
    architecture. `bpfgen kernel add` writes the entry."""
    image: Optional[Path] = None
    """The kernel to boot for `bpfgen verify`, in any form that it is shipped in. `{arch}` stands for the architecture.
    Not given: the one in `btf`, where that has one."""
    modules: Optional[Path] = None
    """The package with its modules, for programs that need some. `{arch}` stands for the architecture. Not given: the
    one that has the kernel."""
    profile: Optional[Path] = None
    """What a machine with this kernel said of its features: a file of `bpfgen kernel capture`. `{arch}` stands for the
    architecture."""
    assume: tuple[Feature, ...] = ()
    """Features that it has beyond those of its version, such as `helper:bpf_ringbuf_reserve`: backports that you vouch
    for. The kinds are `helper`, `map_type`, `program_type` and `attach_type`."""
    min_btf: bool = False
    """It runs without BTF of its own: of `btf`, the types that the objects ask for are written to
    `out/min_btf/KERNEL/ARCH.btf`, and with `[go]` to the Go package `minbtf`, which finds them when a program runs."""
    release: Union[Release, tuple[Release, ...]] = ()
    """The running kernels that these types are for, where `min_btf` is true: what `uname -r` prints, `*` and `?` for
    what differs. `ID/VERSION_ID/RELEASE` also wants these values of `/etc/os-release`. Not given: the name of `btf`,
    where it is one of BTFHub's (`5.4.0-1009-aws.btf.tar.xz`). The first kernel target that fits is taken."""


@frozen
class Variant:
    """A second build of a program with other settings."""

    cflags: tuple[Flag, ...] = ()
    """Flags after the program's."""
    include: tuple[Path, ...] = ()
    """Folders of headers, searched before the program's."""
    define: dict[Macro, MacroValue] = field(default_factory=dict)
    """Macros; they override the program's."""
    mcpu: Optional[Mcpu] = None
    """Overrides the program's instruction set."""


@frozen
class ProgramGo:
    """The Go files of a program, where `go.bindings` is `bpf2go`; the table may be left out."""

    stem: Optional[GoStem] = None
    """What its Go names begin with, bpf2go's first argument. Not given: the program's name, with `_` for each letter
    that Go's names can't have."""
    output_stem: Optional[GoFileStem] = None
    """What its files' names begin with. Not given: the stem in lower case."""
    suffix: GoFileSuffix = ""
    """What its files' names end with, before `.go` and `.o`, such as `_test`."""
    types: tuple[CType, ...] = ()
    """C types to declare in Go, besides the global ones."""
    global_types: bool = True
    """Types of map keys, of map values and of global variables are declared in Go."""
    tags: Optional[tuple[GoTag, ...]] = None
    """Overrides `go.tags`."""
    package: Optional[GoPackage] = None
    """Overrides `go.package`."""
    dir: Optional[GoFolder] = None
    """Overrides `go.dir`."""
    target: Optional[Literal["bpf"]] = None
    """`bpf` names the files `STEM_bpf` and leaves the architectures out of their build constraint, as bpf2go does for
    `-target bpf`: a portable program then builds on every host, and its object is of one byte order."""


@frozen
class Program:
    """One BPF object, for each target: from one source, or several that are statically linked.

    A `*` in the name of the table makes one program for each file that `source` matches.
    """

    source: Optional[Path] = None
    """The C source. A glob (`bpf/*.bpf.c`, `**` for any depth) needs a `*` in the program's name,
    which stands for the file's name up to its first dot."""
    sources: tuple[Path, ...] = ()
    """Several C sources or globs, statically linked into one object."""
    exclude: tuple[Path, ...] = ()
    """Files or globs that the globs leave out."""
    arches: Optional[tuple[ArchName, ...]] = None
    """Architectures; overrides `targets.arches`."""
    kernels: Optional[tuple[Name, ...]] = None
    """Kernel targets; overrides `targets.kernels`."""
    requires: Optional[tuple[Name, ...]] = None
    """Kernel targets that it must be `ok` on; overrides `check.requires`."""
    portable: bool = False
    """The program uses no `__TARGET_ARCH_…` and no `<asm/…>` that differs: one little-endian object serves all
    little-endian architectures.
    """
    per_kernel: bool = False
    """One object for each kernel target, with its own `vmlinux.h`, `-mcpu` default and `LINUX_VERSION_CODE`."""
    cflags: tuple[Flag, ...] = ()
    """Flags after `compile.cflags`."""
    include: tuple[Path, ...] = ()
    """Folders of headers, searched before `compile.include`."""
    define: dict[Macro, MacroValue] = field(default_factory=dict)
    """Macros; they override `compile.define`."""
    mcpu: Optional[Mcpu] = None
    """Overrides `compile.mcpu`."""
    vmlinux: Optional[Name] = None
    """Overrides `compile.vmlinux`."""
    fast: Optional[bool] = None
    """Overrides `compile.fast`."""
    strip: Optional[bool] = None
    """Overrides `compile.strip`."""
    variants: dict[Name, Variant] = field(default_factory=dict)
    """More builds of this program, each beside the plain one."""
    load: Optional[Load] = None
    """What loading it takes, for `bpfgen verify`."""
    go: Optional[ProgramGo] = None
    """Its Go files, where `go.bindings` is `bpf2go`."""


@frozen
class Go:
    """A Go package that embeds the objects; the table's presence asks for it."""

    bindings: Literal["embed", "bpf2go"] = "embed"
    """`embed` makes one package that gives the objects by name. `bpf2go` makes what bpf2go makes: for each program and
    target a file with typed loaders, maps, programs, variables and types, and its object beside it."""
    api: GoApi = "0.22"
    """The version of bpf2go whose files these are; they change only when this does."""
    package: GoPackage = "programs"
    """The package's name."""
    dir: Optional[GoFolder] = None
    """The package's folder. Not given: `go` in the output folder."""
    tags: tuple[GoTag, ...] = ()
    """Build tags that the files of bindings are for, besides their architectures."""
    files: Literal["embed", "embed.FS", "disk"] = "embed"
    """Where bindings have the object from. `embed`: it is embedded as bytes, as with bpf2go. `embed.FS`: as a file
    system that other code can read. `disk`: the file is read each time that it is loaded, from where it was built, so
    that a program in development needs no new `go build`."""
    explain: bool = False
    """Beside each file of bindings there is another one, with `loadFooObjectsOrExplain`: `loadFooObjects` with an error
    that says which map types, program types and helpers the running kernel lacks."""


@frozen
class Skeleton:
    """C headers for users of libbpf, as `bpftool gen skeleton` writes them; the table's presence asks for them."""

    dir: Optional[RelativePath] = None
    """The folder of the headers, `TARGET/PROGRAM.skel.h`. Not given: `skel` in the output folder."""
    arches: Optional[tuple[ArchName, ...]] = None
    """The architectures whose objects get one. Not given: all that the objects serve."""


@frozen
class Rust:
    """A Rust module that embeds the objects; the table's presence asks for it."""

    dir: Optional[RelativePath] = None
    """The module's folder, such as `src/bpf` for `mod bpf;`. Not given: `rust` in the output folder."""


@frozen
class Config:
    """A whole `build.toml`."""

    project: Project
    toolchain: Toolchain = field(default_factory=Toolchain)
    compile: Compile = field(default_factory=Compile)
    cache: Cache = field(default_factory=Cache)
    builder: Builder = field(default_factory=Builder)
    targets: Targets = field(default_factory=Targets)
    kernel: dict[Name, Kernel] = field(default_factory=dict)
    program: dict[ProgramName, Program] = field(default_factory=dict)
    check: Check = field(default_factory=Check)
    lint: Lint = field(default_factory=Lint)
    verify: Verify = field(default_factory=Verify)
    go: Optional[Go] = None
    skeleton: Optional[Skeleton] = None
    rust: Optional[Rust] = None
