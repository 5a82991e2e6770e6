"""What a loader is given, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.verify.job import Item, Module, Needs, files
from bpfgen.verify.protocol import DIED, DONE, SILENT, Silence, event, heard

START = b'{"event":"start","kernel":"6.1.0-50-cloud-amd64","loader":"libbpf 1.7"}'
BEGIN = b'{"event":"begin","object":"a/bpfel"}'
END = b'{"event":"end","object":"a/bpfel","ok":true,"programs":[]}'
ITEM = Item("a/bpfel", "out/obj/a/bpfel.bpf.o", b"\x7fELF", Needs({"events": 8}, {"enter": "vfs_read"}))


def test_job() -> None:
    """Each line is words with tabs between them; each object's needs stand behind it."""
    found = dict(files([ITEM], [Module("md_mod", b"ko")], "/dev/ttyS1"))
    assert found == {
        "job": b"port\t/dev/ttyS1\nmodule\tmodules/0.ko\nobject\ta/bpfel\tobjects/0.o\nmap\tevents\t8\n"
        b"attach\tenter\tvfs_read\n",
        "modules/0.ko": b"ko",
        "objects/0.o": b"\x7fELF",
    }


def test_key() -> None:
    """An outcome is known again while the object, what is said of it and the kernel are the same; not otherwise."""
    others = [
        Item("a/bpfel", "", b"\x7fELG", ITEM.needs),
        Item("a/bpfel", "", b"\x7fELF", Needs({"events": 9}, {"enter": "vfs_read"})),
        Item("a/bpfel", "", b"\x7fELF", Needs({"events": 8}, {"enter": "vfs_read"}, modules=("x",))),
    ]
    assert ITEM.key("k") == Item("b/bpfel", "elsewhere", b"\x7fELF", ITEM.needs).key("k")
    assert len({ITEM.key("k"), ITEM.key("other"), *(other.key("k") for other in others)}) == 5
    accepted = Needs({"events": 8}, {"enter": "vfs_read"}, ("p",), (), {"k": "why"})
    assert ITEM.key("k") == Item("a/bpfel", "", b"\x7fELF", accepted).key("k")


def test_whole_run() -> None:
    """What is heard of a run that does its job; what a kernel writes in between is left out."""
    found = heard(
        [START, b"[    1.2] a kernel's words", BEGIN, b'{"event": "end", "obj', b"[1, 2]", END, b'{"event":"done"}']
    )
    assert (found.ended, found.kernel, found.loader, found.busy) == (DONE, "6.1.0-50-cloud-amd64", "libbpf 1.7", "")
    assert found.outcomes == {"a/bpfel": event(END)}


def test_death_and_silence() -> None:
    """The object that it was busy with is known, whichever way it ends."""

    def silent() -> Iterator[bytes]:
        yield from (START, BEGIN)
        raise Silence

    assert heard([START, BEGIN]).ended == DIED
    assert heard(silent()).ended == SILENT
    assert heard([START, BEGIN]).busy == heard(silent()).busy == "a/bpfel"
    assert heard([]).kernel == ""
