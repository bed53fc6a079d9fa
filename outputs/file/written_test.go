package file

import (
	"os"
	"path/filepath"
	"testing"
)

// TestWritten finds the files of an output that rotates.
func TestWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"dead.jsonl", "dead-20260102T150405Z-0001.jsonl", "dead-20260102T150405Z-0002.jsonl", "dead-notes.jsonl", "dead.txt", "other.jsonl"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Written(filepath.Join(dir, "dead.jsonl"))
	if err != nil || len(got) != 3 || filepath.Base(got[2]) != "dead.jsonl" {
		t.Errorf("got %q, %v", got, err)
	}
}
