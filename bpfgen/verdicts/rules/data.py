"""What an object expects of the kernel by name: functions, symbols, its configuration; and its own variables."""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.bpf.btf import Kind
from bpfgen.catalog import table
from bpfgen.verdicts.case import Case
from bpfgen.verdicts.model import CONDITIONAL, FAILS, OK, UNKNOWN, Reason
from bpfgen.verdicts.rules.maps import first_use, without
from bpfgen.verdicts.subject import CILIUM
from bpfgen.verdicts.target import BTF

VERSION = "LINUX_KERNEL_VERSION"
VIRTUAL = frozenset({VERSION, "LINUX_HAS_BPF_COOKIE", "LINUX_HAS_SYSCALL_WRAPPER"})
"""Values that a loader finds out itself."""
INTEGERS = frozenset({"int", "unsigned int"})


def kfuncs(case: Case) -> Iterator[Reason]:
    """Functions of the kernel: a strong one that isn't there fails the object; a weak one only where it is called."""
    for extern in case.subject.found.externs:
        if extern.kind != "kfunc":
            continue
        answer, types = case.target.has("feature", "kfunc"), case.target.types
        use = first_use(case, "kfunc", extern.name)
        program, site = use if use is not None else (None, None)
        if answer.has is False and extern.weak:
            yield from _weak(case, extern.name)
        elif not answer.has:
            sites = (site,) if site is not None else ()
            what = f"the function {extern.name}: it lacks calls of its functions"
            reason = case.missing(answer, "kfunc", extern.name, what, program, sites)
            if reason is not None:
                yield reason
        elif case.target.known.shipped and not extern.weak:
            message = f"the kernel has no types of its own, by which its function {extern.name} is called"
            yield case.reason(FAILS, "kfunc", extern.name, message, program, site)
        elif types is None:
            message = f"the kernel's types aren't known, so whether it has the function {extern.name} isn't"
            yield case.reason(UNKNOWN, "kfunc", extern.name, message, program, site)
        elif types.find(extern.name, Kind.FUNC):
            continue
        elif not extern.weak:
            yield _lacks(case, extern.name, "kfunc", "function")
        else:
            yield from _weak(case, extern.name)


def _lacks(case: Case, name: str, kind: str, what: str) -> Reason:
    use = first_use(case, kind, name)
    program, site = use if use is not None else (None, None)
    verdict, end = without(case, name, f"module_{kind}")
    message = f"the kernel itself has no {what} {name}{end}"
    return case.reason(verdict, kind, name, message, program, site, BTF)


def _weak(case: Case, name: str) -> Iterator[Reason]:
    for program in case.subject.programs:
        sites = program.of("kfunc").get(name, ())
        site = case.live(program, sites)
        if site is not None:
            message = f"the kernel has no function {name}, and the call isn't behind a check for it"
            yield case.reason(FAILS, "kfunc", name, message, program, site, BTF)
        elif sites:
            message = f"the kernel lacks the function {name}, but doesn't come to it"
            yield case.reason(OK, "kfunc", name, message, program, sites[0], BTF)


def ksyms(case: Case) -> Iterator[Reason]:
    """Symbols of the kernel. A weak one that isn't there is 0."""
    types = case.target.types
    for extern in case.subject.found.externs:
        if extern.kind != "ksym" or extern.weak:
            continue
        use = first_use(case, "ksym", extern.name)
        program, site = use if use is not None else (None, None)
        if extern.type:
            answer = case.target.has("feature", "typed_ksym")
            sites = (site,) if site is not None else ()
            reason = case.missing(answer, "ksym", extern.name, f"the typed symbol {extern.name}", program, sites)
            if reason is not None:
                yield reason
            elif types is not None and not types.find(extern.name, Kind.VAR):
                yield _lacks(case, extern.name, "ksym", "variable in its types that is called")
        if types is None or (not extern.type and not types.find(extern.name, Kind.VAR, Kind.FUNC)):
            message = f"whether the kernel has a symbol {extern.name} isn't known: its types only name some of them"
            yield case.reason(UNKNOWN, "ksym", extern.name, message, program, site)


def undeclared(case: Case) -> Iterator[Reason]:
    """Symbols of another object, with which this one was to be linked: no loader finds them."""
    for extern in case.subject.found.externs:
        if not extern.kind:
            message = (
                f"{extern.name} is neither __ksym nor __kconfig, but of an object that this one must be linked with"
            )
            yield case.reason(FAILS, "ksym", extern.name, message)


def kconfig(case: Case) -> Iterator[Reason]:
    """Options of the kernel's configuration. A weak one that isn't there is 0."""
    for extern in case.subject.found.externs:
        if extern.kind != "kconfig" or extern.weak or extern.name in VIRTUAL:
            continue
        use = first_use(case, "kconfig", extern.name)
        program, site = use if use is not None else (None, None)
        if not extern.name.startswith("CONFIG_"):
            message = f"no loader knows {extern.name}"
            yield case.reason(FAILS, "kconfig", extern.name, message, program, site)
        elif case.target.option(extern.name) is None:
            message = f"it loads where the kernel's configuration has {extern.name}, and can be read"
            yield case.reason(CONDITIONAL, "kconfig", extern.name, message, program, site)


def versions(case: Case) -> Iterator[Reason]:
    """The type of the kernel's version: cilium/ebpf takes no other name of it (CollectionSpec's resolveKconfig)."""
    for extern in case.subject.found.externs if case.subject.loader == CILIUM else ():
        if extern.kind != "kconfig" or extern.name != VERSION or extern.type in INTEGERS:
            continue
        use = first_use(case, "kconfig", extern.name)
        if use is not None:
            message = f"cilium/ebpf wants {VERSION} to be an int, and here it is a {extern.type}"
            yield case.reason(FAILS, "kconfig", extern.name, message, *use)


def variables(case: Case) -> Iterator[Reason]:
    """Global and static variables."""
    answer = case.target.has("feature", "global_data")
    if answer.has:
        return
    for program in case.subject.programs:
        for kind in ("data", "kconfig"):
            for name, sites in program.of(kind).items():
                what = f"{table('kernels')['feature']['global_data']['text']}, such as {name}"
                reason = case.missing(answer, "data", name, what, program, sites)
                if reason is not None:
                    yield reason


def kinds(case: Case) -> Iterator[Reason]:
    """Kinds of types in the object that the kernel doesn't know: loaders write others for them."""
    btf = case.subject.found.btf
    if btf is None:
        return
    found = {Kind(btf.words[start + 1] >> 24 & 0x1F).name for start in btf.starts}
    lacking = [name for name in table("kernels")["btf"] if name in found and case.target.has("btf", name).has is False]
    if lacking:
        message = f"the kernel doesn't know {', '.join(lacking)} in the object's types; the loader writes others"
        yield case.reason(OK, "btf", " ".join(lacking), message)
