"""Programs for `test_fast`, each with something in it by which a reduced header could go wrong."""

from __future__ import annotations

from bpfgen.frozen import field, frozen

HEADER = """\
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif

#ifndef __weak
#define __weak __attribute__((weak))
#endif

typedef unsigned char __u8;

typedef __u8 u8;

typedef unsigned int __u32;

typedef __u32 u32;

typedef unsigned short __u16;

typedef short __s16;

typedef int __s32;

typedef long long __s64;

typedef unsigned long long __u64;

typedef __u16 __be16;

typedef __u32 __be32;

typedef __u32 __wsum;

struct unused_one;

struct holder {
	const struct unused_one **held;
};

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

enum pid_type {
	PIDTYPE_PID = 0,
	PIDTYPE_MAX = 4,
};

enum {
	ANONYMOUS_ONE = 1,
	ANONYMOUS_TWO = 2,
};

enum only_value {
	ONLY_VALUE = 77,
};

typedef struct {
	int counter;
} atomic_t;

typedef enum {
	STATE_ON = 0,
	STATE_OFF = 1,
} state_t;

struct deep {
	int depth;
	struct deeper *lower;
};

struct deeper {
	int depth;
	struct deep *upper;
};

struct mm {
	long unsigned int start;
	struct deep *deep;
	atomic_t users;
};

struct cred {
	u32 uid;
	struct deep *user;
};

struct run_arg {
	int value;
	struct deep *more;
};

struct in_union {
	int u;
};

struct in_struct {
	int s;
};

struct row {
	int cell;
};

struct flexible {
	int count;
	struct row rows[0];
};

struct other {
	int pid;
	struct row *row;
};

typedef int (*callback_t)(struct run_arg *, int);

struct task {
	int pid;
	int tgid;
	struct mm *mm;
	struct task *parent;
	const struct cred *cred;
	struct list_head children;
	struct row **table;
	struct row *rows[4];
	callback_t callback;
	int (*run)(struct run_arg *);
	unsigned int flag: 1;
	unsigned int bits: 7;
	union {
		struct in_union *up;
		long unsigned int word;
	};
	struct {
		struct in_struct *sp;
	} inner;
	enum {
		IN_STRUCT_A = 0,
		IN_STRUCT_B = 5,
	} kind;
	atomic_t count;
	state_t state;
	struct other *other;
	char comm[16];
};

struct named_outer {
	struct named_inner {
		int x;
		struct deep *d;
	} inner;
};

struct kfunc_arg {
	int a;
	struct deep *b;
};

extern int bpf_look(struct task *t, struct kfunc_arg *a) __weak __ksym;

extern struct other *bpf_find(int pid) __weak __ksym;

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
"""

INCLUDE = '#include "vmlinux.h"\n'
HEAD = INCLUDE + '#include "common.h"\n'
REDUCED, BY_CLANG = r"reduced: \d+ of \d+ declarations$", r"reduced: .*, by clang's preprocessor, as "
NO_HEADER = "whole: no vmlinux.h is included"
CLANG_FAILS = "whole: clang refuses the reduced one|whole: clang's preprocessor fails"
DEEP = "int f(struct task *t) { const typeof(*t->mm->deep) *d = t->mm->deep; return d->depth; }\n"
EXISTS = "__builtin_preserve_type_info(*(%s *)0, 0)"


@frozen
class Case:
    """One program."""

    source: str
    how: str = REDUCED
    """What the reason that `bpfgen explain` gives begins with, a pattern."""
    files: dict[str, str] = field(default_factory=dict)
    """Other files; below `inc/`, which is the program's own, and elsewhere."""
    toml: str = ""
    """More lines of the program's table."""
    builds: bool = True


