// Loads BPF objects into the kernel that it runs on, and says as JSON, a line for each, what that kernel said.
//
// As process 1 of a virtual machine it sets the machine up, does the job in /job and restarts the machine. Elsewhere
// it does the job in the folder that its argument names, and answers on its standard output. `bpfgen/verify/protocol.py`
// reads the answers.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Object is one file, and what it doesn't say itself.
type Object struct {
	Name, File string
	Maps       map[string]uint32 // entries of maps that have none
	Attach     map[string]string // targets of programs
}

// Job is what is to be done. Paths are relative to its folder.
type Job struct {
	Port    string // where answers go; empty: standard output
	Modules []string
	Objects []Object
}

// read reads lines of words, with tabs between them; `bpfgen/verify/job.py` writes them.
func (j *Job) read(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		words := append(strings.Split(strings.TrimSuffix(line, "\n"), "\t"), "", "")
		last := len(j.Objects) - 1
		switch words[0] {
		case "port":
			j.Port = words[1]
		case "module":
			j.Modules = append(j.Modules, words[1])
		case "object":
			j.Objects = append(j.Objects, Object{words[1], words[2], map[string]uint32{}, map[string]string{}})
		case "map":
			size, err := strconv.ParseUint(words[2], 10, 32)
			if err != nil {
				return err
			}
			j.Objects[last].Maps[words[1]] = uint32(size)
		case "attach":
			j.Objects[last].Attach[words[1]] = words[2]
		}
	}
	return nil
}

// Answers are lines of JSON.
type Answers struct{ to io.Writer }

func (a Answers) say(event string, rest map[string]any) {
	line := map[string]any{"event": event}
	for name, value := range rest {
		line[name] = value
	}
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	// One call a line: a machine that dies leaves no more than one line in halves.
	fmt.Fprintf(a.to, "%s\n", text)
}

func main() {
	if os.Getpid() == 1 {
		machine()
		return
	}
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: loader FOLDER")
		os.Exit(2)
	}
	if err := work(os.Args[1], os.Stdout); err != nil {
		Answers{os.Stdout}.say("error", map[string]any{"message": err.Error()})
		os.Exit(1)
	}
}

// work does the job of a folder.
func work(folder string, to io.Writer) error {
	var job Job
	if err := job.read(filepath.Join(folder, "job")); err != nil {
		return err
	}
	if job.Port != "" {
		port, err := os.OpenFile(job.Port, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		if err := raw(port); err != nil {
			return err
		}
		to = port
	}
	answers := Answers{to}
	answers.say("start", map[string]any{"kernel": release(), "loader": version()})
	for _, module := range job.Modules {
		if err := insert(filepath.Join(folder, module)); err != nil {
			answers.say("module", map[string]any{"name": module, "message": err.Error()})
		}
	}
	loader := newLoader()
	for _, object := range job.Objects {
		answers.say("begin", map[string]any{"object": object.Name})
		answers.say("end", loader.load(folder, object))
	}
	answers.say("done", nil)
	return nil
}
