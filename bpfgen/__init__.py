"""bpfgen: builds eBPF programs from one `build.toml`, through Ninja."""

__version__ = "0.1.0"
