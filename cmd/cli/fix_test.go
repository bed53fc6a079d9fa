package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReplaceFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, link := filepath.Join(dir, "a.hcl"), filepath.Join(dir, "link.hcl")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.hcl", link); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(link, []byte("old"), []byte("new")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "new" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("its permissions are %v, %v", info.Mode(), err)
	}
	if target, err := os.Readlink(link); err != nil || target != "a.hcl" {
		t.Errorf("the link leads to %q, %v", target, err)
	}

	if err := replaceFile(path, []byte("old"), []byte("newer")); err == nil || !strings.Contains(err.Error(), "was changed meanwhile") {
		t.Errorf("a file that somebody else changed: %v", err)
	}
	if err := replaceFile(filepath.Join(dir, "gone.hcl"), nil, []byte("x")); err == nil {
		t.Error("a file that is gone is written")
	}
	if text, _ := os.ReadFile(path); string(text) != "new" {
		t.Errorf("the file holds %q", text)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}