MACROS = {
    "macro_no_preserve": Case(
        "#define BPF_NO_PRESERVE_ACCESS_INDEX\n" + HEAD + "int f(struct task *t) { return t->pid; }\n"
    ),
    "macro_preserve": Case(HEAD + "int f(struct task *t) { return t->pid; }\n"),
    "macro_renames_struct": Case("#define task my_task\n" + HEAD + "struct my_task *g;\n"),
    "macro_renames_member": Case("#define mm memory\n" + HEAD + "int f(struct task *t) { return t->memory->start; }\n"),
    "macro_renames_typedef": Case("#define u32 my_u32\n" + HEAD + "my_u32 g;\nstruct cred c;\n"),
    "macro_makes_array": Case("#define parent parent[2]\n" + HEAD + "struct task g;\n"),
    "macro_is_undefined_again": Case(
        "#define task other_name\n" + INCLUDE + "#undef task\n#define T struct other_name\nT *g;\n"
    ),
    "macro_turns_const": Case("#define const\n" + HEAD + "struct task *g;\n"),
    "macro_turns_struct": Case(
        "#define struct const struct\nstruct mine { int x; };\n" + HEAD + "#undef struct\nstruct task *g;\n",
        CLANG_FAILS,
    ),
    "macro_turns_union": Case("#define union struct\n" + HEAD + "struct task *g;\n", CLANG_FAILS),
    "macro_in_header": Case(INCLUDE + '#include "own.h"\nT *g;\n', files={"inc/own.h": "#define T struct task\n"}),
    "macro_by_define": Case(INCLUDE + "T *g;\n", toml='define = { T = "struct task" }\n'),
    "macro_by_define_renames": Case(INCLUDE + "struct my_task *g;\n", toml='define = { task = "my_task" }\n'),
    "macro_by_define_renames_member": Case(
        INCLUDE + "int f(struct task *t) { const typeof(*t->memory) *m = t->memory; return m->start; }\n"
        "const typeof(*((struct task *)0)->memory) *g;\n",
        toml='define = { mm = "memory" }\n',
    ),
    "macro_by_flag": Case(INCLUDE + "T *g;\n", toml='cflags = ["-DT=struct task"]\n'),
    "macro_by_two_flags": Case(INCLUDE + "T *g;\n", toml='cflags = ["-D", "T=struct task"]\n'),
    "macro_by_long_flag": Case(INCLUDE + "T *g;\n", BY_CLANG, toml='cflags = ["--define-macro=T=struct task"]\n'),
    "macro_by_xclang": Case(INCLUDE + "T *g;\n", BY_CLANG, toml='cflags = ["-Xclang", "-DT=struct task"]\n'),
    "macro_by_preprocessor_flag": Case(INCLUDE + "T *g;\n", BY_CLANG, toml='cflags = ["-Wp,-DT=struct task"]\n'),
    "macro_pasted_by_flag": Case(
        INCLUDE + "T *g;\n", BY_CLANG, toml='cflags = ["-DP(a,b)=struct a##b", "-DT=P(ta,sk)"]\n'
    ),
    "macro_pasted_by_flag_digraph": Case(
        INCLUDE + "T *g;\n", BY_CLANG, toml='cflags = ["-DP(a,b)=struct a%:%:b", "-DT=P(ta,sk)"]\n'
    ),
    "macro_by_include_flag": Case(
        INCLUDE + "T *g;\n", files={"inc/own.h": "#define T struct task\n"}, toml='cflags = ["-include", "own.h"]\n'
    ),
    "macro_by_imacros": Case(
        INCLUDE + "T *g;\n", files={"inc/own.h": "#define T struct task\n"}, toml='cflags = ["-imacros", "own.h"]\n'
    ),
    "macro_of_libbpf_pastes": Case(
        INCLUDE + "#include <bpf/bpf_helpers.h>\n#include <bpf/bpf_tracing.h>\nstruct ___bpf_concat(ta, sk) *g;\n",
        BY_CLANG,
        toml="define = { __TARGET_ARCH_x86 = true }\n",
    ),
    "macro_in_false_libbpf": Case(
        INCLUDE + '#include "bpf_helpers.h"\nT(ta) *g;\n',
        BY_CLANG,
        files={"inc/bpf_helpers.h": "#define T(x) struct x##sk\n"},
    ),
    "macro_in_false_libbpf_alike": Case(
        INCLUDE + '#include "bpf_helpers.h"\nT(ta) *g;\n',
        BY_CLANG,
        files={"inc/bpf_helpers.h": "#define C(a, b) a ## b\n#define T(x) struct C(x, sk)\n"},
    ),
}

