"""What a kernel or a loader said of a refusal → which kind of refusal it is, and the one line that says it best.

The texts are libbpf's (1.6, 1.7), cilium/ebpf's (0.22) and those of the kernel's verifier (5.10 to 7.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Optional

from bpfgen.frozen import frozen

DESCRIPTION = "description"
"""Of a failure for want of what the tool would say at run time: `[program.X.load]` can say it."""
CRASH, TIMEOUT = "crash", "timeout"
"""The machine died, or didn't answer, while it loaded the object."""
OTHER = "loader"
"""Nothing here knows the text: it stands for itself."""


@frozen
class Refusal:
    """Why something isn't loaded."""

    kind: str
    """As in `verdicts.model.Reason.kind`, where it has a name for it; else one of those above, `object`, `map`,
    `permission` or `verifier`."""
    text: str


MESSAGES: Sequence[tuple[str, str]] = (
    (DESCRIPTION, r"'dummy_\w+': -ESRCH|(?:fentry|fexit|fmod_ret|raw_tp|lsm) dummy_\w+ not supported"),
    (DESCRIPTION, r"attach_prog_fd|no attach target|target is not specified|attach target.*(?:not set|required)"),
    ("attach_target", r"failed to find kernel BTF type ID|(?:fentry|fexit|fmod_ret|raw_tp|lsm|iter) \S+ not supported"),
    ("attach_target", r"attach \S+: .*not (?:found|supported)|failed to find .* attach target"),
    ("kfunc", r"extern \(func ksym\)|kfunc \S+: |call to missing kfunc"),
    ("ksym", r"extern \((?:var )?ksym\)|ksym \S+: |kernel symbol \S+ not found"),
    ("kconfig", r"extern \(kcfg\)|\.kconfig|Kconfig"),
    ("core", r"CO-RE reloc|failed to (?:perform|resolve) CO-RE|fixup CO-RE|apply CO-RE"),
    ("program_type", r"struct_ops|program type \S+ .*not supported|unsupported program type"),
    ("map", r"map '[^']*': failed to (?:create|create inner)|^map \S+: map create|failed to create map"),
    ("btf", r"load BTF|loading (?:kernel )?BTF|valid kernel BTF|vmlinux BTF is not found"),
    ("permission", r"-EPERM|operation not permitted|MEMLOCK"),
)
"""Kinds by what a loader says, the first that fits; where there is a verifier's log, `LOGS` come first."""

LOGS: Sequence[tuple[str, str]] = (
    ("core", r"invalid CO-RE relocation|(?:invalid|unknown) func unknown#195896080"),
    ("kfunc", r"missing kfunc|unknown kernel func|calling kernel function|kernel function \S+ (?:is not|does not)"),
    ("kfunc", r"(?:invalid|unknown) func unknown#2[0-9]{9}"),
    ("helper", r"(?:invalid|unknown) func |cannot use helper|helper call is not allowed|call is not allowed in"),
    ("call", r"^Arg#\d+ type \w+ in \w+\(\) is not supported yet"),
    ("licence", r"GPL"),
    (
        "attach_target",
        r"The address of function \S+ cannot be found|is not found in (?:kernel )?BTF|attach to unsupported",
    ),
    ("attach_target", r"can't be traced|is not (?:a )?(?:traceable|modifiable|sleepable)"),
    (
        "isa",
        r"unknown opcode|unknown insn class|uses reserved fields|invalid atomic operand|invalid (?:BPF_\w+ )?opcode",
    ),
    ("limit", r"BPF program is too large|too many (?:states|instructions|jumps|subprograms)|is too complex|too large"),
)


def classify(message: str, log: Iterable[str]) -> Refusal:
    """The refusal behind a loader's message and the last lines of a verifier's log, which may be none."""
    lines = [line.strip() for line in log if line.strip() and not re.match(STATISTICS, line.strip())]
    for kind, pattern in LOGS:
        found = _last(pattern, lines)
        if found is not None:
            return Refusal(kind, found)
    if lines and not re.search(BEFORE_VERIFIER, message):
        return Refusal("verifier", _cause(lines))
    for kind, pattern in MESSAGES:
        if re.search(pattern, message):
            return Refusal(kind, shortened(message))
    if re.search(r"program load failed: -EINVAL|load program: invalid argument", message):
        return Refusal(
            "program_type", "the kernel doesn't know the type of this program, or where it is to be attached"
        )
    return Refusal(OTHER, shortened(message))


STATISTICS = (
    r"processed \d+ insns|verification time|stack depth|insns processed|mark_precise|max_states|-- (?:BEGIN|END)"
)
BEFORE_VERIFIER = r"failed to create|map create|failed to find kernel BTF"


def _last(pattern: str, lines: Sequence[str]) -> Optional[str]:
    return next((line for line in reversed(lines) if re.search(pattern, line)), None)


def _cause(lines: Sequence[str]) -> str:
    """The verifier's own words: its last line that is no instruction and no state of registers."""
    words = [
        line
        for line in lines
        if not re.match(r"\d+: |; |R\d+\w*=|from \d+ to|last_idx|regs=|parent |propagating", line)
    ]
    return words[-1] if words else lines[-1]


def shortened(message: str) -> str:
    """libbpf says a failure up to three times, each time with less: the first is the one to read."""
    parts = [part for part in message.split("; ") if "Retrying without BTF" not in part]
    text = parts[0] if parts else message
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


LONGEST = 300
"""Characters of a message in a table."""
