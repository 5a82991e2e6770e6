"""What each kind of reason is about, for people who read a finding without having read the documentation."""

from __future__ import annotations

from collections.abc import Mapping

from bpfgen.frozen import frozen


@frozen
class Kind:
    """A kind of reason."""

    title: str
    """A few words."""
    text: str
    """What it means that such a thing is missing."""
    help: str
    """What can be done."""


_GUARD = "Test for it before it is used, so that the kernel removes the code where it is missing"

KINDS: Mapping[str, Kind] = {
    "helper": Kind(
        "A helper is missing",
        "The program calls a helper of the kernel that this kernel doesn't have; its verifier refuses the program.",
        f"{_GUARD}: bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_…). Or leave the kernel out of `kernels`.",
    ),
    "kfunc": Kind(
        "A kernel function is missing",
        "The program calls a kernel function (kfunc) that this kernel doesn't have, or not for this type of program.",
        "Declare it __weak and test it with bpf_ksym_exists() before the call.",
    ),
    "ksym": Kind(
        "A kernel symbol is missing",
        "The program refers to a variable or function of the kernel that this kernel doesn't have.",
        "Declare it __ksym __weak and test its address before it is used.",
    ),
    "kconfig": Kind(
        "An option of the kernel's configuration is missing",
        "The program reads an option of the kernel's configuration that this kernel doesn't have.",
        "Declare it __kconfig __weak; it is 0 where it is missing.",
    ),
    "core": Kind(
        "A type or a field is missing",
        "A CO-RE relocation finds no such type, field or value in this kernel's types, so the code that needs it is "
        "poisoned.",
        "Test for it with bpf_core_field_exists(), bpf_core_type_exists() or bpf_core_enum_value_exists(), and read "
        "what this kernel has instead, by a type with a ___flavour.",
    ),
    "map_type": Kind(
        "A map type is missing",
        "The object declares a map of a type that this kernel doesn't have, so the whole object can't be loaded.",
        "Let the loader leave the map out where it isn't there (bpf_map__set_autocreate), or use an older type.",
    ),
    "map_flags": Kind(
        "A map's flag is missing",
        "The object declares a map with a flag that this kernel doesn't know, and it refuses to create the map.",
        "Set the flag at run time, where the kernel has it.",
    ),
    "map_size": Kind(
        "A map has no size",
        "The object leaves the size of a map to the program that loads it; by itself, it can't be created.",
        "Nothing, if your program sets it: bpf_map__set_max_entries, MapSpec.MaxEntries. Else give it max_entries.",
    ),
    "map_entry": Kind(
        "A map's keys or values have a size that it can't have",
        "Maps of this type have keys and values of one size or none, and kernels refuse to create them with another.",
        "Leave __type(key, …) and __type(value, …) out of a ring buffer; elsewhere, take the size that is named.",
    ),
    "program_type": Kind(
        "A program type is missing",
        "This kernel has no programs of this type.",
        'Let the loader leave the program out where it can\'t be loaded: SEC("?…") and bpf_program__set_autoload.',
    ),
    "attach_type": Kind(
        "An attach type is missing",
        "This kernel can't attach programs in this way.",
        'Let the loader leave the program out where it can\'t be loaded: SEC("?…") and bpf_program__set_autoload.',
    ),
    "attach_target": Kind(
        "What the program attaches to is missing",
        "This kernel has no such function, tracepoint or hook, or it can't be attached to.",
        "Have a program for each name that it has had, and let the loader choose.",
    ),
    "isa": Kind(
        "An instruction is missing",
        "The object has instructions of a newer instruction set than this kernel, or its JIT, knows.",
        'Compile for an older one: mcpu = "v2", or per_kernel = true for one object for each kernel.',
    ),
    "call": Kind(
        "A way to call functions is missing",
        "This kernel, or its JIT, can't call BPF functions in this way, or not together with tail calls.",
        "Inline the functions (static __always_inline), or avoid the combination.",
    ),
    "data": Kind(
        "Global data is missing",
        "This kernel has no global variables of BPF programs (they came with 5.2).",
        "Keep the values in a map of your own.",
    ),
    "sleepable": Kind(
        "Sleepable programs are missing",
        "This kernel has no sleepable programs of this type.",
        "Leave out the .s of the section's name, and what may sleep.",
    ),
    "btf": Kind(
        "Types are missing",
        "This kernel has no types of its own (BTF), or can't read the object's.",
        "Ship the kernel's types with the program, or build for the kernel: per_kernel = true.",
    ),
    "limit": Kind(
        "A limit is exceeded",
        "The object is larger than this kernel allows: instructions, stack, arguments, nesting or names.",
        "Make it smaller for this kernel, such as by a variant or per_kernel = true.",
    ),
    "licence": Kind(
        "The licence isn't GPL-compatible",
        "The program calls a helper that only GPL-compatible programs may call.",
        'Declare a compatible licence: char LICENSE[] SEC("license") = "GPL"; or "Dual MIT/GPL".',
    ),
}
"""By `Reason.kind`."""

OTHER = Kind("Something that the object needs is missing", "This kernel can't load the object.", "Read the message.")


def kind(name: str) -> Kind:
    """A kind by its name; never fails."""
    return KINDS.get(name, OTHER)