TYPES = {
    "pointer_unnamed": Case(HEAD + "struct task *g;\n"),
    "pointer_followed": Case(HEAD + DEEP),
    "pointer_by_macro": Case(
        HEAD + "#define FOLLOW(x) ((x)->mm)\n#define DEEP(x) (FOLLOW(x)->deep)\n"
        "int f(struct task *t) { return DEEP(t)->depth; }\n"
    ),
    "pointer_compared": Case(HEAD + "int f(struct task *t) { return t->mm == 0; }\n"),
    "pointer_copied": Case(HEAD + "struct task a, b;\nvoid f(void) { a = b; }\n"),
    "pointer_cast": Case(HEAD + "int f(struct task *t) { return ((struct other *)t->parent)->pid; }\n"),
    "pointer_exists": Case(
        HEAD + "int f(struct task *t) { return __builtin_preserve_field_info(t->mm, 2) +"
        " __builtin_preserve_field_info(((struct task *)0)->other, 2); }\n"
    ),
    "pointer_to_pointer": Case(HEAD + "int f(struct task *t) { return (*t->table)->cell + t->rows[2]->cell; }\n"),
    "pointer_in_union": Case(HEAD + "int f(struct task *t) { return t->up->u + t->inner.sp->s; }\n"),
    "pointer_initialised": Case(HEAD + "struct mm m;\nstruct task g = { 1, 2, &m };\nstruct mm *mp = &m;\n"),
    "pointer_auto": Case(HEAD + "int f(struct task *t) { __auto_type m = t->mm; return m->users.counter; }\n"),
    "typeof": Case(HEAD + "typeof(((struct task *)0)->mm) g;\nconst typeof(*((struct task *)0)->other) *o;\n"),
    "typeof_result": Case(HEAD + "const typeof(*bpf_find(0)) *g;\nint f(int p) { return bpf_find(p)->pid; }\n"),
    "enum_value": Case(HEAD + "int g = ONLY_VALUE;\n"),
    "enum_value_anonymous": Case(HEAD + "int g = ANONYMOUS_TWO;\n"),
    "enum_value_in_struct": Case(HEAD + "int g = IN_STRUCT_B;\n"),
    "enum_value_of_typedef": Case(HEAD + "state_t g = STATE_OFF;\n"),
    "enum_value_core": Case(
        HEAD + "unsigned long f(void) { return __builtin_preserve_enum_value(*(typeof(enum pid_type) *)PIDTYPE_MAX, 1);"
        " }\n"
    ),
    "enum_by_size": Case(HEAD + "int g = sizeof(enum only_value) + sizeof(state_t);\n"),
    "ksym": Case(HEAD + "extern const struct task init_task __ksym;\nconst void *f(void) { return &init_task; }\n"),
    "kconfig": Case(
        HEAD + 'extern int LINUX_KERNEL_VERSION __attribute__((section(".kconfig")));\n'
        "int f(void) { return LINUX_KERNEL_VERSION; }\n"
    ),
    "kfunc": Case(HEAD + "int f(struct task *t) { return bpf_look(t, 0); }\n"),
    "kfunc_undeclared": Case(
        HEAD + "int f(struct task *t) { return bpf_lock(t, 0); }\n",
        CLANG_FAILS,
        toml='cflags = ["-Werror=implicit-function-declaration"]\n',
        builds=False,
    ),
    "sizeof_offsetof": Case(HEAD + "int g = sizeof(struct task) + __builtin_offsetof(struct task, inner.sp);\n"),
    "generic": Case(
        HEAD + "int f(struct task *t) { return _Generic(t->mm, struct mm *: 1, default: 2) +"
        " _Generic(*t->mm, struct mm: 1, default: 2); }\n"
    ),
    "types_compatible": Case(
        HEAD + "int g = __builtin_types_compatible_p(typeof(*((struct task *)0)->mm), struct mm);\n"
    ),
    "type_exists": Case(HEAD + f"int f(void) {{ return {EXISTS % 'struct deeper'} + {EXISTS % 'atomic_t'}; }}\n"),
    "type_exists_through_pointer": Case(
        HEAD + f"int f(void) {{ return {EXISTS % 'typeof(*((struct task *)0)->other)'}; }}\n"
    ),
    "type_size": Case(HEAD + "int f(void) { return __builtin_preserve_type_info(*(struct mm *)0, 1); }\n"),
    "type_id_local": Case(HEAD + "int f(void) { return __builtin_btf_type_id(*(struct mm *)0, 0); }\n"),
    "type_id_kernel": Case(HEAD + "int f(void) { return __builtin_btf_type_id(*(struct mm *)0, 1); }\n"),
    "container_of": Case(
        HEAD + "int f(struct list_head *l) { return ((struct task *)((char *)l - __builtin_offsetof(struct task,"
        " children)))->pid; }\n"
    ),
    "flexible": Case(HEAD + "int f(struct flexible *x) { return x->rows[3].cell; }\n"),
    "nested_named": Case(HEAD + "struct named_inner *g;\nint f(struct named_outer *o) { return o->inner.d->depth; }\n"),
    "typedef_anonymous": Case(HEAD + "atomic_t g;\nint f(struct task *t) { return t->count.counter + t->state; }\n"),
    "typedef_function": Case(HEAD + "callback_t g;\n"),
    "bitfields": Case(HEAD + "int f(struct task *t) { return t->flag + __builtin_preserve_field_info(t->bits, 1); }\n"),
    "map": Case(
        HEAD + 'struct { int (*type)[1]; int (*max_entries)[4]; atomic_t *key; struct mm *value; } m SEC(".maps");\n'
    ),
    "globals": Case(HEAD + "struct task one;\nstruct mm *two;\nconst volatile struct cred three;\natomic_t four[3];\n"),
    "static_inline": Case(
        INCLUDE + '#include "own.h"\nint f(struct task *t) { return start(t); }\n',
        files={"inc/own.h": "static inline int start(struct task *t) { return t->mm->start; }\n"},
    ),
    "own_flavour": Case(
        HEAD + "struct task___old { int pid; } __attribute__((preserve_access_index));\n"
        "int f(struct task *t) { return ((struct task___old *)t)->pid; }\n"
    ),
    "redefined": Case(HEAD + "struct deeper { int x; };\n", CLANG_FAILS, builds=False),
    "declared_only": Case(HEAD + "struct unused_one *g;\nstruct unknown_here *h;\n"),
}

