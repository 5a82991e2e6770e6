// Loads BPF objects into the kernel that it runs on, and says as JSON, a line for each, what that kernel said: the same
// job and the same answers as `../cilium`, by libbpf.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

enum {
	ENTRIES = 1024,		   // of a map whose size is set at run time, where nothing is said of it
	RING = 64 << 10,	   // the same of a ring buffer: a power of two, and whole pages of any size
	FRAMES = 127,		   // of a stack, where nothing is said of them: PERF_MAX_STACK_DEPTH of linux/perf_event.h
	ROWS = 24,		   // of a verifier's log
	SHORT_LOG = 64 << 10,	   // of statistics, and of an error
	LONG_LOG = (16 << 20) - 1, // of every instruction; older kernels take no larger one
	BASIC = 4,		   // the verifier's log level for statistics
	WHOLE = 1 | 4,
	PROGRAMS = 512, // of an object
	NEEDS = 4096, // of an object
};

struct need {
	bool map; // else a program's target
	char *name, *value;
};

static struct need needs[NEEDS];
static int need_count;
static FILE *answers;
static char said[64 << 10]; // by libbpf, since `hush`
static size_t said_length;

static int listen(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level == LIBBPF_DEBUG || (level == LIBBPF_INFO && !strstr(format, "failed")))
		return 0;
	size_t left = sizeof(said) - said_length;
	int length = vsnprintf(said + said_length, left, format, arguments);
	if (length > 0)
		said_length += (size_t)length < left ? (size_t)length : left - 1;
	return 0;
}

static void hush(void)
{
	said_length = 0;
	said[0] = 0;
}

// A JSON string; bytes that are no ASCII become question marks, because nothing here says what they mean.
static void print_text(const char *text, size_t length)
{
	fputc('"', answers);
	for (size_t at = 0; at < length; at++) {
		unsigned char c = text[at];
		if (c == '"' || c == '\\')
			fprintf(answers, "\\%c", c);
		else if (c < ' ')
			fprintf(answers, "\\u%04x", c);
		else
			fputc(c < 127 ? c : '?', answers);
	}
	fputc('"', answers);
}

static void print_field(const char *name, const char *text)
{
	fprintf(answers, ",\"%s\":", name);
	print_text(text, strlen(text));
}

// What libbpf said, in one line, without its own name and what follows from every failure.
static void print_message(int error)
{
	static char line[sizeof(said)];
	size_t length = 0;
	for (char *row = strtok(said, "\n"); row; row = strtok(NULL, "\n")) {
		if (!strncmp(row, "libbpf: ", 8))
			row += 8;
		if (strncmp(row, "failed to load object", 21) && length < sizeof(line))
			length += snprintf(line + length, sizeof(line) - length, "%s%s", length ? "; " : "", row);
	}
	if (!length)
		snprintf(line, sizeof(line), "%s", strerror(-error));
	print_field("message", line);
}

static void print_log(char *log, int rows)
{
	size_t end = strlen(log);
	while (end && log[end - 1] == '\n')
		end--;
	size_t start = end;
	for (; start; start--)
		if (log[start - 1] == '\n' && !--rows)
			break;
	fputs(",\"log\":[", answers);
	while (start < end) {
		char *stop = memchr(log + start, '\n', end - start);
		size_t length = (stop ? (size_t)(stop - log) : end) - start;
		print_text(log + start, length);
		start += length + 1;
		if (start < end)
			fputc(',', answers);
	}
	fputc(']', answers);
}

static void print_program(struct bpf_program *program, bool good, bool skipped, int error, char *log, bool first)
{
	fprintf(answers, "%s{\"name\":", first ? "" : ",");
	print_text(bpf_program__name(program), strlen(bpf_program__name(program)));
	print_field("section", bpf_program__section_name(program));
	fprintf(answers, ",\"ok\":%s", good ? "true" : "false");
	if (skipped)
		fputs(",\"skipped\":true", answers);
	else if (!good)
		print_message(error);
	if (log && *log)
		print_log(log, good ? 2 : ROWS);
	fputc('}', answers);
}

static const char *needed(bool map, const char *name)
{
	for (int at = 0; at < need_count; at++)
		if (needs[at].map == map && !strcmp(needs[at].name, name))
			return needs[at].value;
	return NULL;
}

