"""The commands: each module has `add_arguments(parser)` and `run(args, out) -> exit code`, and is imported when it is
asked for.
"""
