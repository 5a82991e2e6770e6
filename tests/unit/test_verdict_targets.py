"""What is known of a kernel: which source counts, and which upstream versions it can be."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from bpfgen.catalog import features, table, version
from bpfgen.verdicts.span import Span, between, exactly, narrowed
from bpfgen.verdicts.target import Answer, Known, Target, allowed

PROFILE: dict[str, Any] = {
    "system_config": {"CONFIG_HZ": "250", "CONFIG_BPF_LSM": None},
    "map_types": {"have_ringbuf_map_type": True, "have_arena_map_type": False},
    "program_types": {"have_netfilter_prog_type": True},
    "helpers": {"xdp_available_helpers": ["bpf_loop"], "kprobe_available_helpers": ["bpf_probe_read"]},
}


def target(**known: Any) -> Target:
    return Target(Known("k", **{"arch": "amd64", **known}))


@pytest.mark.parametrize(
    ("known", "kind", "name", "wanted"),
    [
        ({"upstream": "5.16"}, "helper", "bpf_loop", Answer(False, "upstream", "5.17")),
        ({"upstream": "5.17"}, "helper", "bpf_loop", Answer(True, "upstream", "5.17")),
        ({"upstream": "5.17.3"}, "helper", "bpf_loop", Answer(True, "upstream", "5.17")),
        ({"upstream": "5.16", "assume": ("helper:bpf_loop",)}, "helper", "bpf_loop", Answer(True, "assume", "5.17")),
        (
            {"upstream": "5.4", "assume": ("map_type:BPF_MAP_TYPE_RINGBUF",)},
            "map_type",
            "ringbuf",
            Answer(True, "assume", "5.8"),
        ),
        ({"upstream": "5.4", "profile": PROFILE}, "map_type", "ringbuf", Answer(True, "profile", "5.8")),
        ({"upstream": "6.12", "profile": PROFILE}, "map_type", "arena", Answer(False, "profile", "6.9")),
        ({"upstream": "5.4", "profile": PROFILE}, "program_type", "netfilter", Answer(True, "profile", "6.4")),
        # An old bpftool says of every helper that it is there.
        ({"upstream": "5.4", "profile": PROFILE}, "helper", "bpf_loop", Answer(False, "upstream", "5.17")),
        (
            {"upstream": "5.4", "profile": PROFILE, "tools": {"libbpf": "v1.5"}},
            "helper",
            "bpf_loop",
            Answer(True, "profile", "5.17"),
        ),
        ({}, "helper", "bpf_loop", Answer(None, "upstream", "5.17")),
        ({}, "helper", "4711", Answer(None)),
        ({}, "isa", "base", Answer(True)),
        ({"upstream": "6.0"}, "jit", "trampoline", Answer(True, "upstream", "5.5")),
        ({"upstream": "6.0", "arch": "mips"}, "jit", "trampoline", Answer(None)),
        ({"upstream": "6.4"}, "map_flag", "BPF_F_LINK", Answer(True, "upstream", "6.4")),
        ({"upstream": "6.4"}, "map_flag", "bit 31", Answer(None)),
    ],
)
def test_the_best_source_counts(known: dict[str, Any], kind: str, name: str, wanted: Answer) -> None:
    assert target(**known).has(kind, name) == wanted


def test_helpers_by_type_of_program() -> None:
    """By a profile that can be trusted, else by the catalogue; of what is in neither, nothing is said."""
    known = target(profile=PROFILE, tools={"libbpf": "v1.6"})
    assert [known.calls(each, "xdp").has for each in ("bpf_loop", "bpf_redirect_map")] == [True, False]
    assert known.calls("bpf_redirect_map", "sched_cls").has is False  # by the catalogue
    assert target(profile=PROFILE, upstream="6.1").calls("bpf_redirect_map", "xdp").has is True


@pytest.mark.parametrize(
    ("release", "call", "wanted"),
    [
        ("6.1", ("bpf_probe_read", "tracing", "trace_iter"), True),
        ("6.1", ("bpf_probe_read", "xdp"), False),
        ("6.12", ("bpf_get_current_comm", "xdp"), False),
        ("7.2", ("bpf_get_current_comm", "xdp"), True),
        ("6.15", ("bpf_get_current_comm", "xdp"), None),  # 6.12 says no, 7.2 yes
        ("5.4", ("bpf_get_current_comm", "xdp"), False),
        ("5.4", ("bpf_redirect_map", "xdp"), None),  # older than all that were asked
        ("6.1", ("4711", "xdp"), None),
        ("6.1", ("bpf_loop", "struct_ops"), None),
        ("6.1", ("bpf_d_path", "tracing", "trace_fentry"), None),  # some functions may, others not
        ("5.10", ("bpf_getsockopt", "cgroup_sock_addr", "cgroup_udp4_sendmsg"), False),
        ("6.1", ("bpf_getsockopt", "cgroup_sock_addr", "cgroup_udp4_sendmsg"), True),
        ("6.1", ("bpf_copy_from_user", "kprobe"), False),
        ("6.1", ("bpf_copy_from_user", "kprobe", "", True), True),
    ],
)
def test_helpers_by_type_and_version(release: str, call: tuple[Any, ...], wanted: Optional[bool]) -> None:
    """By the kernels that were asked; between two that say different things, nothing is known."""
    assert target(upstream=release).calls(*call).has is wanted


def test_options_of_the_configuration() -> None:
    known = target(profile=PROFILE)
    assert [known.option(name) for name in ("CONFIG_HZ", "CONFIG_BPF_LSM", "CONFIG_X")] == ["250", None, None]


@pytest.mark.parametrize(
    ("present", "absent", "wanted"),
    [
        (["4.1", "5.10"], ["5.11", "6.1"], Span((5, 10), (5, 11))),
        (["5.10"], [], Span((5, 10))),
        ([], ["5.8"], Span(None, (5, 8))),
        # A backport of something of 6.6 into 5.14, which lacks 5.15 and what follows.
        (["5.13", "5.14", "6.6"], ["5.15", "6.1", "6.7"], Span((5, 14), (6, 7))),
        (["6.6"], ["5.15"], Span(None, (7, 0))),
    ],
)
def test_versions_by_what_is_there(present: list[str], absent: list[str], wanted: Span) -> None:
    assert between(present, absent) == wanted


@pytest.mark.parametrize(
    ("span", "claim", "wanted"),
    [
        (Span((6, 10), (6, 13)), "6.12", exactly("6.12")),
        (Span((5, 10), (5, 11)), "5.10", exactly("5.10")),
        (Span((6, 10), (6, 13)), "5.14", Span((6, 10), (6, 13))),
        (Span((6, 10), (6, 13)), "6.15", Span((6, 10), (6, 13))),
        (Span((7, 2)), "7.3", exactly("7.3")),
    ],
)
def test_a_claim_counts_where_the_types_agree(span: Span, claim: str, wanted: Span) -> None:
    """A distribution's 5.14 can have what came with 6.10."""
    assert narrowed(span, claim) == wanted


@pytest.mark.parametrize(("since", "wanted"), [("6.10", True), ("6.12", None), ("6.13", False)])
def test_between_is_either(since: str, wanted: Optional[bool]) -> None:
    assert Span((6, 10), (6, 13)).reaches(since) is wanted


def test_every_fact_has_a_source_and_a_version() -> None:
    """And each flag of maps its own bit."""
    facts = table("kernels")
    for kind in ("feature", "map_flag"):
        for name, row in facts[kind].items():
            assert version(row["since"]), name
            assert row["source"], name
    for name, row in facts["jit"].items():
        assert min(map(version, row["since"].values())) >= (4, 0), name
        assert row.keys() - {"shown"} == {"text", "source", "since"}, name
    bits = [row["bit"] for row in facts["map_flag"].values()]
    assert bits == list(range(len(bits)))


def test_helpers_that_types_may_call_are_known() -> None:
    """Of types that there are, and helpers that there are."""
    types = {name[len("BPF_PROG_TYPE_") :].lower() for name in features("program_type")}
    assert {name.partition(".")[0] for name in allowed()} <= types
    assert set().union(*allowed().values()) <= features("helper").keys()
    assert set(table("kernels")["program"]) <= types
