// Golist prints what the package that bpfgen made embeds: `bpfgen && ninja && go run ./examples/golist`.
package main

import (
	"fmt"
	"os"

	programs "github.com/bpfgen/bpfgen/out/go"
)

func main() {
	for _, object := range programs.Objects() {
		data, err := programs.LoadProgram(object.Name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("%s (%s, %d bytes)\n", object.Name, object.Target, len(data))
		for _, program := range object.Programs {
			fmt.Printf("  %-24s %-28s %4d instructions\n", program.Name, program.Section, program.Instructions)
		}
		for _, m := range object.Maps {
			fmt.Printf("  %-24s %-28s %4d entries\n", m.Name, m.Type, m.MaxEntries)
		}
	}
}