PLACES = {
    "no_header": Case('#include <linux/types.h>\n#include "common.h"\n__u32 g;\n', NO_HEADER),
    "no_header_uapi": Case(
        '#include <linux/bpf.h>\n#include "common.h"\nint f(struct xdp_md *c) { return 0; }\n', NO_HEADER
    ),
    "uapi_and_header": Case(
        HEAD + "#include <linux/bpf.h>\n#include <linux/if_ether.h>\nstruct pid_type *g;\n"
        "struct task *t;\nenum bpf_map_type m;\n__u64 __u32;\n",
        CLANG_FAILS,
        builds=False,
    ),
    "not_first": Case('#include "common.h"\nint before;\n' + INCLUDE + "struct task *g;\n"),
    "twice": Case(INCLUDE + '#include "common.h"\n' + INCLUDE + "struct task *g;\n"),
    "angled": Case("#include <vmlinux.h>\nstruct task *g;\n"),
    "through_header": Case('#include "own.h"\nstruct task *g;\n', files={"inc/own.h": INCLUDE}),
    "through_link": Case('#include "link.h"\nstruct task *g;\nT *h;\n'),
    "through_linked_folder": Case('#include "linked/a.h"\nT *g;\n'),
    "include_next": Case(
        INCLUDE + "T *g;\n", BY_CLANG, files={"inc/vmlinux.h": "#define T struct task\n#include_next <vmlinux.h>\n"}
    ),
    "shadowed": Case(INCLUDE + "struct task *g;\n", NO_HEADER, files={"inc/vmlinux.h": "struct task { int mine; };\n"}),
    "by_macro": Case('#define HDR "vmlinux.h"\n#include HDR\nstruct task *g;\n', BY_CLANG),
    "own_by_macro": Case(
        INCLUDE + "#define HDR <own.h>\n#include HDR\nT *g;\n", BY_CLANG, files={"inc/own.h": "#define T struct task\n"}
    ),
    "own_by_macro_after_comment": Case(
        INCLUDE + "#define HDR <own.h>\n# /* c */ include HDR\nT *g;\n",
        BY_CLANG,
        files={"inc/own.h": "#define T struct task\n"},
    ),
    "own_after_comment": Case(
        INCLUDE + "#/**/include/**/<own.h>\nT *g;\n", BY_CLANG, files={"inc/own.h": "#define T struct task\n"}
    ),
    "by_alias": Case(
        INCLUDE + '#pragma include_alias("alias.h", "own.h")\n#include "alias.h"\nT *g;\n',
        files={"inc/own.h": "#define T struct task\n", "inc/alias.h": "#define T struct other\n"},
    ),
    "dead": Case('#if 0\n#include "vmlinux.h"\n#endif\nint g;\n'),
    "in_comment": Case('/*\n#include "vmlinux.h"\n*/\nint g;\n'),
    "missing_dead": Case(INCLUDE + '#if 0\n#include "gone.h"\n#endif\nstruct task *g;\n'),
    "missing": Case(INCLUDE + '#include "gone.h"\nstruct task *g;\n', CLANG_FAILS, builds=False),
    "has_include": Case(
        '#if __has_include("vmlinux.h") && !__has_include("gone.h")\n#include "vmlinux.h"\n#endif\nstruct task *g;\n'
    ),
    "once": Case(
        INCLUDE + '#include "own.h"\n#include "own.h"\nT *g;\n',
        files={"inc/own.h": "#pragma once\n#define T struct task\n"},
    ),
    "joined_folder_flag": Case(
        INCLUDE + "struct task *g;\n",
        "whole: clang finds the whole one",
        toml='cflags = ["-Iout/vmlinux/here/amd64"]\n',
    ),
    "quoted_folder": Case(
        INCLUDE + '#include "own.h"\nT *g;\n',
        files={"quoted/own.h": "#define T struct task\n"},
        toml='cflags = ["-iquote", "quoted"]\n',
    ),
    "unknown_folder_flag": Case(
        INCLUDE + "#include <own.h>\nT *g;\n",
        BY_CLANG,
        files={"odd/own.h": "#define T struct task\n"},
        toml='cflags = ["--include-directory=odd"]\n',
    ),
    "system_warnings": Case(
        HEAD + "struct task *g;\n",
        "whole: the flag -Wsystem-headers",
        toml='cflags = ["-Wsystem-headers", "-Wpadded"]\n',
    ),
    "fast_is_false": Case(HEAD + "struct task *g;\n", "whole: fast is false", toml="fast = false\n"),
}

