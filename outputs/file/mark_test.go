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

// TestLives is about journals and marks that were not made for each other.
func TestLives(t *testing.T) {
	t.Parallel()
	type world struct {
		t      *testing.T
		dir    string
		path   string
		stored checkpoint
	}
	// run writes records in a run that delivers exactly once, with a cut behind
	// the first ones, and dies or ends.
	run := func(w *world, element string, first, behind int, end bool) {
		w.t.Helper()
		o, err := newOutput(config(w.path), engine.Env{Element: element}, osFS{})
		if err != nil {
			w.t.Fatal(err)
		}
		h := &harness{t: w.t, o: o, source: engine.NewSource(engine.SourceInfo{ID: "in"}, nil, nil), refused: map[string]error{}}
		w.t.Cleanup(h.abandon)
		o.Restore(w.stored.mark)
		if err := o.Open(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		for n := range first {
			h.write(keyed(fmt.Sprintf("k=stored %d", n)))
		}
		if first > 0 {
			if err := w.stored.cut(w.t, o, 0); err != nil {
				w.t.Fatal(err)
			}
		}
		for n := range behind {
			h.write(keyed(fmt.Sprintf("k=behind %d", n)))
		}
		if end {
			h.close()
		}
		h.abandon()
	}
	// plain is a run that delivers at least once.
	plain := func(w *world, end bool) {
		w.t.Helper()
		h := start(w.t, config(w.path), nil, nil)
		h.write(batchOf("plain"))
		if end {
			h.close()
		}
		h.abandon()
	}
	const once, two = "stored 0\nstored 1\n", "behind 0\nbehind 1\n"
	tests := []struct {
		name string
		do   func(w *world)
		want string // what the next run that delivers exactly once finds
	}{
		{"died behind a cut", func(w *world) { run(w, "", 2, 2, false) }, once},
		{"died before any cut", func(w *world) { run(w, "", 0, 2, false) }, ""},
		{"died twice", func(w *world) { run(w, "", 2, 2, false); run(w, "", 0, 2, false) }, once},
		{"died behind two cuts", func(w *world) { run(w, "", 2, 2, false); run(w, "", 2, 2, false) }, once + once},
		{"died in the second life, before a cut", func(w *world) { run(w, "", 2, 0, true); run(w, "", 0, 2, false) }, once},
		{"ended with the last cut missing", func(w *world) { run(w, "", 2, 2, true) }, once},
		{"at least once in between", func(w *world) { run(w, "", 2, 0, true); plain(w, true) }, once + "plain\n"},
		{"at least once in between, died", func(w *world) { run(w, "", 2, 0, true); plain(w, false) }, once + "plain\n"},
		{"at least once behind a death", func(w *world) { run(w, "", 2, 2, false); plain(w, true) }, once + two + "plain\n"},
		{"at least once behind a death, died", func(w *world) { run(w, "", 2, 2, false); plain(w, false) }, once + two + "plain\n"},
		{"at least once, then died before a cut", func(w *world) { run(w, "", 2, 0, true); plain(w, true); run(w, "", 0, 2, false) }, once + "plain\n"},
		{"the checkpoint is removed", func(w *world) { run(w, "", 2, 2, false); w.stored = checkpoint{} }, once},
		{"the checkpoint is an older one", func(w *world) {
			run(w, "", 2, 0, true)
			older := w.stored
			run(w, "", 2, 2, false)
			w.stored = older
		}, once},
		{"somebody adds to an ended file", func(w *world) {
			run(w, "", 2, 0, true)
			add(w.t, w.path, "other\n")
		}, once + "other\n"},
		{"somebody replaces a file", func(w *world) {
			run(w, "", 2, 2, false)
			other := filepath.Join(w.dir, "other")
			add(w.t, other, "a longer file than the stored mark says\n")
			if err := os.Rename(other, w.path); err != nil {
				w.t.Fatal(err)
			}
		}, "a longer file than the stored mark says\n"},
		{"somebody shortens a file of the dead", func(w *world) {
			run(w, "", 2, 2, false)
			if err := os.Truncate(w.path, 12); err != nil {
				w.t.Fatal(err)
			}
		}, "stored 0\n"},
		{"somebody removes a file of the dead", func(w *world) {
			run(w, "", 2, 2, false)
			if err := os.Remove(w.path); err != nil {
				w.t.Fatal(err)
			}
		}, ""},
		{"another output died over it", func(w *world) {
			run(w, "other", 2, 2, false)
			w.stored = checkpoint{mark: `{"files":{}}`}
		}, once + two},
		{"the config names another path", func(w *world) {
			run(w, "", 2, 2, false)
			w.path = filepath.Join(w.dir, "b.jsonl")
			run(w, "", 0, 0, true)
			w.path = filepath.Join(w.dir, "a.jsonl")
			w.stored.mark = ""
		}, once},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			w := &world{t: t, dir: dir, path: filepath.Join(dir, "a.jsonl")}
			tt.do(w)
			run(w, "", 0, 0, true)
			wantContent(t, w.path, tt.want)
			for _, name := range files(t, dir) {
				if strings.HasSuffix(name, journalMark) {
					t.Errorf("%s is left over", name)
				}
			}
		})
	}
}

