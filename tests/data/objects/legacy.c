// legacy.bpfel.o: clang-19 -O2 -target bpfel -mcpu=v1 (no BTF), with maps in the style before BTF.
struct bpf_map_def {
	unsigned int type, key_size, value_size, max_entries, map_flags;
};
#define SEC(name) __attribute__((section(name), used))

struct bpf_map_def SEC("maps") old_hash = {1, 4, 8, 64, 1};
struct bpf_map_def SEC("maps") old_array = {2, 4, 16, 2, 0};

SEC("socket")
int keep(void *context)
{
	return ((void *(*)(void *, const void *))1)(&old_hash, context) ? 1 : 0;
}
