package deadletters

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

const oneLine = `{"value":{"n":%d},"headers":[{"key":"flow.error.reason","value":"odd"}]}` + "\n"

func scanAll(t *testing.T, s *Set) []string {
	t.Helper()
	var ids []string
	if err := s.Scan(t.Context(), func(l *Letter) error {
		ids = append(ids, fmt.Sprintf("%s@%d=%s", l.ID, l.Offset, l.Record.Value))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return ids
}

// TestFilesEnd: a file is read up to where it ended when it was opened, and a
// line that is being written is not an entry.
func TestFilesEnd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dead.jsonl")
	write := func(text string) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write(fmt.Sprintf(oneLine, 1) + "\n" + fmt.Sprintf(oneLine, 2) + `{"value":{"n":3},"hea`)
	s := &Set{Sources: []Source{&Files{Title: "x", Paths: []string{path}}}, Unreadable: func(u *Unreadable) { t.Errorf("unreadable: %v", u) }}
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	write(`ders":[]}` + "\n" + fmt.Sprintf(oneLine, 4))
	if got := scanAll(t, s); !slices.Equal(got, []string{`1@0={"n":1}`, `3@73={"n":2}`}) {
		t.Errorf("got %q", got)
	}
}

// TestFilesPacked: a compressed file that is cut in the middle gives what is whole.
func TestFilesPacked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dead.jsonl.gz")
	var b strings.Builder
	z := gzip.NewWriter(&b)
	fmt.Fprintf(z, oneLine+oneLine, 1, 2)
	if err := z.Flush(); err != nil { // no end: the output has it open
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Set{Sources: []Source{&Files{Title: "x", Paths: []string{path}}}}
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := scanAll(t, s); len(got) != 2 {
		t.Errorf("got %q", got)
	}
}
