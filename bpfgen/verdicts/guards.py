"""What a program can ask of a kernel before it uses something, beside its types: symbols, its version, its options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional, Union

from bpfgen.bpf.btf import Kind
from bpfgen.bpf.core import CoreRelocation
from bpfgen.bpf.externs import Extern
from bpfgen.bpf.flow import Known
from bpfgen.bpf.resolution import RESOLVED, Place, Resolution
from bpfgen.matrix import version_code
from bpfgen.verdicts.subject import Subject
from bpfgen.verdicts.target import Target

WRAPPERS = {
    "amd64": "__x64_sys_bpf",
    "arm64": "__arm64_sys_bpf",
    "s390x": "__s390x_sys_bpf",
    "riscv64": "__riscv_sys_bpf",
}
"""The function that a system call enters the kernel by, where there are such (libbpf's arch_specific_syscall_pfx)."""

EXISTENCE = frozenset({2, 8, 10, 12})
"""Kinds of CO-RE relocations that only ask: of fields, types, values and whole types (`bpf.core.CORE_KINDS`)."""


def known(subject: Subject, target: Target) -> Known:
    """What is known of what an object asks for."""
    symbols = {each.name: there(each, target) for each in subject.found.externs if each.kind in ("kfunc", "ksym")}
    settings = {each.name: _setting(each.name, target) for each in subject.found.externs if each.kind == "kconfig"}
    low = target.span.low
    return Known(
        version=(low[0], low[1]) if low is not None else None,
        ksyms={name: has for name, has in symbols.items() if has is not None},
        kconfig={name: value for name, value in settings.items() if value is not None},
    )


def denied(relocations: Iterable[CoreRelocation]) -> dict[Place, Resolution]:
    """The answers of a kernel that has nothing that a program asks for."""
    asked = [each for each in relocations if each.kind in EXISTENCE]
    return {(each.section, each.slot): Resolution(each, RESOLVED, 0) for each in asked}


def there(extern: Extern, target: Target) -> Optional[bool]:
    """Whether the kernel has a symbol or function; None where its types don't say."""
    if extern.kind == "kfunc" and target.has("feature", "kfunc").has is False:
        return False
    if target.types is None:
        return None
    if extern.kind == "kfunc":
        return bool(target.types.find(extern.name, Kind.FUNC))
    found = bool(target.types.find(extern.name, *((Kind.VAR,) if extern.type else (Kind.VAR, Kind.FUNC))))
    return found if found or extern.type else None


def _setting(name: str, target: Target) -> Optional[Union[int, str]]:
    if name == "LINUX_KERNEL_VERSION":
        return version_code(target.span.low) if target.span.low is not None and target.span.exact else None
    if name == "LINUX_HAS_BPF_COOKIE":
        has = target.has("helper", "bpf_get_attach_cookie").has
        return None if has is None else int(has)
    if name == "LINUX_HAS_SYSCALL_WRAPPER":
        found = target.function(WRAPPERS.get(target.known.arch, ""))
        return 1 if found else None
    value = target.option(name)
    return int(value) if value is not None and value.isdecimal() else value
