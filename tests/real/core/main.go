// Has cilium/ebpf relocate objects against a kernel's types: relo TYPES OBJECT…
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
)

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	target, err := btf.LoadSpec(os.Args[1])
	if err != nil {
		panic(err)
	}
	for _, path := range os.Args[2:] {
		spec, err := ebpf.LoadCollectionSpec(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, path, err)
			continue
		}
		for name, program := range spec.Programs {
			relocate(out, path, name, program, target)
		}
	}
}

func relocate(out *bufio.Writer, path, name string, program *ebpf.ProgramSpec, target *btf.Spec) {
	var relos []*btf.CORERelocation
	var insns []*asm.Instruction
	var places []string
	function, start := "", asm.RawInstructionOffset(0)
	for iter := program.Instructions.Iterate(); iter.Next(); {
		if symbol := iter.Ins.Symbol(); symbol != "" {
			function, start = symbol, iter.Offset
		}
		if relo := btf.CORERelocationMetadata(iter.Ins); relo != nil {
			relos, insns = append(relos, relo), append(insns, iter.Ins)
			places = append(places, fmt.Sprintf("%s\t%d", function, iter.Offset-start))
		}
	}
	if len(relos) == 0 {
		return
	}
	fixups, err := btf.CORERelocate(relos, []*btf.Spec{target}, binary.LittleEndian, func(btf.Type) (btf.TypeID, error) { return 1, nil })
	if err != nil {
		fmt.Fprintf(out, "%s\t%s\t\t\terror %s\n", path, name, err)
		return
	}
	for index, fixup := range fixups {
		said := fixup.String()
		if err := fixup.Apply(insns[index]); err != nil {
			said = "error " + err.Error()
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", path, name, places[index], said)
	}
}
