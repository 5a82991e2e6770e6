"""Machines that qemu emulates, one for each architecture, as data: what was tried is in `docs/verify.md`."""

from __future__ import annotations

from collections.abc import Mapping

from bpfgen.frozen import frozen

QUIET = "quiet panic=-1 nokaslr mitigations=off cryptomgr.notests audit=0 apparmor=0 selinux=0"
"""Of the kernel's command line: it restarts where it panics, which ends qemu, and does nothing that takes time."""


@frozen
class Machine:
    """A machine for one architecture."""

    qemu: str
    package: str
    """Debian's package of it."""
    model: tuple[str, ...]
    processor: str
    """The emulated one."""
    ports: tuple[str, ...]
    """Words that give it two serial ports, of the character devices `console` and `answers`."""
    console: str
    """The name of the first one for the kernel."""
    answers: str
    """The device of the second one."""
    append: str = ""
    """More of the kernel's command line."""


MACHINES: Mapping[str, Machine] = {
    "amd64": Machine(
        qemu="qemu-system-x86_64",
        package="qemu-system-x86",
        model=("-M", "q35"),
        processor="max",
        ports=("-serial", "chardev:console", "-serial", "chardev:answers"),
        console="ttyS0",
        answers="/dev/ttyS1",
        append="reboot=t no_timer_check tsc=reliable",
    ),
    "arm64": Machine(
        qemu="qemu-system-aarch64",
        package="qemu-system-arm",
        model=("-M", "virt"),
        processor="cortex-a57",
        # This machine has one port of its own.
        ports=("-serial", "chardev:console", "-device", "pci-serial,chardev=answers"),
        console="ttyAMA0",
        answers="/dev/ttyS0",
    ),
}
