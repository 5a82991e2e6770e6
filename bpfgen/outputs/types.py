"""A kernel target's types as raw BTF, out of whatever it comes in."""

from __future__ import annotations

from bpfgen.errors import Failure, Location, Problem
from bpfgen.files import write_if_changed
from bpfgen.kernels.unusable import Unusable


def step(file: str, kernel: str, source: str, path: str) -> None:
    """Writes the BTF of the kernel in `source`, which can have any form that `kernels.extract` knows.

    `file` is the project's build.toml, in which problems are placed. Raises `Failure` and `OSError`.
    """
    from bpfgen.kernels.extract import kernel_btf

    try:
        write_if_changed(path, kernel_btf(source))
    except Unusable as error:
        raise Failure([refusal(file, kernel, source, error)]) from error


def refusal(file: str, kernel: str, source: str, error: Unusable, key: str = "btf") -> Problem:
    """The problem, at the kernel's `key` in build.toml as it is now; at the file, where that isn't there any more."""
    from bpfgen.config.source import read_document

    try:
        document = read_document(file, _bytes(file))
        where = document.where(("kernel", kernel, key))
    except (OSError, Failure):
        where = Location(source)
    return Problem(where, f'"{source}" {error.message}', error.hint)


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
