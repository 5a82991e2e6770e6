"""Headers for tests: one by hand, and random ones as bpftool writes them."""

from __future__ import annotations

import re

from hypothesis import strategies as st

SOFT = """\
struct far {
	int x;
};

struct task {
	struct far *far;
};
"""


@st.composite
def headers(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A header as bpftool writes it, and all its words."""
    count = draw(st.integers(1, 8))
    parts = [f"struct s{draw(st.integers(0, count - 1))};" for _ in range(draw(st.integers(0, 2)))]
    for number in range(count):
        members = [f"\tint plain{number};"]
        for at in range(draw(st.integers(0, 4))):
            earlier = draw(st.integers(0, max(number - 1, 0)))
            kinds = ["struct s{any} *m{n}_{at}", "const struct s{any} *m{n}_{at}", "struct s{any} **m{n}_{at}",
                     "struct s{any} *m{n}_{at}[2]", "int (*m{n}_{at})(struct s{any} *, int)",
                     "unsigned int m{n}_{at}: 3",
                     "union {{\n\t\tstruct s{any} *m{n}_{at};\n\t\tlong u{n}_{at};\n\t}}"]  # fmt: skip
            if number:
                kinds += ["struct s{earlier} m{n}_{at}", "t{earlier} m{n}_{at}", "enum e{earlier} m{n}_{at}"]
            kind = draw(st.sampled_from(kinds))
            any_one = draw(st.integers(0, count - 1))
            members.append("\t" + kind.format(any=any_one, n=number, at=at, earlier=earlier) + ";")
        parts.append(f"struct s{number} {{\n" + "\n".join(members) + "\n};")
        parts.append(draw(st.sampled_from([f"typedef struct s{number} t{number};",
                                           f"typedef struct s{number} *t{number};",
                                           f"typedef struct {{\n\tint c{number};\n}} t{number};",
                                           f"typedef int (*t{number})(struct s{number} *);"])))  # fmt: skip
        parts.append(f"enum e{number} {{\n\tV{number}_A = 0,\n\tV{number}_B = 1,\n}};")
        parts.append(f"extern int f{number}(struct s{number} *s, t{number} t);")
    header = "\n\n".join(parts) + "\n"
    return header, sorted(set(re.findall(r"[A-Za-z_]\w*", header)))