// Whether a map of a type needs a size that libbpf doesn't give it.
static bool sized(enum bpf_map_type type)
{
	switch (type) {
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_SK_STORAGE:
	case BPF_MAP_TYPE_INODE_STORAGE:
	case BPF_MAP_TYPE_TASK_STORAGE:
	case BPF_MAP_TYPE_CGRP_STORAGE:
	case BPF_MAP_TYPE_CGROUP_STORAGE:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
	case BPF_MAP_TYPE_STRUCT_OPS:
		return false;
	default:
		return true;
	}
}

// Opens an object and fills in what it leaves to its loader; prints the sizes that nobody has given.
static struct bpf_object *opened(const char *path, bool print)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	if (!object)
		return NULL;
	struct bpf_map *map;
	bool first = true;
	bpf_object__for_each_map (map, object) {
		const char *name = bpf_map__name(map), *size = needed(true, name);
		enum bpf_map_type type = bpf_map__type(map);
		bpf_map__set_pin_path(map, NULL);
		if (type == BPF_MAP_TYPE_STACK_TRACE && !bpf_map__value_size(map))
			bpf_map__set_value_size(map, FRAMES * 8);
		if (size) {
			bpf_map__set_max_entries(map, strtoul(size, NULL, 10));
		} else if (!bpf_map__max_entries(map) && sized(type)) {
			bool ring = type == BPF_MAP_TYPE_RINGBUF || type == BPF_MAP_TYPE_USER_RINGBUF;
			bpf_map__set_max_entries(map, ring ? RING : ENTRIES);
			if (print) {
				fputs(first ? ",\"assumed\":{" : ",", answers);
				print_text(name, strlen(name));
				fprintf(answers, ":%u", bpf_map__max_entries(map));
				first = false;
			}
		}
	}
	if (!first)
		fputc('}', answers);
	struct bpf_program *program;
	bpf_object__for_each_program (program, object) {
		const char *target = needed(false, bpf_program__name(program));
		if (target)
			bpf_program__set_attach_target(program, 0, target);
	}
	return object;
}

// One program alone, to say whether it is refused, and why.
static void load_one(const char *path, int wanted, char *log)
{
	hush();
	struct bpf_object *object = opened(path, false);
	if (!object)
		return;
	struct bpf_program *program, *chosen = NULL;
	int at = 0;
	bpf_object__for_each_program (program, object) {
		if (at == wanted)
			chosen = program;
		else
			bpf_program__set_autoload(program, false);
		at++;
	}
	log[0] = 0;
	bpf_program__set_log_level(chosen, WHOLE);
	bpf_program__set_log_buf(chosen, log, LONG_LOG);
	bool skipped = !bpf_program__autoload(chosen);
	int error = skipped ? 0 : bpf_object__load(object);
	print_program(chosen, !error, skipped, error, log, !wanted);
	bpf_object__close(object);
}

static void load(const char *folder, const char *name, const char *file)
{
	static char path[4096];
	snprintf(path, sizeof(path), "%s/%s", folder, file);
	fputs("{\"event\":\"end\"", answers);
	print_field("object", name);
	hush();
	struct bpf_object *object = opened(path, true);
	if (!object) {
		int error = -errno;
		fputs(",\"ok\":false,\"programs\":[]", answers);
		print_message(error);
		fputs("}\n", answers);
		return;
	}
	static char *logs[PROGRAMS];
	struct bpf_program *program;
	int count = 0;
	bpf_object__for_each_program (program, object) {
		if (count < PROGRAMS) {
			logs[count] = calloc(1, SHORT_LOG);
			bpf_program__set_log_level(program, BASIC);
			bpf_program__set_log_buf(program, logs[count], SHORT_LOG);
		}
		count++;
	}
	int error = bpf_object__load(object);
	fprintf(answers, ",\"ok\":%s", error ? "false" : "true");
	if (error)
		print_message(error);
	fputs(",\"programs\":[", answers);
	if (error) {
		static char *log;
		if (!log)
			log = malloc(LONG_LOG);
		for (int at = 0; at < count; at++)
			load_one(path, at, log);
	} else {
		int at = 0;
		bpf_object__for_each_program (program, object) {
			bool skipped = !bpf_program__autoload(program);
			print_program(program, true, skipped, 0, at < PROGRAMS ? logs[at] : NULL, !at);
			at++;
		}
	}
	fputs("]}\n", answers);
	bpf_object__close(object);
	for (int at = 0; at < count && at < PROGRAMS; at++)
		free(logs[at]);
}

