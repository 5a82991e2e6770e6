"""The part of the schema that says what is made of verdicts and of lints; `schema` has the rest."""

from __future__ import annotations

from typing import Literal, Optional

from bpfgen.config.values import Glob, Name, Sentence
from bpfgen.frozen import frozen


@frozen
class Allow:
    """Verdicts that are accepted: where all of this matches, they are neither errors nor warnings."""

    reason: Sentence
    """Why they may be as they are. It is shown with them."""
    program: Glob = "*"
    """Programs, by name."""
    kernel: Glob = "*"
    """Kernel targets, by name."""
    arch: Glob = "*"
    """Architectures."""
    need: Glob = "*"
    """What is needed and isn't there, as `bpfgen check` writes it in brackets, such as `helper:bpf_loop` or
    `core:task_struct.*`."""


@frozen
class Check:
    """What is made of verdicts: `fails` is an error, `conditional` and `unknown` are warnings, unless it says more."""

    loader: Literal["libbpf", "cilium"] = "libbpf"
    """What loads the objects: libbpf, or cilium/ebpf. They differ: cilium/ebpf also loads programs of `SEC("?…")`."""
    requires: Optional[tuple[Name, ...]] = None
    """Kernel targets that programs must be `ok` on, those of them that a program is for: there, `conditional` and
    `unknown` are errors too, and nothing is accepted."""
    allow: tuple[Allow, ...] = ()
    """Verdicts that are accepted, each in a table `[[check.allow]]`. One that matches nothing is a warning."""


@frozen
class Silence:
    """What lints find and is accepted: it is neither an error nor a warning."""

    code: Glob
    """Lints, by the code that `bpfgen lint` writes in brackets, such as `perf-buffer` or `dead-*`."""
    reason: Sentence
    """Why it may be as it is. It is shown with it."""
    program: Glob = "*"
    """Programs, by name."""


@frozen
class Lint:
    """What is made of lints (`bpfgen lint`)."""

    check: bool = False
    """`bpfgen check` looks at lints too."""
    allow: tuple[Silence, ...] = ()
    """What is accepted, each in a table `[[lint.allow]]`. One that matches nothing is a warning. A comment in a source,
    `// bpfgen: allow(CODE)`, accepts what is on its line or on the next one."""
