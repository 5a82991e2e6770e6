"""Command lines that other build tools run → a `build.toml`."""
