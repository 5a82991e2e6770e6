"""What is better in programs, and isn't what a kernel refuses: a function for each lint, in one table.

A lint takes a `Case`, one object that was built, and gives what it found. Its level and its words are in
`catalog/lints.toml`, by the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bpfgen.lints import headers, maps, programs, stack
from bpfgen.lints.case import Case
from bpfgen.lints.model import Found

Lint = Callable[[Case], Iterator[Found]]

LINTS: Mapping[str, Lint] = {
    "host-header": headers.host_header,
    "absolute-include": headers.absolute_include,
    "target-arch": programs.target_arch,
    "licence-missing": programs.licence_missing,
    "licence-gpl": programs.licence_gpl,
    "stack-limit": stack.stack_limit,
    "stack-near": stack.stack_near,
    "map-types": maps.map_types,
    "map-legacy": maps.map_legacy,
    "dead-program": programs.dead_program,
    "dead-function": programs.dead_function,
    "dead-map": maps.dead_map,
    "deprecated-helper": programs.deprecated_helper,
    "deprecated-section": programs.deprecated_section,
    "perf-buffer": maps.perf_buffer,
}
"""By the code that silences it."""