WORDS = {
    "pasted_prefix": Case(HEAD + "#define T(x) struct ta##x\nT(sk) *g;\n", BY_CLANG),
    "pasted_suffix": Case(HEAD + "#define T(x) struct x##sk\nT(ta) *g;\n", BY_CLANG),
    "pasted_both": Case(HEAD + "#define T(x, y) struct x ## y\nT(ta, sk) *g;\n", BY_CLANG),
    "pasted_nested": Case(
        HEAD + "#define J(x, y) x##y\n#define K(x, y) J(x, y)\nstruct K(t, K(a, sk)) *g;\n", BY_CLANG
    ),
    "pasted_member": Case(HEAD + "#define M(x) m##x\nint f(struct task *t) { return t->M(m)->start; }\n", BY_CLANG),
    "pasted_value": Case(HEAD + "#define V(x) ONLY_##x\nint g = V(VALUE);\n", BY_CLANG),
    "pasted_into_header": Case(
        "#define J(x, y) x##y\n#define unused_one J(de,eper)\n" + HEAD + "struct holder *g;\n",
        "whole: the macro unused_one changes it",
    ),
    "variadic_comma": Case(
        HEAD + "int two(int a, int b);\n#define CALL(f, ...) f(1, ##__VA_ARGS__)\n"
        "static int one(int a, struct task *t) { return a; }\nint f(struct task *t) { return CALL(one, t); }\n"
    ),
    "stringised": Case(HEAD + "#define S(x) #x\nchar g[] = S(struct task);\n"),
    "identifier_of_string": Case(HEAD + "#define I(x) __identifier(x)\nstruct I(task) *g;\n"),
    "joined_lines": Case(HEAD + "struct ta\\\nsk *g;\n"),
    "joined_lines_after_space": Case(HEAD + "struct ta\\ \nsk *g;\n", BY_CLANG),
    "joined_lines_of_windows": Case(HEAD + "struct ta\\\r\nsk *g;\r\n"),
    "digraphs": Case(
        '%:include "vmlinux.h"\n%:define J(x, y) x%:%:y\nstruct J(ta, sk) *g;\nint a<:2:> = <%1, 2%>;\n',
        BY_CLANG,
        toml='cflags = ["-std=c11", "-Wno-trigraphs"]\n',
    ),
    "trigraphs": Case(
        '??=include "vmlinux.h"\n??=define J(x, y) x??=??=y\nstruct J(ta, sk) *g;\nstruct oth??/\ner *h;\n',
        BY_CLANG,
        toml='cflags = ["-std=c11", "-Wno-trigraphs"]\n',
    ),
    "other_letters": Case(HEAD + "struct größe { struct task *t; } *g;\nint a$b = sizeof(struct mm);\n"),
    "universal_names": Case(HEAD + "struct gr\\u00f6\\u00dfe { struct task *t; } *g;\n"),
    "c99": Case(HEAD + "struct task *g;\n", toml='cflags = ["-std=c99"]\n'),
    "gnu11": Case(HEAD + "typeof(struct task) *g;\n", toml='cflags = ["-std=gnu11", "-Werror", "-Wall", "-Wextra"]\n'),
    "undef_flag": Case(HEAD + "struct task *g;\n", toml='cflags = ["-Wundef", "-Werror"]\n'),
    "unused_types": Case(HEAD + "struct task *g;\n", toml='cflags = ["-fno-eliminate-unused-debug-types"]\n'),
    "kept_constants": Case(
        INCLUDE + "#include <bpf/bpf_helpers.h>\nint g;\n", BY_CLANG, toml='cflags = ["-fkeep-static-consts"]\n'
    ),
}

