"""The part of the schema that is about loading objects into real kernels (see `schema`)."""

from __future__ import annotations

from typing import Literal, Optional

from bpfgen.config.schemabuilder import Ssh
from bpfgen.config.values import KernelSymbol, ModuleName, Name, Path, RelativePath, Sentence, Symbol
from bpfgen.frozen import field, frozen


@frozen
class Load:
    """What a program's own tool tells its loader at run time, for `bpfgen verify`; `bpfgen check` looks at `attach`
    and `optional` too. Most programs need none of it."""

    maps: dict[Symbol, int] = field(default_factory=dict)
    """Entries of maps whose size is set at run time. Not given: 1024, and 64 KiB for ring buffers."""
    attach: dict[Symbol, KernelSymbol] = field(default_factory=dict)
    """Functions of the kernel that programs attach to, where the tool names them at run time."""
    optional: tuple[Symbol, ...] = ()
    """Programs that may be refused, because the tool does without them, or takes another one."""
    modules: tuple[ModuleName, ...] = ()
    """Modules of the kernel that are loaded first, with those that they depend on."""
    accept: dict[Name, Sentence] = field(default_factory=dict)
    """Kernel targets that may refuse it, and why that is accepted."""


@frozen
class Verify:
    """How `bpfgen verify` loads objects into real kernels."""

    accelerator: Literal["none", "auto", "kvm"] = "none"
    """`none` emulates the machine. `kvm` runs it by KVM, `auto` too where KVM answers; that is tried first, because
    there are machines whose KVM hangs."""
    memory: int = 512
    """MiB of a virtual machine."""
    boot: int = 60
    """Seconds until a kernel has started, at most."""
    timeout: int = 60
    """Seconds that loading one object takes, at most."""
    libbpf: Optional[Path] = None
    """For `loader = "libbpf"`: a folder with `libbpf.a` 1.6 or newer, libelf's, zlib's and zstd's, and their headers,
    as packages of them unpack. `{arch}` stands for the architecture. Not given: the system's."""
    baseline: RelativePath = "bpfgen-verify.json"
    """What `--baseline` compares with: a file that belongs into version control."""
    growth: int = 0
    """Per cent that the instructions that the verifier processed may grow beyond those of the baseline."""
    ssh: Optional[Ssh] = None
    """The machine of `--ssh`, where no other one is named there: its user must be root, or may run `sudo -n`."""