// Keeps a serial port from changing bytes, and from echoing them.
static void open_port(const char *path)
{
	FILE *port = fopen(path, "r+");
	if (!port)
		return;
	struct termios settings;
	if (!tcgetattr(fileno(port), &settings)) {
		settings.c_oflag &= ~OPOST;
		settings.c_lflag &= ~(ECHO | ICANON | ISIG);
		tcsetattr(fileno(port), TCSANOW, &settings);
	}
	answers = port;
}

static void insert(const char *folder, const char *module)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", folder, module);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file >= 0 && (!syscall(SYS_finit_module, file, "", 0) || errno == EEXIST)) {
		close(file);
		return;
	}
	int error = errno;
	fputs("{\"event\":\"module\"", answers);
	print_field("name", module);
	print_field("message", strerror(error));
	fputs("}\n", answers);
	if (file >= 0)
		close(file);
}

static void start(void)
{
	struct utsname system;
	uname(&system);
	fputs("{\"event\":\"start\"", answers);
	print_field("kernel", system.release);
	char version[64];
	snprintf(version, sizeof(version), "libbpf %s", libbpf_version_string() + 1);
	print_field("loader", version);
	fputs("}\n", answers);
}

// An object is loaded when all of its needs are read.
static void finish(const char *folder, char **name, char **file)
{
	if (*name) {
		fputs("{\"event\":\"begin\"", answers);
		print_field("object", *name);
		fputs("}\n", answers);
		fflush(answers);
		load(folder, *name, *file);
		fflush(answers);
	}
	free(*name);
	free(*file);
	*name = *file = NULL;
	while (need_count) {
		need_count--;
		free(needs[need_count].name);
		free(needs[need_count].value);
	}
}

// Reads the job: lines of words, with tabs between them.
static int work(const char *folder)
{
	char path[4096], *line = NULL, *name = NULL, *file = NULL;
	size_t size = 0;
	bool started = false;
	snprintf(path, sizeof(path), "%s/job", folder);
	FILE *job = fopen(path, "r");
	if (!job)
		return -errno;
	while (getline(&line, &size, job) > 0) {
		line[strcspn(line, "\n")] = 0;
		char *kind = strtok(line, "\t"), *one = strtok(NULL, "\t"), *two = strtok(NULL, "\t");
		if (!kind || !one)
			continue;
		if (!strcmp(kind, "port")) {
			open_port(one);
			continue;
		}
		if (!started)
			start();
		started = true;
		if (!strcmp(kind, "module")) {
			insert(folder, one);
		} else if (two && !strcmp(kind, "object")) {
			finish(folder, &name, &file);
			name = strdup(one);
			file = strdup(two);
		} else if (two && need_count < NEEDS) {
			needs[need_count++] = (struct need){!strcmp(kind, "map"), strdup(one), strdup(two)};
		}
	}
	if (!started)
		start();
	finish(folder, &name, &file);
	fputs("{\"event\":\"done\"}\n", answers);
	fflush(answers);
	free(line);
	fclose(job);
	return 0;
}

// The whole life of a virtual machine.
static void machine(void)
{
	static const char *const mounts[][2] = {
		{"proc", "/proc"},
		{"sysfs", "/sys"},
		{"devtmpfs", "/dev"},
		{"bpf", "/sys/fs/bpf"},
		{"tracefs", "/sys/kernel/tracing"},
		{"debugfs", "/sys/kernel/debug"},
		{"cgroup2", "/sys/fs/cgroup"},
	};
	for (size_t at = 0; at < sizeof(mounts) / sizeof(*mounts); at++) {
		mkdir(mounts[at][1], 0755);
		mount(mounts[at][0], mounts[at][1], mounts[at][0], 0, NULL);
	}
	work("");
	sync();
	reboot(RB_AUTOBOOT);
}

int main(int count, char **words)
{
	bool first = getpid() == 1;
	answers = stdout;
	if (!first && count != 2) {
		fputs("usage: loader FOLDER\n", stderr);
		return 2;
	}
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	setrlimit(RLIMIT_MEMLOCK, &all); // where that fails, loading says so
	libbpf_set_print(listen);
	if (first)
		machine();
	int error = first ? 0 : work(words[1]);
	if (error)
		fprintf(stderr, "%s: %s\n", words[1], strerror(-error));
	return error ? 1 : 0;
}
