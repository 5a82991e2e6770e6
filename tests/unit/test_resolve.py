"""CO-RE relocations against types made by hand: each rule of both loaders. tests/real/test_core.py asks them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Optional

import pytest
from btffile import Builder

from bpfgen.bpf.btf import Btf, Kind
from bpfgen.bpf.code import Function
from bpfgen.bpf.core import CoreRelocation, read_access
from bpfgen.bpf.corecilium import Cilium
from bpfgen.bpf.corecilium import essential_name as cilium_name
from bpfgen.bpf.corelibbpf import Libbpf
from bpfgen.bpf.insns import LD_IMM64, Insn
from bpfgen.bpf.kernel import KernelTypes
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.resolution import AMBIGUOUS, MISSING, REFUSED, RESOLVED, Asked, Own, Resolution
from bpfgen.bpf.resolve import Resolver
from bpfgen.bpf.shapes import Shapes

OBJECTS = Path(__file__).parents[1] / "data" / "objects"
OFFSET, SIZE, EXISTS, SIGNED, LEFT, RIGHT, LOCAL_ID, ID, TYPE_EXISTS, TYPE_SIZE, VALUE_EXISTS, VALUE, MATCHES = range(
    13
)
LOAD, ADD = 0x61, 0x07
"""`r0 = *(u32 *)(r1 + …)`, `r0 += …`"""
FUNCTION = Function("f", "xdp", 0, (), {})
Members = list[tuple[str, int, int]]
"""Name, type, and offset in bits, with the size of a bitfield in the upper eight."""


class Types(Builder):
    """Types with members in one call; 1 is an int of 32 bits, 2 a pointer to nothing, 3 a signed int, 4 one of 64."""

    def __init__(self, order: str = "<", base: Optional[Builder] = None) -> None:
        super().__init__(order, base)
        if base is None:
            self.add(Kind.INT, "unsigned int", 4, 32)
            self.add(Kind.PTR, "", 0)
            self.add(Kind.INT, "int", 4, 1 << 24 | 32)
            self.add(Kind.INT, "unsigned long", 8, 64)

    def struct(self, name: str, size: int, members: Members, kind: Kind = Kind.STRUCT, flag: bool = False) -> int:
        """A struct or union."""
        words = [word for own, number, at in members for word in (self.name(own) if own else 0, number, at)]
        return self.add(kind, name, size, *words, items=len(members), flag=flag)

    def enum(self, name: str, values: dict[str, int], kind: Kind = Kind.ENUM, flag: bool = False) -> int:
        """An enum of 32 or 64 bits."""
        words = []
        for own, number in values.items():
            words += [self.name(own), number & 0xFFFFFFFF]
            words += [number >> 32 & 0xFFFFFFFF] if kind is Kind.ENUM64 else []
        return self.add(kind, name, 4 if kind is Kind.ENUM else 8, *words, items=len(values), flag=flag)


class Program:
    """Types of a program with relocations."""

    def __init__(self, types: Types) -> None:
        self.btf = Btf(types.bytes())
        self.asked: list[Asked] = []

    def ask(self, root: int, string: str, kind: int, code: int = ADD, has: int = 0) -> Program:
        """One more relocation, of an instruction that has what the program's types say, unless `has` is given."""
        slot = len(self.asked)
        relocation = CoreRelocation("xdp", slot, kind, string, read_access(self.btf, root, string, kind))
        number = has or (Own(Shapes(self.btf)).value(relocation).number if kind != LOCAL_ID else root)
        load = code & 7 in (1, 2, 3)
        insn = Insn(slot, code, 0, int(load), number if load else 0, 0 if load else number & 0xFFFFFFFF, number >> 32)
        self.asked.append(Asked(relocation, insn, FUNCTION))
        return self

    def libbpf(self, kernel: Types, **modules: Callable[[], bytes]) -> list[Resolution]:
        """What libbpf makes of them."""
        run = Libbpf(Own(Shapes(self.btf)), KernelTypes(kernel.bytes(), modules))
        return [run.resolution(each) for each in self.asked]

    def cilium(self, kernel: Types, **modules: Callable[[], bytes]) -> list[Resolution]:
        """What cilium/ebpf makes of them."""
        found = Cilium(Own(Shapes(self.btf)), KernelTypes(kernel.bytes(), modules)).resolutions(self.asked)
        return [each for _place, each in sorted(found, key=lambda row: row[0])]


