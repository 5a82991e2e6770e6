package main

import (
	"errors"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sort"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/rlimit"
)

const (
	entries  = 1024 // of a map whose size is set at run time, where nothing is said of it
	frames   = 127  // of a stack, where nothing is said of them: PERF_MAX_STACK_DEPTH of linux/perf_event.h
	lastRows = 24   // of a verifier's log
)

type answer struct {
	Name    string   `json:"name"`
	Section string   `json:"section"`
	OK      bool     `json:"ok"`
	Message string   `json:"message,omitempty"`
	Log     []string `json:"log,omitempty"`
}

type loader struct{ cache *btf.Cache }

func newLoader() loader {
	_ = rlimit.RemoveMemlock() // where that fails, loading says so
	return loader{btf.NewCache()}
}

// version is that of the library, which decides with the kernel.
func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/cilium/ebpf" {
			return "cilium/ebpf " + module.Version
		}
	}
	return "cilium/ebpf"
}

// load loads the whole object; where the kernel refuses that, one program after the other, to say which it refuses.
func (l loader) load(folder string, object Object) map[string]any {
	said := map[string]any{"object": object.Name, "ok": false, "programs": []answer{}}
	spec, err := ebpf.LoadCollectionSpec(filepath.Join(folder, object.File))
	if err != nil {
		said["message"] = err.Error()
		return said
	}
	said["assumed"] = prepare(spec, object)
	programs, err := l.collection(spec, ebpf.LogLevelStats)
	if err == nil {
		said["ok"], said["programs"] = true, programs
		return said
	}
	said["message"] = text(err)
	said["programs"] = l.each(spec)
	return said
}

// prepare fills in what the object leaves to its loader; the names of maps whose size nobody has said.
func prepare(spec *ebpf.CollectionSpec, object Object) map[string]uint32 {
	assumed := map[string]uint32{}
	for name, each := range spec.Maps {
		each.Pinning = ebpf.PinNone
		if size, said := object.Maps[name]; said {
			each.MaxEntries = size
		} else if each.MaxEntries == 0 && sized(each.Type) {
			each.MaxEntries = entries
			if each.Type == ebpf.RingBuf || each.Type == ebpf.UserRingbuf {
				each.MaxEntries = 64 << 10 // a power of two, and whole pages of any size
			}
			assumed[name] = each.MaxEntries
		}
		if each.Type == ebpf.StackTrace && each.ValueSize == 0 {
			each.ValueSize = frames * 8
		}
	}
	for name, target := range object.Attach {
		if each := spec.Programs[name]; each != nil {
			each.AttachTo = target
		}
	}
	return assumed
}

// sized says whether a map of a type needs a size that the library doesn't give it.
func sized(kind ebpf.MapType) bool {
	switch kind {
	case ebpf.PerfEventArray, ebpf.SkStorage, ebpf.InodeStorage, ebpf.TaskStorage, ebpf.CgroupStorage,
		ebpf.CGroupStorage, ebpf.PerCPUCGroupStorage, ebpf.StructOpsMap:
		return false
	}
	return true
}

func (l loader) collection(spec *ebpf.CollectionSpec, level ebpf.LogLevel) ([]answer, error) {
	options := ebpf.CollectionOptions{Programs: ebpf.ProgramOptions{LogLevel: level}, Cache: l.cache}
	loaded, err := ebpf.NewCollectionWithOptions(spec.Copy(), options)
	if err != nil {
		return nil, err
	}
	defer loaded.Close()
	programs := []answer{}
	for _, name := range names(spec) {
		log := strings.Split(strings.TrimSpace(loaded.Programs[name].VerifierLog), "\n")
		programs = append(programs, answer{name, spec.Programs[name].SectionName, true, "", last(log, 2)})
	}
	return programs, nil
}

func (l loader) each(spec *ebpf.CollectionSpec) []answer {
	programs := []answer{}
	for _, name := range names(spec) {
		loaded, err := l.collection(only(spec, name), ebpf.LogLevelBranch|ebpf.LogLevelStats)
		if err == nil {
			programs = append(programs, loaded...)
			continue
		}
		refused := answer{Name: name, Section: spec.Programs[name].SectionName, Message: text(err)}
		var verifier *ebpf.VerifierError
		if errors.As(err, &verifier) {
			refused.Log = last(verifier.Log, lastRows)
		}
		programs = append(programs, refused)
	}
	return programs
}

// only is the object with one of its programs, and with no more maps than that needs.
func only(spec *ebpf.CollectionSpec, name string) *ebpf.CollectionSpec {
	part := spec.Copy()
	part.Programs = map[string]*ebpf.ProgramSpec{name: part.Programs[name]}
	used := map[string]bool{}
	for _, instruction := range part.Programs[name].Instructions {
		used[instruction.Reference()] = true
	}
	maps.DeleteFunc(part.Maps, func(name string, each *ebpf.MapSpec) bool {
		return !used[name] && each.Type == ebpf.StructOpsMap
	})
	for _, each := range part.Maps {
		if each.Type == ebpf.ProgramArray {
			each.Contents = slices.DeleteFunc(slices.Clone(each.Contents), func(pair ebpf.MapKV) bool {
				target, is := pair.Value.(string)
				return is && target != name
			})
		}
	}
	return part
}

func names(spec *ebpf.CollectionSpec) []string {
	found := slices.Collect(maps.Keys(spec.Programs))
	sort.Strings(found)
	return found
}

// text is an error without the log that stands apart, in one line.
func text(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}

func last(rows []string, count int) []string {
	return rows[max(0, len(rows)-count):]
}
