// core.bpfel.o and core.bpfeb.o: clang-19 -O2 -g -target bpfel (bpfeb) -mcpu=v2 -ffile-compilation-dir=., then bpfgen/strip.py.
// Every kind of BTF type that clang writes for C, types that point to each other, and CO-RE relocations.
#define SEC(name) __attribute__((section(name), used))
#define READ(field) ((long (*)(void *, int, const void *))113)(&value, 4, __builtin_preserve_access_index(&field))

struct hidden;
enum big { LARGE = 1ull << 40, SMALL = 1 };
enum small { MINUS = -1, PLUS = 1 };
typedef unsigned int number;

struct node {
	struct node *next;
	struct tree *owner;
	const volatile number id;
	int low : 3, high : 7;
	float weight;
};
struct tree {
	struct node *nodes[4];
	struct hidden *restrict opaque;
	union {
		enum big big;
		enum small small;
	};
	int (*visit)(struct node *node, int depth);
	char __attribute__((btf_type_tag("user"))) * name;
};

struct tree forest __attribute__((btf_decl_tag("planted")));
static volatile int calls;
extern int helper(struct tree *tree) SEC(".ksyms");

static __attribute__((noinline)) int depth(struct node *node)
{
	int value = 0;

	READ(node->owner->name);
	READ(node->id);
	return value + __builtin_preserve_type_info(*(struct tree *)0, 1);
}

SEC("kprobe/first")
int first(struct node *node)
{
	return depth(node) + calls++;
}

SEC("kprobe/second")
int second(struct node *node)
{
	return helper(&forest) + __builtin_preserve_field_info(node->high, 2);
}

char _license[] SEC("license") = "GPL";
