package file

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
)

// TestCrashAnywhere kills the output after any number of steps (calls, and
// bytes of writes; each run of the test takes every fifth) and starts it again. What was confirmed must be
// there, in whole records and in order; what is read again after the confirmed
// ones must come behind; and nothing may be there that nobody wrote.
func TestCrashAnywhere(t *testing.T) {
	t.Parallel()
	rotate := func(c *Config) { c.Rotate = &Rotate{Records: 5} }
	tests := []struct {
		name, path string
		edit       func(*Config)
	}{
		{name: "plain", path: "out.jsonl"},
		{name: "plain, synced", path: "out.jsonl", edit: func(c *Config) { c.Fsync = fsyncBatch }},
		{name: "never synced", path: "out.jsonl", edit: func(c *Config) { c.Fsync = fsyncNever }},
		{name: "csv", path: "out.csv", edit: func(c *Config) { c.Format = "csv" }},
		{name: "raw", path: "out.raw", edit: func(c *Config) { c.Format = "raw" }},
		{name: "gzip", path: "out.jsonl.gz"},
		{name: "zstd", path: "out.jsonl.zst"},
		{name: "rotate", path: "out.jsonl", edit: rotate},
		{name: "rotate by size", path: "out.jsonl", edit: func(c *Config) { c.Rotate = &Rotate{Size: 30} }},
		{name: "rotate gzip", path: "out.jsonl.gz", edit: rotate},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.edit == nil {
				tt.edit = func(*Config) {}
			}
			deaths := 0
			for left := rand.IntN(5); ; left += 5 {
				if !crashOnce(t, tt.path, tt.edit, left) {
					break
				}
				deaths++
				if t.Failed() {
					return
				}
			}
			if deaths < 20 {
				t.Errorf("only %d places to die were tried", deaths)
			}
		})
	}
}

// crashOnce reports whether the process died.
func crashOnce(t *testing.T, base string, edit func(*Config), left int) bool {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, base)
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	now := func() time.Time { return clock }
	all := lines(100, 12)

	fsys := newFaultFS()
	fsys.left = left
	h, err := tryStart(t, config(path, edit), fsys, now)
	if err == nil {
		for i := 0; i < len(all) && !fsys.dead; i += 4 {
			// Each batch is two, of which a group is made.
			for _, b := range []*engine.Batch{batchOf(all[i], all[i+1]), batchOf(all[i+2], all[i+3])} {
				h.begin(b)
				h.send(&pending{b: b})
			}
			if i == 4 {
				_ = h.o.Flush(t.Context())
			}
			_ = h.o.Sync(t.Context())
		}
		if !fsys.dead {
			_ = h.o.Close(t.Context())
		}
	}
	confirmed := 0
	for _, p := range h.open {
		if p.done && p.err == nil {
			confirmed += p.b.Len()
		}
	}
	h.abandon()

	// The next process reads again from the first record that is not confirmed.
	h = start(t, config(path, edit, func(c *Config) { c.Fsync = fsyncNever }), newFaultFS(), now)
	h.write(batchOf(all[confirmed:]...))
	h.close()
	checkRecords(t, fmt.Sprintf("death after %d steps, %d confirmed", left, confirmed), dir, all, confirmed)
	return fsys.dead
}

// checkRecords asserts that the files of a folder hold all records in order,
// where those from confirmed on may be there twice.
func checkRecords(t *testing.T, what, dir string, all []string, confirmed int) {
	t.Helper()
	var text strings.Builder
	for _, name := range files(t, dir) {
		if strings.HasPrefix(name, ".") {
			t.Errorf("%s: %s is left over", what, name)
			continue
		}
		text.WriteString(content(t, filepath.Join(dir, name)))
	}
	got := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	if strings.Contains(text.String(), "}{") { // raw
		got = strings.SplitAfter(text.String(), "}")
		got = got[:len(got)-1]
	}
	if len(got) > 0 && got[0] == "n" { // csv
		got = got[1:]
		for i := range got {
			got[i] = `{"n":` + got[i] + `}`
		}
	}
	// The second process wrote all[confirmed:]; before it stands a prefix of
	// all, at least the confirmed ones.
	second := len(all) - confirmed
	first := len(got) - second
	if first < confirmed || first > len(all) || !slices.Equal(got[:first], all[:first]) || !slices.Equal(got[first:], all[confirmed:]) {
		t.Errorf("%s: files hold %q", what, got)
	}
}

// TestTornTail cuts and garbles the end of a file whose writer died, at every
// byte behind the last confirmed record.
func TestTornTail(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"out.jsonl", "out.jsonl.gz", "out.jsonl.zst"} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			for tail := range 60 {
				dir := t.TempDir()
				path := filepath.Join(dir, base)
				h := start(t, config(path), newFaultFS(), nil)
				h.write(batchOf(lines(0, 3)...))
				h.flush()
				h.abandon()
				f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := f.WriteString(strings.Repeat("{\"x\n", 15)[:tail]); err != nil {
					t.Fatal(err)
				}
				if err := f.Close(); err != nil {
					t.Fatal(err)
				}
				h = start(t, config(path), newFaultFS(), nil)
				h.write(batchOf(lines(3, 2)...))
				h.close()
				wantContent(t, path, strings.Join(lines(0, 5), "\n")+"\n")
				wantFiles(t, dir, base)
			}
		})
	}
}

// TestShortened is a power cut that took a part of what the journal vouches
// for: whole records stay.
func TestShortened(t *testing.T) {
	t.Parallel()
	tests := []struct {
		base string
		edit func(*Config)
	}{
		{base: "out.jsonl"}, {base: "out.jsonl.gz"}, {base: "out.jsonl.zst"},
		{base: "out.csv", edit: func(c *Config) { c.Format = "csv" }},
	}
	for _, tt := range tests {
		t.Run(tt.base, func(t *testing.T) {
			t.Parallel()
			if tt.edit == nil {
				tt.edit = func(*Config) {}
			}
			prepare := func() (string, int64) {
				path := filepath.Join(t.TempDir(), tt.base)
				h := start(t, config(path, tt.edit), newFaultFS(), nil)
				for i := range 3 {
					h.write(batchOf(lines(10+2*i, 2)...))
					h.flush() // ends a member
				}
				h.abandon()
				fi, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				return path, fi.Size()
			}
			_, size := prepare()
			kept := map[int]bool{}
			for cut := int64(0); cut < size; cut++ {
				path, _ := prepare()
				if err := os.Truncate(path, cut); err != nil {
					t.Fatal(err)
				}
				h := start(t, config(path, tt.edit), newFaultFS(), nil)
				h.write(batchOf(`{"n":99}`))
				h.close()
				got := strings.Split(strings.TrimSuffix(content(t, path), "\n"), "\n")
				if got[0] == "n" {
					got = got[1:]
					for i := range got {
						got[i] = `{"n":` + got[i] + `}`
					}
				}
				n := len(got) - 1
				kept[n] = true
				if got[n] != `{"n":99}` || !slices.Equal(got[:n], lines(10, 6)[:n]) {
					t.Fatalf("cut at %d of %d: %q", cut, size, got)
				}
			}
			if len(kept) < 3 {
				t.Errorf("the cuts kept only %v records", kept)
			}
		})
	}
}
