/* Included before every source of a program that is linked from several.
 *
 * Each source of a BPF program declares its licence, under one of a few names; libbpf's linker keeps one of the equal
 * copies (tools/lib/bpf/linker.c, "license and version sections are deduped"). Weak symbols do the same here.
 * As a system header, it may name symbols that the source doesn't have without a warning.
 */
#pragma GCC system_header
#pragma weak LICENSE
#pragma weak _license
#pragma weak __license
#pragma weak license
#pragma weak _LICENSE
#pragma weak _version
