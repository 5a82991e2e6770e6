__attribute__((section("socket"), used)) int more(void *ctx)
{
	return STEP;
}

char LICENSE[] __attribute__((section("license"), used)) = "GPL";
