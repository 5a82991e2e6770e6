// debug.bpfel.o and debug.bpfeb.o: clang-19 -O2 -g -target bpfel (bpfeb) -mcpu=v1, with DWARF.
int total;

__attribute__((section("socket"))) int count(void *context)
{
	return ++total;
}