func add(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// TestChangedBetweenCuts: a file that somebody empties is another one for marks.
func TestChangedBetweenCuts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.jsonl")
	h, err := startExact(t, config(path), osFS{}, checkpoint{})
	if err != nil {
		t.Fatal(err)
	}
	h.write(batchOf("1", "2", "3"))
	var stored checkpoint
	if err := stored.cut(t, h.o, 3); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 0); err != nil { // log rotation by copy
		t.Fatal(err)
	}
	h.write(batchOf("4", "5", "6", "7"))
	h.abandon()
	if h, err = startExact(t, config(path), osFS{}, stored); err != nil {
		t.Fatal(err)
	}
	h.write(batchOf("4"))
	h.close()
	wantContent(t, path, "4\n")
}

// TestNewFilesGo: a file that came behind the mark is gone, one that was there
// before, empty, stays.
func TestNewFilesGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	add(t, filepath.Join(dir, "empty.jsonl"), "")
	c := config(filepath.Join(dir, "{{ key }}.jsonl"))
	h, err := startExact(t, c, osFS{}, checkpoint{})
	if err != nil {
		t.Fatal(err)
	}
	h.write(keyed("a=1"))
	var stored checkpoint
	if err := stored.cut(t, h.o, 1); err != nil {
		t.Fatal(err)
	}
	h.write(keyed("a=2", "b=3", "empty=4"))
	h.abandon()
	if h, err = startExact(t, c, osFS{}, stored); err != nil {
		t.Fatal(err)
	}
	h.close()
	wantFiles(t, dir, "a.jsonl", "empty.jsonl")
	wantContent(t, filepath.Join(dir, "a.jsonl"), "1\n")
	wantContent(t, filepath.Join(dir, "empty.jsonl"), "")
}

// TestLeftFilesAreDurable: a file that is closed before its mark is stored is on
// the disk by then, and its journal is gone for good before a mark leaves it
// out. Only a power cut would show it, so the calls are looked at.
func TestLeftFilesAreDurable(t *testing.T) {
	t.Parallel()
	fsys := newFaultFS()
	h, err := startExact(t, config(filepath.Join(t.TempDir(), "{{ key }}.jsonl"), func(c *Config) { c.MaxOpen = 1 }), fsys, checkpoint{})
	if err != nil {
		t.Fatal(err)
	}
	h.write(keyed("a=1"))
	fsys.calls = nil
	h.write(keyed("b=1"))
	if !slices.Contains(fsys.calls, "sync a.jsonl") {
		t.Errorf("the file was closed with %q", fsys.calls)
	}
	mark, err := h.o.Mark(t.Context())
	if err != nil || !strings.Contains(mark, "a.jsonl") || !strings.Contains(mark, "b.jsonl") {
		t.Fatalf("mark %s, %v", mark, err)
	}
	fsys.calls = nil
	if err := h.o.Marked(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone := slices.Index(fsys.calls, "remove .a.jsonl.flow")
	if gone < 0 || !slices.ContainsFunc(fsys.calls[gone:], func(c string) bool { return strings.HasPrefix(c, "syncdir ") }) {
		t.Errorf("the journal was removed with %q", fsys.calls)
	}
	if mark, err = h.o.Mark(t.Context()); err != nil || strings.Contains(mark, "a.jsonl") {
		t.Errorf("the next mark is %s, %v", mark, err)
	}
	h.close()
}

// TestOverlappingOutputs: files of another output that lie where a template's
// could are its own, dead or alive.
func TestOverlappingOutputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func(element, path, mark string) *output {
		o, err := newOutput(config(filepath.Join(dir, path)), engine.Env{Element: element}, osFS{})
		if err != nil {
			t.Fatal(err)
		}
		o.Restore(mark)
		if err := o.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		return o
	}
	one := open("output.file.one", "one.jsonl", "")
	h := &harness{t: t, o: one, source: engine.NewSource(engine.SourceInfo{ID: "in"}, nil, nil), refused: map[string]error{}}
	h.write(batchOf("1"))
	var stored checkpoint
	if err := stored.cut(t, one, 1); err != nil {
		t.Fatal(err)
	}
	h.write(batchOf("2"))
	for range 2 { // alive, then dead
		many := open("output.file.many", "{{ key }}.jsonl", `{"files":{}}`)
		wantContent(t, filepath.Join(dir, "one.jsonl"), "1\n2\n")
		if err := many.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.abandon()
	}
	one = open("output.file.one", "one.jsonl", stored.mark)
	wantContent(t, filepath.Join(dir, "one.jsonl"), "1\n")
	if err := one.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
