"""Measurements of bpfgen against its peers; `run.py` is the command."""
