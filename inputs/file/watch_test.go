package file

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestWatch: growth is read at once, long before the next look at the files, and
// so is a file that was cut off and written anew.
func TestWatch(t *testing.T) {
	t.Parallel()
	if w := newWatch(); w.fs == nil {
		t.Skip("the system has no watcher to give")
	} else {
		w.close()
	}
	path := filepath.Join(t.TempDir(), "grows.txt")
	appendTo := func(text string) {
		t.Helper()
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
	appendTo("one\n")
	in, err := newInput(config(func(c *Config) {
		c.Path, c.Mode, c.PollInterval = path, "tail", time.Hour
	}), env())
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Open(t.Context(), newHost()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := in.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	expect := func(want ...string) {
		t.Helper()
		for len(want) > 0 {
			b, err := in.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i := range b.Len() {
				if len(want) == 0 || string(b.Value.At(i)) != want[0] {
					t.Fatalf("read %q, want %q", b.Value.At(i), want)
				}
				want = want[1:]
			}
			b.Done()
			b.Release()
		}
	}
	expect("one")
	appendTo("two\n")
	expect("two")
	appendTo("thr")
	appendTo("ee\nfour\n")
	expect("three", "four")
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	appendTo("anew\n")
	expect("anew")
}
