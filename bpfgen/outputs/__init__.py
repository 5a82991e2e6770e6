"""What is made from objects: one module for each kind of output, called by `steps`.

A module that is an output of the graph has two functions:

- `files(section, objects)`: the paths it will write, from the plan alone, before anything is built;
- `write(plan, manifest)`: writes them, only where their bytes change.

The plan is `plan.json`, as `bpfgen.plan.make_plan` makes it; the manifest is `manifest.json`. Typed Go bindings, C
skeletons and the rest are further modules of the same form.
"""
