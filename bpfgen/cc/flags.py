"""Clang's words, as far as they decide which words a compile can name."""

from __future__ import annotations

import os

from bpfgen.cc.scan import Refused

FOLLOWED = frozenset(
    ["-D", "-U", "-I", "-iquote", "-isystem", "-idirafter", "-include", "-imacros", "-target", "-o", "-x", "-mllvm"]
)
"""Flags that the next word belongs to."""
EXACT = frozenset(["-ansi", "-c", "-emit-llvm", "-MD", "-nostdinc", "-trigraphs", "-w", *FOLLOWED])
KNOWN = ("-D", "-U", "-I", "-iquote", "-isystem", "-idirafter", "-f", "-m", "-O", "-g", "-W", "-std=", "-pedantic")
"""How flags begin that name nothing beyond macros, and no files but by folders and by names that clang repeats."""
UNKNOWN = ("-Wp,", "-isystem-after", "-finput-charset", "-fkeep-", "-fplugin", "-fpass-plugin")
"""Exceptions: flags and files within flags, and what has clang emit a declaration that nobody names."""
NEVER = ("-fmodule", "-fimplicit-module", "-fpch", "-include-pch", "-ivfsoverlay", "-vfsoverlay", "-working-directory",
         "--precompile", "-Wsystem-headers", "--no-system-header-prefix")  # fmt: skip
"""Flags with which no header can be reduced: clang reads what can't be scanned, or talks about headers."""
VARIABLES = ("CPATH", "C_INCLUDE_PATH", "CCC_OVERRIDE_OPTIONS")
"""Clang's environment that acts as flags do (clang(1), "ENVIRONMENT")."""


def refuse(words: list[str]) -> None:
    """Raises Refused for flags with which nobody knows what a source can name."""
    for before, word in zip(["", *words], words):
        if word.startswith(NEVER):
            raise Refused(f"the flag {word} is given")
        # Clang takes FILE.pch or FILE.gch for the FILE of `-include` (clang's manual, "Using a PCH File").
        if before == "-include" and any(os.path.exists(word + end) for end in (".pch", ".gch")):
            raise Refused(f"{word} is precompiled")


def macros(words: list[str]) -> list[str]:
    """The macros that clang's words define, `NAME=TEXT`; raises Refused where other words could define some too."""
    for name in VARIABLES:
        if os.environ.get(name):
            raise Refused(f"{name} is set")
    found = []
    before = ""
    for word in words:
        if before == "-Xclang":
            if word != "-disable-llvm-passes":
                raise Refused(f"the flag -Xclang {word} is given")
        elif before == "-D":
            found.append(word)
        elif before not in FOLLOWED and word.startswith("-") and word != "-Xclang":
            if word.startswith(UNKNOWN) or not (word in EXACT or word.startswith(KNOWN)):
                raise Refused(f"the flag {word} is given")
            if word.startswith("-D") and word != "-D":
                found.append(word[2:])
        # A word that belongs to a flag is none itself.
        before = "" if before in FOLLOWED or before == "-Xclang" else word
    return found
