package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The answers in the repository are those that Java gives now: nobody has
// written one by hand, and none depends on the machine.
func TestAnswersAreJavas(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a JDK, and the jars of Kafka and Avro")
	}
	const checkedIn = "../../../" + root
	dir := t.TempDir()
	for _, d := range []string{"cases", "avro/cases", "avro/files"} {
		if err := os.CopyFS(filepath.Join(dir, d), os.DirFS(filepath.Join(checkedIn, d))); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := answer(t.Context(), &out, filepath.Join(checkedIn, "java"), dir); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	files := 0
	for _, d := range []string{"golden", "avro/golden", "avro/files"} {
		err := fs.WalkDir(os.DirFS(filepath.Join(dir, d)), ".", func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			files++
			compare(t, filepath.Join(checkedIn, d, path), filepath.Join(dir, d, path))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 30 {
		t.Errorf("only %d files were answered", files)
	}
}

func compare(t *testing.T, checkedIn, now string) {
	t.Helper()
	want, err := os.ReadFile(now)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(checkedIn)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(want, got) {
		return
	}
	w, g := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			t.Errorf("%s:%d is\n%s\nJava says\n%s\nrun: make oracle", checkedIn, i+1, g[i], w[i])
			return
		}
	}
	t.Errorf("%s has %d lines, Java answers %d; run: make oracle", checkedIn, len(g), len(w))
}
