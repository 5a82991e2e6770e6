// Loads each program of an object by itself: each OBJECT SETTINGS
// For each, a line with its name and what the kernel said: 0, or an error's negative number.
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>

static int quiet(enum libbpf_print_level level, const char *format, va_list list)
{
	return 0;
}

static int load(const char *path, const struct bpf_object_open_opts *options, int wanted)
{
	struct bpf_object *object = bpf_object__open_file(path, options);
	struct bpf_program *program;
	const char *name = NULL;
	int number = 0, said;

	if (!object)
		return -1;
	bpf_object__for_each_program(program, object) {
		if (number == wanted)
			name = bpf_program__name(program);
		bpf_program__set_autoload(program, number++ == wanted);
	}
	if (name) {
		said = bpf_object__load(object);
		printf("%s %d\n", name, said);
	}
	bpf_object__close(object);
	return name ? 0 : -1;
}

int main(int count, char **words)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .kconfig = words[2]);
	int number = 0;

	libbpf_set_print(quiet);
	while (!load(words[1], &options, number))
		number++;
	return 0;
}