def states(found: list[Resolution]) -> list[object]:
    return [each.value if each.state == RESOLVED else each.state for each in found]


def one_member(name: str, number: int, types: Optional[Types] = None) -> Types:
    """`struct s { … }` with one member at byte 4."""
    found = types or Types()
    found.struct("s", 16, [(name, number, 32)])
    return found


def asked(kind: int = OFFSET, number: int = 1, string: str = "0:0", code: int = ADD) -> Program:
    types = one_member("a", number)
    return Program(types).ask(5, string, kind, code)


def test_a_member_that_moved() -> None:
    kernel = Types()
    inner = kernel.struct("", 8, [("x", 1, 0), ("a", 1, 32)], Kind.UNION)
    outer = kernel.struct("s", 32, [("y", 1, 0), ("", inner, 64)])
    for run in (asked(code=LOAD).libbpf, asked(code=LOAD).cilium):
        (found,) = run(kernel)
        assert (found.state, found.value, found.message) == (RESOLVED, 12, "")
        (match,) = found.matches
        assert (match.module, match.root, match.steps, match.bits) == ("", outer, ((outer, 1), (inner, 1)), 96)


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (Types(), "s.a: this kernel has no struct s"),
        (one_member("b", 1), "s.a: this kernel's s has no member a"),
        (one_member("a", 2), "s.a: this kernel's s.a is a pointer, the program's an int"),
    ],
)
def test_a_member_that_is_not_there(kernel: Types, message: str) -> None:
    for program in (asked(), asked(SIZE)):
        assert [(each.state, each.value, each.message) for each in program.libbpf(kernel)] == [(MISSING, None, message)]
        assert states(program.cilium(kernel)) == [MISSING]
    for run in (asked(EXISTS).libbpf, asked(EXISTS).cilium):
        (found,) = run(kernel)
        assert (found.state, found.value, found.message, found.matches) == (RESOLVED, 0, message, ())


def test_near_names_are_told() -> None:
    program = Program(one_member("state", 1)).ask(5, "0:0", OFFSET)
    (found,) = program.libbpf(one_member("__state", 1))
    assert found.message == "s.state: this kernel's s has no member state (it has __state)"


def test_a_type_of_another_kind() -> None:
    kernel = Types()
    kernel.struct("s", 16, [("a", 1, 32)], Kind.UNION)
    (found,) = asked().libbpf(kernel)
    assert (found.state, found.message) == (MISSING, "s.a: this kernel's s is a union, the program's a struct")
    assert states(asked().cilium(kernel)) == [4]


def test_flavours() -> None:
    mine = Types()
    mine.struct("s___old", 4, [("a", 1, 0)])
    kernel = one_member("a", 1)
    kernel.struct("s___2", 16, [("a", 1, 32)])
    program = Program(mine).ask(5, "0:0", OFFSET)
    (found,) = program.libbpf(kernel)
    assert (found.value, len(found.matches)) == (4, 2)
    assert states(program.cilium(kernel)) == [4]
    kernel.struct("s___3", 16, [("a", 1, 64)])
    for run in (program.libbpf, program.cilium):
        (found,) = run(kernel)
        assert (found.state, found.value, len(found.matches)) == (AMBIGUOUS, None, 3)
        assert found.message == "s___old.a: this kernel has several types of that name, which say 4 and 8"
    assert [cilium_name(each) for each in ("a___b", "a____b", "a___", "___a")] == ["a", "a_", "a", "___a"]


def test_candidates_that_fit_once_stay() -> None:
    """libbpf leaves out what didn't fit an earlier relocation; cilium/ebpf takes the type that fits most."""
    mine = Types()
    mine.struct("s", 8, [("a", 1, 0), ("b", 1, 32)])
    program = Program(mine).ask(5, "0:0", OFFSET).ask(5, "0:1", OFFSET).ask(5, "0:0", EXISTS)
    kernel = one_member("a", 1)
    kernel.struct("s___2", 16, [("b", 1, 64)])
    assert states(program.libbpf(kernel)) == [4, MISSING, 1]
    assert states(program.cilium(kernel)) == [4, MISSING, 1]


