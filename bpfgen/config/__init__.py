"""Reads `build.toml`: its text (`source`, `positions`), its schema, and the two together (`decode`)."""
