// Has libbpf relocate objects against a kernel's types: relo TYPES OBJECT…
// What it says goes to standard output. Maps aren't made, so no program loads; by then the relocations are done.
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>

static int print(enum libbpf_print_level level, const char *format, va_list list)
{
	return vprintf(format, list);
}

int main(int count, char **words)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = words[1]);

	libbpf_set_print(print);
	for (int index = 2; index < count; index++) {
		struct bpf_object *object = bpf_object__open_file(words[index], &options);
		struct bpf_map *map;

		printf("object %s\n", words[index]);
		if (!object)
			continue;
		bpf_object__for_each_map(map, object)
			bpf_map__set_autocreate(map, false);
		bpf_object__load(object);
		bpf_object__close(object);
	}
	return 0;
}
