"""Words of kernels and loaders, as Debian's kernels of 5.10 to 7.2, libbpf 1.7 and cilium/ebpf 0.22 said them."""

from __future__ import annotations

import pytest

from bpfgen.verify.classify import classify

REFUSED = "prog 'p': BPF program load failed: -EINVAL; prog 'p': failed to load: -EINVAL"
STATISTICS = [
    "verification time 540 usec",
    "stack depth 0+0",
    "processed 8 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0",
]


@pytest.mark.parametrize(
    ("kind", "message", "log", "text"),
    [
        (
            "helper",
            REFUSED,
            ["3: (85) call bpf_get_socket_cookie#46", "unknown func bpf_get_socket_cookie#46", *STATISTICS],
            "unknown func bpf_get_socket_cookie#46",
        ),
        (
            "helper",
            REFUSED,
            ["program of this type cannot use helper bpf_get_socket_cookie#46", *STATISTICS],
            "program of this type cannot use helper bpf_get_socket_cookie#46",
        ),
        ("isa", REFUSED, ["BPF_STX uses reserved fields", *STATISTICS], "BPF_STX uses reserved fields"),
        ("core", REFUSED, ["invalid func unknown#195896080", *STATISTICS], "invalid func unknown#195896080"),
        (
            "verifier",
            "program p: load program: permission denied: stack depth 0+0 (15 line(s) omitted)",
            ["329: (bf) r2 = r6   ; R2_w=mem(off=0,imm=0)", "R2 type=mem expected=fp, pkt, map_key", *STATISTICS],
            "R2 type=mem expected=fp, pkt, map_key",
        ),
        (
            "attach_target",
            "prog 'p': failed to find kernel BTF type ID of 'block_io_start': -ESRCH; prog 'p': failed to load: -ESRCH",
            [],
            "prog 'p': failed to find kernel BTF type ID of 'block_io_start': -ESRCH",
        ),
        (
            "attach_target",
            "program p: attach Tracing/TraceFEntry: fentry blk_account_io_start not supported",
            [],
            "program p: attach Tracing/TraceFEntry: fentry blk_account_io_start not supported",
        ),
        (
            "description",
            "prog 'p': failed to find kernel BTF type ID of 'dummy_fentry': -ESRCH; prog 'p': failed to load: -ESRCH",
            [],
            "prog 'p': failed to find kernel BTF type ID of 'dummy_fentry': -ESRCH",
        ),
        (
            "description",
            "program p: attach Tracing/TraceFExit: fexit dummy_file_read not supported",
            [],
            "program p: attach Tracing/TraceFExit: fexit dummy_file_read not supported",
        ),
        (
            "map",
            "Error in bpf_create_map_xattr(e): -EINVAL. Retrying without BTF.; map 'events': failed to create: -EINVAL",
            [],
            "map 'events': failed to create: -EINVAL",
        ),
        ("map", "map stackmap: map create: invalid argument", [], "map stackmap: map create: invalid argument"),
        (
            "program_type",
            "struct_ops init_kern: struct bpf_struct_ops_sched_ext_ops is not found in kernel BTF",
            [],
            "struct_ops init_kern: struct bpf_struct_ops_sched_ext_ops is not found in kernel BTF",
        ),
        (
            "program_type",
            REFUSED,
            [],
            "the kernel doesn't know the type of this program, or where it is to be attached",
        ),
        (
            "kconfig",
            "program p: resolve .kconfig: variable LINUX_KERNEL_VERSION must be a 32 bits integer",
            [],
            "program p: resolve .kconfig: variable LINUX_KERNEL_VERSION must be a 32 bits integer",
        ),
        ("loader", "something that nobody has heard yet", [], "something that nobody has heard yet"),
    ],
)
def test_kind_and_text(kind: str, message: str, log: list[str], text: str) -> None:
    """The kind, and the line that says it best."""
    refusal = classify(message, log)
    assert (refusal.kind, refusal.text) == (kind, text)


def test_a_long_message_is_cut() -> None:
    """A table has no room for all that a loader can say."""
    assert len(classify("x" * 5000, []).text) < 400
