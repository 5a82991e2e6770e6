"""What a container or a remote host has: one shell script that looks, and findings from what it prints."""

from __future__ import annotations

import re
from typing import Optional

from bpfgen.config.schema import Toolchain
from bpfgen.doctor import Finding
from bpfgen.quote import shell_word
from bpfgen.toolchain import meets, names_in_shell


def script(toolchain: Toolchain, root: str, path: Optional[str]) -> str:
    """Prints a line for each thing that is there: `visible`, `clang NAME VERSION`, `libbpf`; then `end`."""
    wanted = toolchain.clang
    names = names_in_shell(root, "auto" if wanted == "wheel" else wanted)
    lines = [
        f"test -e {shell_word(path)} && echo visible" if path else ":",
        f"for name in {names}; do",
        '  "$name" -print-targets 2>/dev/null | grep -q bpfel || continue',
        '  echo "clang $name $("$name" --version | sed -n "s/.*clang version \\([0-9.]*\\).*/\\1/p")"',
        "done",
        "test -e /usr/include/bpf/bpf_helpers.h && echo libbpf",
        "echo end",
    ]
    return "\n".join(lines)


def findings(toolchain: Toolchain, place: str, said: str, mend: str) -> list[Finding]:
    """On the compiler and libbpf of a place, such as `the image x`, which `mend` makes anew."""
    clangs = re.findall(r"^clang (\S+) ([0-9.]+)$", said, re.MULTILINE)
    fit = [f"{name} (clang {version})" for name, version in clangs if meets(version, toolchain.require)]
    if fit:
        rows = [Finding("clang", "ok", f"{fit[0]} in {place}")]
    elif clangs:
        have = ", ".join(f"{name} {version}" for name, version in clangs)
        found = f'{place} has {have}, and toolchain.require is "{toolchain.require}"'
        rows = [Finding("clang", "failure", found, mend)]
    else:
        named = "" if toolchain.clang == "auto" else f' "{toolchain.clang}"'
        rows = [Finding("clang", "failure", f"{place} has no clang{named} with the BPF target", mend)]
    if re.search(r"^libbpf$", said, re.MULTILINE):
        return [*rows, Finding("libbpf", "ok", f"<bpf/bpf_helpers.h> in {place}")]
    return [*rows, Finding("libbpf", "warning", f"{place} has no <bpf/bpf_helpers.h>", mend)]
