// Golist prints what the repository's own Go package embeds for the architecture that it is built for:
//
//	bpfgen && ninja && go run ./examples/golist
package main

import (
	"fmt"
	"os"

	programs "github.com/bpfgen/bpfgen/out/go"
)

func main() {
	for _, name := range programs.Names() {
		data, err := programs.LoadProgram(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "golist:", err)
			os.Exit(1)
		}
		fmt.Printf("%s: %d bytes\n", name, len(data))
	}
	for _, object := range programs.Objects() {
		fmt.Printf("\n%s (%s, licence %q)\n", object.Name, object.Target, object.License)
		for _, program := range object.Programs {
			fmt.Printf("  %s: %s in SEC(%q), %d instructions\n", program.Name, program.Type, program.Section, program.Instructions)
		}
		for _, m := range object.Maps {
			fmt.Printf("  %s: %s of %d entries, key %d B, value %d B\n", m.Name, m.Type, m.MaxEntries, m.KeySize, m.ValueSize)
		}
	}
}
