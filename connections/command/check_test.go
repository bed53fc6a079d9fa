package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine"
)

// A program is looked for where it would be started, and is not started.
func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ran := filepath.Join(dir, "ran")
	script := "#!/bin/sh\ntouch " + ran + "\n"
	for name, mode := range map[string]os.FileMode{"good": 0o700, "flat": 0o600} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), mode); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name, dir string
		command   []string
		want      string
	}{
		{"whole path", "", []string{filepath.Join(dir, "good"), "-x"}, "ok program " + filepath.Join(dir, "good")},
		{"of the folder", dir, []string{"./good"}, "ok program ./good: " + filepath.Join(dir, "good")},
		{"of PATH", "", []string{"sh"}, "ok program sh: "},
		{"not there", "", []string{"no-such-program"}, "failure program no-such-program: the program no-such-program is not found in PATH"},
		{"not in the folder", dir, []string{"./none"}, "failure program ./none"},
		{"may not be run", dir, []string{"./flat"}, "failure program ./flat"},
		{"no folder", filepath.Join(dir, "none"), []string{"sh"}, "failure program sh: the folder " + filepath.Join(dir, "none")},
	}
	for _, tt := range tests {
		o := DefaultOptions()
		o.Command, o.Dir = tt.command, tt.dir
		r := &engine.CheckReport{}
		o.Check(r)
		c := r.Checks()
		if got := string(c[0].Status) + " " + c[0].What + ": " + c[0].Detail; len(c) != 1 || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: told %s, want %s", tt.name, got, tt.want)
		}
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("a program was run")
	}
}