MESSAGES = {
    "warning": Case(HEAD + "int f(struct task *t) { int unused; return t->pid; }\n", toml='cflags = ["-Wall"]\n'),
    "warning_about_header": Case(
        HEAD
        + "int f(struct task *t, struct mm *m) { return bpf_look((struct task *)t, (void *)0) + bpf_look(m, 0); }\n",
        "whole: clang's messages",
        toml='cflags = ["-Wno-error=incompatible-pointer-types"]\n',
    ),
    "error": Case(HEAD + "int f(struct task *t) { return t->no_such_member; }\n", CLANG_FAILS, builds=False),
    "error_and_warning": Case(HEAD + "int f(struct task *t) { int unused; return oops; }\n", CLANG_FAILS, builds=False),
    "warning_is_error": Case(
        HEAD + "int f(struct task *t) { int unused; return 0; }\n",
        CLANG_FAILS,
        toml='cflags = ["-Wall", "-Werror"]\n',
        builds=False,
    ),
}

SEVERAL = {
    "several": Case(
        HEAD + "int f(struct task *t) { return t->pid; }\n",
        "whole: there are several sources",
        files={"bpf/several.2.c": HEAD + "int g(struct task *t) { return t->mm->deep->depth; }\nstruct cred c;\n"},
    ),
}

