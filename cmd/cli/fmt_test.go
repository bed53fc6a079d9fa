package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestColorDiff(t *testing.T) {
	t.Parallel()
	in := "diff a b\n--- a\n+++ b\n@@ -1 +1 @@\n same\n-old\n+new\n"
	want := "\x1b[1mdiff a b\x1b[0m\n\x1b[1m--- a\x1b[0m\n\x1b[1m+++ b\x1b[0m\n\x1b[36m@@ -1 +1 @@\x1b[0m\n same\n\x1b[31m-old\x1b[0m\n\x1b[32m+new\x1b[0m\n"
	if got := string(colorDiff([]byte(in))); got != want {
		t.Errorf("got %q", got)
	}
}

// TestOverwrite: what is no file, may not be written or has changed meanwhile
// stays as it is, and nothing is left beside it.
func TestOverwrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.hcl")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	check := func(err error, says, holds string) {
		t.Helper()
		got, readErr := os.ReadFile(path)
		if readErr != nil {
			t.Fatal(readErr)
		}
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) || string(got) != holds {
			t.Errorf("%v: %q", err, got)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("%d files are there: %v", len(entries), err)
		}
	}
	write("old", 0o600)
	check(overwrite(path, []byte("old"), []byte("new")), "", "new")
	check(overwrite(path, []byte("old"), []byte("newer")), "changed meanwhile", "new")
	check(overwrite(dir, nil, []byte("x")), "is no file", "new")
	check(overwrite(filepath.Join(dir, "none"), nil, nil), "no such file", "new")
	if os.Getuid() != 0 { // root may write what nobody may
		if err := os.Chmod(path, 0o400); err != nil {
			t.Fatal(err)
		}
		check(overwrite(path, []byte("new"), []byte("newer")), "permission denied", "new")
	}
}
