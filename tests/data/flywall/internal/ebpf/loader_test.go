package ebpf

import (
	"testing"

	"flywall/internal/ebpf/programs"
)

func TestLoadEmbeddedProgram(t *testing.T) {
	for _, name := range []string{"xdp_blocklist", "tc_mark"} {
		data, err := programs.LoadProgram(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) == 0 {
			t.Errorf("%s is empty", name)
		}
	}
}
