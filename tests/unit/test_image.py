"""What a lock file has of an image."""

from __future__ import annotations

import pytest

from bpfgen.builders import pinned

ID = "sha256:" + "1" * 64
DIGEST = "@sha256:" + "2" * 64


@pytest.mark.parametrize(
    ("reference", "digests", "expected"),
    [
        ("registry.example:5000/acme/bpf:19", ["registry.example:5000/acme/bpf"], "registry.example:5000/acme/bpf"),
        ("registry.example:5000/acme/bpf", ["registry.example:5000/acme/bpf"], "registry.example:5000/acme/bpf"),
        # docker says it the short way, podman the long one.
        ("docker.io/library/debian:12", ["other", "debian"], "debian"),
        ("debian:12", ["docker.io/library/debian"], "docker.io/library/debian"),
        ("bpf:19", ["localhost/bpf"], "localhost/bpf"),
        ("bpf:19", [], None),
        ("bpf:19", ["registry.example/other"], None),
    ],
)
def test_pinned(reference: str, digests: list[str], expected: str | None) -> None:
    """By the digest of the repository that was asked for, or else the id."""
    named = pinned(reference, [digest + DIGEST for digest in digests], ID)
    assert named == (expected + DIGEST if expected else ID)