CASES = {**MACROS, **TYPES, **PLACES, **WORDS, **MESSAGES, **SEVERAL}

NOT_READABLE = "whole: the vmlinux.h isn't written as bpftool writes it, in line "
END = "#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n#pragma clang attribute pop"
USE = HEAD + "struct task *g;\n"


def with_more(text: str) -> str:
    """The header with more declarations at its end."""
    return HEADER.replace(END, text + "\n" + END)


HEADERS = {
    "as_it_is": (HEADER, Case(USE)),
    "empty": ("", Case('#include "vmlinux.h"\nint g;\n')),
    "no_last_newline": (HEADER.rstrip(), Case(USE)),
    "crlf": (HEADER.replace("\n", "\r\n"), Case(USE, NOT_READABLE)),
    "comments": (
        HEADER.replace("\tint pid;", "\tint pid; /* the\n\t * id; */ // of it {", 1).replace(
            "struct mm {", "/* }; */ struct mm {"
        ),
        Case(USE, NOT_READABLE),
    ),
    "comments_beside": (
        "/*\n * Types;\n */\n"
        + HEADER.replace("\tint pid;", "\tint pid; // of it {", 1).replace("\ntypedef", "\n// a\ntypedef"),
        Case(USE),
    ),
    "includes": (
        with_more('#include "common.h"\n'),
        Case(INCLUDE + "struct task *g;\n", "whole: .* includes another header"),
    ),
    "includes_in_body": (with_more('struct late {\n\t#include "common.h"\n\tint x;\n};\n'), Case(USE, NOT_READABLE)),
    "one_line": (
        HEADER.replace("{\n", "{ ")
        .replace(";\n\t", "; ")
        .replace(",\n\t", ", ")
        .replace(";\n}", "; }")
        .replace(",\n}", "}"),
        Case(USE, NOT_READABLE),
    ),
    "code": (
        with_more("static inline int code(struct task *t)\n{\n\treturn t->pid;\n}\n"),
        Case(HEAD + "int f(struct task *t) { return code(t); }\n", NOT_READABLE),
    ),
    "code_with_semicolon": (
        with_more("static inline int code(struct task *t) {\n\treturn t->pid;\n};\n"),
        Case(HEAD + "int f(struct task *t) { return code(t); }\n", NOT_READABLE),
    ),
    "macro": (
        with_more("#define OTHER(t) ((t)->other)\n"),
        Case(HEAD + "const typeof(*OTHER((struct task *)0)) *g;\n"),
    ),
    "macro_goes_on": (
        with_more("#define OTHER(t) \\\n\t((t)->other)\n"),
        Case(HEAD + "const typeof(*OTHER((struct task *)0)) *g;\n"),
    ),
    "type_of_member": (
        with_more("typedef typeof(((struct task *)0)->other) other_t;\n"),
        Case(HEAD + "const typeof(*(other_t)0) *g;\n"),
    ),
    "variable": (with_more("struct late {\n\tint x;\n} late;\n\nint counter;\n"), Case(USE)),
    "typed_enum": (with_more("enum small : unsigned char {\n\tSMALL_ONE = 0,\n};\n"), Case(HEAD + "enum small *g;\n")),
    "two_on_a_line": (
        with_more("extern int bpf_a(void) __ksym; extern int bpf_b(void) __ksym;\n"),
        Case(HEAD + "int f(void) { return bpf_a() + bpf_b(); }\n", NOT_READABLE, toml='cflags = ["-std=gnu89"]\n'),
    ),
    "two_in_one": (
        with_more("extern int bpf_a(void), bpf_b(void);\n"),
        Case(HEAD + "int f(void) { return bpf_a() + bpf_b(); }\n", toml='cflags = ["-std=gnu89"]\n'),
    ),
    "function_attribute": (
        with_more('extern __attribute__((section(".ksyms"))) int bpf_c(void);\n'),
        Case(HEAD + "int f(void) { return bpf_c(); }\n", toml='cflags = ["-std=gnu89"]\n'),
    ),
    "directive_in_body": (
        with_more("struct late {\n\tint x;\n\t#define LATE 1\n};\n"),
        Case(HEAD + "#ifdef LATE\nint g;\n#else\nlong g;\n#endif\n", NOT_READABLE),
    ),
    "pragma_in_body": (
        with_more(
            'struct late {\n\tint x;\n\t_Pragma("pack(push, 1)")\n};\n\nstruct later {\n\tchar a;\n\tint b;\n};\n'
        ),
        Case(HEAD + "int g = sizeof(struct later);\n", NOT_READABLE),
    ),
    "packed": (
        with_more("#pragma pack(push, 1)\nstruct later {\n\tchar a;\n\tint b;\n};\n#pragma pack(pop)\n"),
        Case(HEAD + "struct later g;\nint h = sizeof(struct later);\n"),
    ),
    "attribute_first": (
        with_more("struct __attribute__((packed)) odd {\n\tchar a;\n\tint b;\n};\n"),
        Case(HEAD + "struct odd *g;\n"),
    ),
    "attribute_last": (
        with_more("struct odd {\n\tchar a;\n\tint b;\n} __attribute__((packed));\n"),
        Case(HEAD + "struct odd *g;\n"),
    ),
    "attribute_within": (
        with_more("struct odd {\n\tstruct __attribute__((packed)) within {\n\t\tchar a;\n\t\tint b;\n\t} w;\n};\n"),
        Case(HEAD + "struct within *g;\n"),
    ),
    "indented": (
        with_more("struct odd {\n\tint a;\n };\n struct hidden {\n\tint b;\n};\n"),
        Case(HEAD + "struct hidden *g;\n", NOT_READABLE),
    ),
    "condition": (
        with_more("#ifdef WIDE\nstruct w {\n\tlong a;\n};\n#else\nstruct w {\n\tint a;\n};\n#endif\n"),
        Case("#define WIDE\n" + HEAD + "struct w g;\n"),
    ),
    "counter": (with_more("enum {\n\tCOUNT = __COUNTER__,\n};\n"), Case(HEAD + "int g = __COUNTER__;\n", NOT_READABLE)),
    "letters": (with_more("struct größe {\n\tint x;\n};\n"), Case(HEAD + "struct gr\\u00f6\\u00dfe *g;\n")),
    "two_typedefs": (with_more("typedef int first_t, second_t;\n"), Case(HEAD + "first_t g;\nsecond_t h;\n")),
    "anonymous_member": (  # as headers of kernels from 6.19 on
        with_more(
            "struct inside {\n\tint deep_inside;\n\tstruct row *row_inside;\n};\n\n"
            "struct around {\n\tstruct inside;\n};\n"
        ),
        Case(HEAD + "int f(struct around *a) { return a->deep_inside + a->row_inside->cell; }\n"),
    ),
}
