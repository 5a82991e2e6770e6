"""What was built and from what, for projects that commit objects: `bpfgen lock` writes it down, `bpfgen verify
--committed` compares.

```
project, host ─▶ record ─▶ Built ─▶ bpfgen.lock
                             │
project, host, files ─▶ drift ─▶ Drifts ◀─ rebuild ◀─ a build in a scratch folder
```
"""
