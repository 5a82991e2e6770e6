"""A kernel gets into `build.toml`, and nothing else there changes."""

from __future__ import annotations

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from bpfgen.config.edit import with_kernel
from bpfgen.config.source import read_document
from bpfgen.errors import Failure

HEAD = '# mine\n[project]\nname = "x" # the name\n'
KERNELS = '\n# old ones\n[kernel.a]\nupstream = "4.14" # honest\n\n# programs\n[program.p]\nsource = "p.c"\n'
NEW = {"upstream": "5.10", "btf": "btf/a.btf"}


def edited(text: str, name: str, values: dict[str, str]) -> str:
    return with_kernel(read_document("build.toml", text.encode()), name, values)


def test_the_first_one() -> None:
    assert edited(HEAD, "a", NEW) == HEAD + '\n[kernel.a]\nupstream = "5.10"\nbtf = "btf/a.btf"\n'


def test_another_one_stands_behind_the_last() -> None:
    before, after = KERNELS.split("\n# programs")
    new = '\n[kernel."6.12"]\nbtf = "b"\n'
    assert edited(HEAD + KERNELS, "6.12", {"btf": "b"}) == f"{HEAD}{before}{new}\n# programs{after}"


def test_one_that_is_there() -> None:
    """A value is replaced where it stands, a new one comes below the header."""
    made = edited(HEAD + KERNELS, "a", NEW)
    assert made == HEAD + KERNELS.replace(
        '[kernel.a]\nupstream = "4.14"', '[kernel.a]\nbtf = "btf/a.btf"\nupstream = "5.10"'
    )


def test_a_table_of_kernels_may_be_there() -> None:
    made = edited(HEAD + "[kernel]\n", "a", NEW)
    assert tomli.loads(made)["kernel"]["a"] == NEW


@pytest.mark.parametrize(
    "text", [HEAD + '[kernel]\na = { upstream = "4.14" }\n', 'kernel.a.upstream = "4.14"\n' + HEAD]
)
def test_other_ways_to_write_it(text: str) -> None:
    """What can't be changed safely isn't: the user is told what to write."""
    with pytest.raises(Failure) as caught:
        edited(text, "a", NEW)
    assert 'write  [kernel.a]\nupstream = "5.10"' in str(caught.value)


VALUES = st.dictionaries(st.sampled_from(["upstream", "btf", "profile"]), st.text(min_size=1), min_size=1)
KERNEL = st.sampled_from(['"x"', "'x'", '"a # b"', '"\\u0041\\""', '"""x"""'])


@given(VALUES, KERNEL, st.sampled_from(["a", "b", "6.1", "a-b"]), st.booleans())
def test_it_means_what_was_asked_for(values: dict[str, str], old: str, name: str, comment: bool) -> None:
    text = f"{HEAD}[kernel.a]\nbtf = {old}{' # why' if comment else ''}\n[kernel.b] # b\nupstream = '1.0'\n[x]\ny = 1\n"
    made = edited(text, name, values)
    wanted = tomli.loads(text)
    wanted["kernel"][name] = {**wanted["kernel"].get(name, {}), **values}
    assert tomli.loads(made) == wanted
    assert made.startswith(HEAD)
    assert made.count("# why") == comment
