package file

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// checkpoint is what a run that delivers exactly once leaves in its store.
type checkpoint struct {
	mark    string
	records int
}

// cut does what the engine does at a cut, where every record is confirmed.
func (c *checkpoint) cut(t *testing.T, o *output, records int) error {
	t.Helper()
	mark, err := o.Mark(t.Context())
	if err != nil {
		return err
	}
	if err := o.Sync(t.Context()); err != nil {
		return err
	}
	*c = checkpoint{mark, records}
	return o.Marked(t.Context())
}

func startExact(t *testing.T, c *Config, fsys fileSystem, stored checkpoint) (*harness, error) {
	t.Helper()
	o, err := newOutput(c, engine.Env{}, fsys)
	if err != nil {
		t.Fatal(err)
	}
	h := &harness{t: t, o: o, source: engine.NewSource(engine.SourceInfo{ID: "in"}, nil, nil), refused: map[string]error{}}
	t.Cleanup(h.abandon)
	o.Restore(stored.mark)
	return h, o.Open(t.Context())
}

// exactRun writes all records behind the stored ones in batches of two, with a
// cut behind some of them, until the file system dies.
func exactRun(t *testing.T, c *Config, fsys *faultFS, stored *checkpoint, batch func(n int) *engine.Batch, total int) {
	t.Helper()
	h, err := startExact(t, c, fsys, *stored)
	for n := stored.records; err == nil && !fsys.dead && n < total; n += 2 {
		b := batch(n)
		h.begin(b)
		p := &pending{b: b}
		h.send(p)
		if n%3 != 0 {
			continue
		}
		if err = h.o.Flush(t.Context()); err == nil && !fsys.dead && confirmed(h) {
			err = stored.cut(t, h.o, n+2)
		}
	}
	if err == nil && !fsys.dead {
		if err = h.o.Flush(t.Context()); err == nil && !fsys.dead && confirmed(h) {
			err = stored.cut(t, h.o, total)
		}
	}
	if err == nil && !fsys.dead {
		err = h.o.Close(t.Context())
	}
	if err != nil && !fsys.dead {
		t.Fatal(err)
	}
	h.abandon()
}

func confirmed(h *harness) bool {
	return !slices.ContainsFunc(h.open, func(p *pending) bool { return !p.done || p.err != nil })
}

// TestTakeBackAnywhere kills the output after any number of steps, twice, and
// lets the third process end. The files then are byte for byte those of a run
// that nothing has happened to (Invariant 6).
func TestTakeBackAnywhere(t *testing.T) {
	t.Parallel()
	few := func(c *Config) { c.MaxOpen = 2 }
	tests := []struct {
		name, path string
		edit       func(*Config)
		before     string // content of somebody else
	}{
		{name: "plain", path: "out.jsonl"},
		{name: "synced", path: "out.jsonl", edit: func(c *Config) { c.Fsync = fsyncBatch }},
		{name: "behind others", path: "out.jsonl", before: "{}\n"},
		{name: "behind a line without end", path: "out.jsonl", before: "{}"},
		{name: "no append", path: "out.jsonl", edit: func(c *Config) { c.Append = false }},
		{name: "csv", path: "out.csv", edit: func(c *Config) { c.Format = "csv" }},
		{name: "raw", path: "out.raw", edit: func(c *Config) { c.Format = "raw" }},
		{name: "gzip", path: "out.jsonl.gz"},
		{name: "zstd", path: "out.jsonl.zst"},
		{name: "holes", path: "out-{{ key }}.jsonl"},
		{name: "holes in folders", path: "out/{{ key }}/a.jsonl"},
		{name: "holes, few open", path: "out-{{ key }}.jsonl", edit: few},
		{name: "holes, one open", path: "out-{{ key }}.jsonl", edit: func(c *Config) { c.MaxOpen = 1 }},
		{name: "holes, few open, csv", path: "out-{{ key }}.csv", edit: func(c *Config) { c.Format, c.MaxOpen = "csv", 2 }},
		{name: "holes, few open, gzip", path: "out-{{ key }}.jsonl.gz", edit: few},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.edit == nil {
				tt.edit = func(*Config) {}
			}
			prepare := func() (string, *Config) {
				dir := t.TempDir()
				if tt.before != "" {
					if err := os.WriteFile(filepath.Join(dir, tt.path), []byte(tt.before), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				return dir, config(filepath.Join(dir, tt.path), tt.edit)
			}
			const total = 24
			batch := func(n int) *engine.Batch {
				b := keyed(fmt.Sprintf(`k%d={"n":%d}`, n%5, n), fmt.Sprintf(`k%d={"n":%d}`, (n/4)%5, n+1))
				b.Value.Encoding = record.JSON
				return b
			}
			stride := 7
			if strings.Contains(tt.path, "{{") {
				stride = 41 // there are more steps to die at
			}
			dir, c := prepare()
			exactRun(t, c, newFaultFS(), &checkpoint{}, batch, total)
			want := tree(t, dir)
			if len(want) == 0 || strings.Contains(tt.path, "{{") && len(want) != 5 {
				t.Fatalf("an undisturbed run leaves %q", want)
			}

			rnd := rand.New(rand.NewPCG(rand.Uint64(), 1))
			deaths, stored := 0, 0
			for left := rnd.IntN(stride); ; left += stride {
				dir, c := prepare()
				var at checkpoint
				fsys := newFaultFS()
				fsys.left = left
				exactRun(t, c, fsys, &at, batch, total)
				if !fsys.dead {
					break
				}
				deaths++
				if at.mark != "" {
					stored++
				}
				second := newFaultFS()
				second.left = rnd.IntN(left + 20)
				for _, fsys := range []*faultFS{second, newFaultFS()} {
					_, err := os.Stat(journalName(filepath.Join(dir, tt.path)))
					if !c.Append && at.records == total && err != nil {
						break // it is through, and the next start refuses the file
					}
					exactRun(t, c, fsys, &at, batch, total)
				}
				if got := tree(t, dir); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("deaths after %d and %d steps leave\n%q, want\n%q", left, second.left, got, want)
				}
			}
			if deaths < 10 || stored < deaths/4 {
				t.Errorf("only %d places to die were tried, %d behind a mark", deaths, stored)
			}
		})
	}
}

// tree reads all files below a folder, by name, decompressed.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			all[strings.TrimPrefix(name, dir)] = content(t, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