@pytest.mark.parametrize(
    ("mine", "theirs", "fits"),
    [
        (lambda _: 1, lambda _: 4, True),  # integers of any size
        (lambda _: 2, lambda t: t.add(Kind.PTR, "", 1), True),  # any pointers
        (lambda t: t.struct("m", 4, []), lambda t: t.struct("n", 4, [], Kind.UNION), True),
        (lambda t: t.add(Kind.ARRAY, "", 0, 1, 1, 4), lambda t: t.add(Kind.ARRAY, "", 0, 4, 1, 9), True),
        (lambda t: t.add(Kind.ARRAY, "", 0, 1, 1, 4), lambda t: t.add(Kind.ARRAY, "", 0, 2, 1, 4), False),
        (lambda t: t.enum("e___x", {"A": 0}), lambda t: t.enum("e", {"B": 1}), True),
        (lambda t: t.enum("e", {"A": 0}), lambda t: t.enum("f", {"A": 0}), False),
        (lambda t: t.enum("e", {"A": 0}), lambda t: t.enum("", {"A": 0}, Kind.ENUM64), True),
        (lambda t: t.enum("e", {"A": 0}), lambda _: 1, False),
        (lambda t: t.add(Kind.TYPEDEF, "u", 1), lambda t: t.add(Kind.CONST, "", 1), True),
    ],
)
def test_members_that_fit(mine: Callable[[Types], int], theirs: Callable[[Types], int], fits: bool) -> None:
    own, kernel = Types(), Types()
    root = own.struct("s", 64, [("a", mine(own), 0)])
    kernel.struct("s", 64, [("a", theirs(kernel), 64)])
    program = Program(own).ask(root, "0:0", OFFSET)
    assert states(program.libbpf(kernel)) == [8 if fits else MISSING]
    assert states(program.cilium(kernel)) == [8 if fits else MISSING]


def test_elements() -> None:
    """Within the kernel's array, unless that has no end; of an array of structs by its size here."""
    for length, last, expected in ((4, False, 36), (3, False, MISSING), (0, True, 36)):
        own, kernel = Types(), Types()
        root = own.struct("s", 64, [("a", own.add(Kind.ARRAY, "", 0, 1, 1, 4), 0)])
        array = kernel.add(Kind.ARRAY, "", 0, 4, 1, length)
        kernel.struct("s", 64, [("a", array, 96), *([] if last else [("b", 1, 480)])])
        program = Program(own).ask(root, "0:0:3", OFFSET)
        assert states(program.libbpf(kernel)) == [expected]
        assert states(program.cilium(kernel)) == [expected]
    (found,) = asked(string="2:0").libbpf(one_member("a", 1))
    assert (found.value, found.matches[0].bits) == (36, 288)


def test_a_load_of_another_size() -> None:
    """Of unsigned integers and of pointers it may be made another one; of others libbpf makes it none."""
    for mine, theirs, expected in ((1, 4, 4), (3, 4, MISSING), (1, 3, 4)):
        program = asked(OFFSET, mine, code=LOAD)
        assert states(program.libbpf(one_member("a", theirs))) == [expected]
        assert states(program.cilium(one_member("a", theirs))) == [4]
        assert states(asked(OFFSET, mine).libbpf(one_member("a", theirs))) == [4]


def test_an_offset_that_no_load_has() -> None:
    kernel = Types()
    kernel.struct("s", 1 << 17, [("a", 1, 8 << 15)])
    for run in (asked(code=LOAD).libbpf, asked(code=LOAD).cilium):
        (found,) = run(kernel)
        assert (found.state, found.value) == (REFUSED, None)
        assert found.message == "s.a: its offset 32768 is beyond what a load or store can have, 32767"
    assert states(asked().libbpf(kernel)) == [32768]


def test_an_instruction_that_says_something_else() -> None:
    program = Program(one_member("a", 1)).ask(5, "0:0", OFFSET, has=12)
    for run in (program.libbpf, program.cilium):
        (found,) = run(one_member("a", 1))
        assert found.message == "s.a: its instruction has 12, where the program's types say 4"
    (found,) = Program(one_member("a", 1)).ask(5, "0:0", OFFSET, code=0x0F).libbpf(one_member("a", 1))
    assert found.message == "s.a: its instruction takes no such number"


