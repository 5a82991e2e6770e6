// Renders bindings with bpf2go's own packages, as its command does after it compiled: a list of jobs in, results out.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/build/constraint"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/cmd/bpf2go/gen"
)

type job struct {
	Object, Embed, Package, Stem, Constraint string
	Types                                    []string
	GlobalTypes                              bool
}

type result struct{ Text, Error string }

func main() {
	var jobs []job
	if err := json.NewDecoder(os.Stdin).Decode(&jobs); err != nil {
		panic(err)
	}
	results := make([]result, len(jobs))
	for i, j := range jobs {
		text, err := render(j)
		results[i].Text = text
		if err != nil {
			results[i].Error = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		panic(err)
	}
}

func render(j job) (text string, err error) {
	// It takes the first member of a union that has none, and the type of a variable that has none.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	spec, err := ebpf.LoadCollectionSpec(j.Object)
	if err != nil {
		return "", err
	}
	var maps, variables, programs []string
	for name := range spec.Maps {
		if !strings.HasPrefix(name, ".") {
			maps = append(maps, name)
		}
	}
	for name := range spec.Variables {
		variables = append(variables, name)
	}
	for name := range spec.Programs {
		programs = append(programs, name)
	}
	var types []btf.Type
	for _, name := range j.Types {
		found, err := spec.Types.AnyTypeByName(name)
		if err != nil {
			return "", err
		}
		types = append(types, found)
	}
	if j.GlobalTypes {
		types = append(types, gen.CollectGlobalTypes(spec)...)
	}
	var expression constraint.Expr
	if j.Constraint != "" {
		if expression, err = constraint.Parse("//go:build " + j.Constraint); err != nil {
			return "", err
		}
	}
	var output bytes.Buffer
	err = gen.Generate(gen.GenerateArgs{
		Package:     j.Package,
		Stem:        j.Stem,
		Constraints: expression,
		Maps:        maps,
		Variables:   variables,
		Programs:    programs,
		Types:       types,
		ObjectFile:  j.Embed,
		Output:      &output,
	})
	return output.String(), err
}