@pytest.mark.parametrize("order", ["<", ">"])
def test_bitfields(order: str) -> None:
    """Five bits at bit 43; then 20 at 52, which is more than one word of its type."""
    own, kernel = Types(order), Types(order)
    root = own.struct("s", 8, [("a", 3, 5 << 24 | 0), ("b", 1, 20 << 24 | 0)], flag=True)
    kernel.struct("s", 16, [("a", 3, 5 << 24 | 43), ("b", 1, 20 << 24 | 52)], flag=True)
    program = Program(own)
    for member in ("0:0", "0:1"):
        for kind in (OFFSET, SIZE, LEFT, RIGHT, SIGNED):
            program.ask(root, member, kind, LD_IMM64)
    little = order == "<"
    first = [4, 4, 64 - 11 - 5 if little else 32 + 11, 59, 1]
    assert states(program.libbpf(kernel))[:5] == first
    assert states(program.cilium(kernel))[:5] == first
    assert states(program.libbpf(kernel))[5:] == [REFUSED, REFUSED, REFUSED, REFUSED, 0]
    assert states(program.cilium(kernel))[5:7] == [4, 4]


def test_types_as_a_whole() -> None:
    kinds = (TYPE_EXISTS, MATCHES, TYPE_SIZE, ID)
    own, kernel = one_member("a", 1), one_member("a", 1)
    program = Program(own)
    for kind in kinds:
        program.ask(5, "0", kind, LD_IMM64)
    assert states(program.libbpf(kernel)) == states(program.cilium(kernel)) == [1, 1, 16, 5]
    assert states(program.libbpf(Types())) == [0, 0, 0, 0]
    assert states(program.cilium(Types())) == [0, 0, MISSING, MISSING]
    other = one_member("b", 1)
    assert states(program.libbpf(other)) == states(program.cilium(other)) == [1, 0, 16, 5]
    (found,) = Program(own).ask(5, "0", LOCAL_ID, LD_IMM64).libbpf(Types())
    assert (found.state, found.value) == (RESOLVED, 5)


def pointer_to(types: Types, target: int) -> int:
    return types.add(Kind.PTR, "", target)


def union_to_come(types: Types) -> int:
    return types.add(Kind.PTR, "", types.add(Kind.FWD, "o", 0, flag=True))


@pytest.mark.parametrize(
    ("mine", "theirs", "libbpf", "cilium"),
    [
        (lambda _: 1, lambda _: 3, 0, 0),  # another sign and name
        (lambda t: t.enum("e", {"A": 0}), lambda t: t.enum("e", {"A": 5, "B": 1}), 1, 1),
        (lambda t: t.enum("e", {"A": 0, "C": 1}), lambda t: t.enum("e", {"A": 5, "B": 1}), 0, 0),
        (lambda t: t.add(Kind.ARRAY, "", 0, 1, 1, 4), lambda t: t.add(Kind.ARRAY, "", 0, 1, 1, 5), 0, 0),
        (lambda t: pointer_to(t, t.struct("o", 4, [("x", 1, 0)])), lambda t: pointer_to(t, t.struct("o", 0, [])), 1, 0),
        (lambda t: pointer_to(t, t.struct("o", 4, [])), lambda t: pointer_to(t, t.add(Kind.FWD, "o", 0)), 1, 1),
        (union_to_come, lambda t: pointer_to(t, t.struct("o", 0, [])), 0, 0),
        (lambda t: t.struct("o", 4, []), lambda t: t.struct("o", 4, [], Kind.UNION), 0, 0),
        (lambda t: pointer_to(t, t.add(Kind.FUNC_PROTO, "", 1, 0, 1, items=1)),
         lambda t: pointer_to(t, t.add(Kind.FUNC_PROTO, "", 1, 0, 4, items=1)), 0, 0),
        (lambda t: pointer_to(t, t.add(Kind.FUNC_PROTO, "", 1, 0, 1, items=1)),
         lambda t: pointer_to(t, t.add(Kind.FUNC_PROTO, "", 1, 0, 1, items=1)), 1, 1),
    ],
)  # fmt: skip
def test_types_that_match(
    mine: Callable[[Types], int], theirs: Callable[[Types], int], libbpf: int, cilium: int
) -> None:
    own, kernel = Types(), Types()
    root = own.struct("s", 8, [("m", mine(own), 0)])
    kernel.struct("s", 8, [("z", 1, 64), ("m", theirs(kernel), 0)])
    program = Program(own).ask(root, "0", MATCHES)
    assert (states(program.libbpf(kernel)), states(program.cilium(kernel))) == ([libbpf], [cilium])


def test_a_type_without_end_is_refused() -> None:
    own, kernel = Types(), Types()
    for types in (own, kernel):
        types.add(Kind.TYPEDEF, "t", 6)
        for number in range(6, 46):
            types.add(Kind.PTR, "", number + 1)
        types.add(Kind.PTR, "", 1)
    (found,) = Program(own).ask(5, "0", TYPE_EXISTS).libbpf(kernel)
    assert (found.state, "more than 32 types in each other" in found.message) == (REFUSED, True)


def test_values_of_enums() -> None:
    own, kernel = Types(), Types()
    narrow = own.enum("e", {"ONE": 1, "GONE": 2, "LAST___x": 3})
    wide = own.enum("w___mine", {"HUGE": 1 << 40}, Kind.ENUM64)
    kernel.enum("e", {"LAST": 0xFFFFFFFF, "ONE": 7})
    kernel.enum("w", {"HUGE": (1 << 63) + 5}, Kind.ENUM64)
    program = Program(own)
    for root, string in ((narrow, "0"), (narrow, "1"), (narrow, "2"), (wide, "0")):
        program.ask(root, string, VALUE_EXISTS, LD_IMM64).ask(root, string, VALUE, LD_IMM64)
    found = program.libbpf(kernel)
    assert states(found) == [1, 7, 0, MISSING, 1, -1, 1, (1 << 63) + 5]
    assert found[3].message == "e.GONE: this kernel's e has no value GONE"
    assert found[1].matches[0].steps == ((kernel.first + 4, 1),)
    assert states(program.cilium(kernel)) == [1, 7, 0, MISSING, 1, 0xFFFFFFFF, 1, (1 << 63) + 5]


def test_modules() -> None:
    """libbpf looks into them where the kernel has nothing, cilium/ebpf always."""
    kernel = Types()
    module = one_member("a", 1, Types(base=kernel))
    (found,) = asked().libbpf(kernel, nf=module.bytes)
    assert (found.value, found.matches[0].module, found.matches[0].root) == (4, "nf", 5)
    number = Program(one_member("a", 1)).ask(5, "0", ID, LD_IMM64)
    assert states(number.libbpf(kernel, nf=module.bytes)) == [5]
    assert states(number.cilium(kernel, nf=module.bytes)) == [MISSING]
    both = one_member("b", 1)
    module = one_member("a", 1, Types(base=both))
    assert states(asked().libbpf(both, nf=module.bytes)) == [MISSING]
    assert states(asked().cilium(both, nf=module.bytes)) == [4]


def test_what_has_no_counterpart() -> None:
    own = Types()
    root = own.struct("", 4, [("a", 1, 0)])
    for run in (Program(own).ask(root, "0:0", OFFSET).libbpf, Program(own).ask(root, "0:0", OFFSET).cilium):
        (found,) = run(Types())
        assert found.state == REFUSED
        assert "a type without a name" in found.message


def test_signs() -> None:
    for kind, signed in ((1, 0), (3, 1)):
        program = asked(SIGNED, kind)
        assert (
            states(program.libbpf(one_member("a", kind))) == states(program.cilium(one_member("a", kind))) == [signed]
        )
    assert states(asked(SIGNED, 2).libbpf(one_member("a", 2))) == [0]
    assert states(asked(SIGNED, 2).cilium(one_member("a", 2))) == [REFUSED]


@pytest.mark.parametrize("order", ["el", "eb"])
def test_an_object(order: str) -> None:
    """Its own types stand for a kernel's: nothing changes."""
    found = BpfObject((OBJECTS / f"core.bpf{order}.o").read_bytes())
    section = found.elf.section(".BTF")
    assert section is not None
    for loader in ("libbpf", "cilium"):
        resolver = Resolver(found, loader)
        results = resolver.resolve(KernelTypes(section.data))
        assert [each.state for each in results.values()] == [RESOLVED] * len(found.relocations)
        assert {each.place for each in resolver.asked} == set(results)
        kept = resolver.resolve(KernelTypes(section.data), skipped={"second"})
        assert {place[0] for place in results} - {place[0] for place in kept} == {"kprobe/second"}
        nothing = resolver.resolve(KernelTypes(Types("<" if order == "el" else ">").bytes()))
        assert MISSING in {each.state for each in nothing.values()}
    assert Resolver(BpfObject((OBJECTS / "legacy.bpfel.o").read_bytes())).resolve(KernelTypes(section.data)) == {}
