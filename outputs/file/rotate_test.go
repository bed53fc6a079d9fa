package file

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flowrecords/flow/engine"
)

var noon = time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)

func TestRotate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, base string
		rotate     Rotate
		edit       func(*Config)
		batches    [][]string
		pause      time.Duration // between batches
		want       map[string]string
	}{
		{
			name: "records across batches", base: "a.jsonl", rotate: Rotate{Records: 3},
			batches: [][]string{{"1", "2"}, {"3", "4", "5", "6", "7"}, {"8"}},
			want: map[string]string{
				"a-20260506T120000Z-0001.jsonl": "1\n2\n3\n",
				"a-20260506T120000Z-0002.jsonl": "4\n5\n6\n",
				"a-20260506T120000Z-0003.jsonl": "7\n8\n",
			},
		},
		{
			name: "size, never exceeded but by one record", base: "a", rotate: Rotate{Size: 6},
			batches: [][]string{{"12", "34", "5", "7890123", "4"}},
			want: map[string]string{
				"a-20260506T120000Z-0001": "12\n34\n",
				"a-20260506T120000Z-0002": "5\n",
				"a-20260506T120000Z-0003": "7890123\n",
				"a-20260506T120000Z-0004": "4\n",
			},
		},
		{
			name: "time", base: "a.jsonl.gz", rotate: Rotate{Interval: time.Minute}, pause: 40 * time.Second,
			batches: [][]string{{"1"}, {"2"}, {"3"}, {"4"}},
			want: map[string]string{
				"a-20260506T120000Z-0001.jsonl.gz": "1\n2\n",
				"a-20260506T120120Z-0001.jsonl.gz": "3\n4\n",
			},
		},
		{
			name: "csv has a header in each file", base: "a.csv", rotate: Rotate{Records: 2}, edit: func(c *Config) { c.Format = "csv" },
			batches: [][]string{{`{"x":1}`, `{"x":2}`, `{"y":3}`}},
			want: map[string]string{
				"a-20260506T120000Z-0001.csv": "x\n1\n2\n",
				"a-20260506T120000Z-0002.csv": "y\n3\n",
			},
		},
		{
			name: "compressed size counts what is written", base: "a.zst", rotate: Rotate{Size: 10},
			batches: [][]string{{"1"}, {"2"}},
			want: map[string]string{
				"a-20260506T120000Z-0001.zst": "1\n",
				"a-20260506T120000Z-0002.zst": "2\n",
			},
		},
		{name: "no records, no file", base: "a.jsonl", rotate: Rotate{Records: 3}, want: map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			clock := clockAt(noon)
			c := config(filepath.Join(dir, tt.base), func(c *Config) { c.Rotate = &tt.rotate })
			if tt.edit != nil {
				tt.edit(c)
			}
			// The clock of watch stands still: files turn with the records.
			h := start(t, c, newFaultFS(), clock.now)
			for _, b := range tt.batches {
				h.write(batchOf(b...))
				h.flush()
				for _, name := range files(t, dir) {
					if _, ok := tt.want[name]; ok {
						wantContent(t, filepath.Join(dir, name), tt.want[name])
					} else if !strings.HasPrefix(name, ".") {
						t.Errorf("%s is visible and not complete", name)
					}
				}
				clock.add(tt.pause)
			}
			h.close()
			if got := files(t, dir); len(got) != len(tt.want) {
				t.Errorf("files are %q", got)
			}
			for name, want := range tt.want {
				wantContent(t, filepath.Join(dir, name), want)
			}
		})
	}
}

// TestRotateIdle completes a file by the clock while nothing is written.
func TestRotateIdle(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		h := start(t, config(filepath.Join(dir, "a.jsonl"), func(c *Config) { c.Rotate = &Rotate{Interval: time.Minute} }), newFaultFS(), time.Now)
		time.Sleep(10 * time.Second) // synctest's clock
		h.write(batchOf("1"))
		time.Sleep(59 * time.Second)
		synctest.Wait()
		wantFiles(t, dir, "..a.jsonl.partial.flow", ".a.jsonl.partial")
		time.Sleep(time.Second)
		synctest.Wait()
		wantFiles(t, dir, "a-20000101T000010Z-0001.jsonl")
		h.write(batchOf("2"))
		time.Sleep(time.Minute)
		synctest.Wait()
		wantFiles(t, dir, "a-20000101T000010Z-0001.jsonl", "a-20000101T000110Z-0001.jsonl")
		h.close()
	})
}

// TestRotateIdleTells: what waits for the end of its member is told when the
// clock completes the file, and told to come again when that does not work.
func TestRotateIdleTells(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{false, true} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			fsys := newFaultFS()
			var full atomic.Bool
			fsys.onWrite = func(_ string, p []byte) (int, error) {
				if full.Load() {
					return 1, syscall.ENOSPC
				}
				return len(p), nil
			}
			h := start(t, config(filepath.Join(dir, "a.gz"), func(c *Config) { c.Rotate = &Rotate{Interval: time.Minute} }), fsys, time.Now)
			first, second := batchOf("1"), batchOf("2")
			h.begin(first)
			h.begin(second)
			told := make(chan error, 1)
			h.o.Write(t.Context(), first, func(err error) { told <- err })
			select {
			case err := <-told:
				t.Fatalf("told before its member ended: %v", err)
			default:
			}
			full.Store(fails)
			time.Sleep(time.Minute)
			synctest.Wait()
			err := <-told
			var retry *engine.RetryError
			if fails != errors.As(err, &retry) {
				t.Errorf("told %v", err)
			}
			full.Store(false)
			if fails {
				h.o.Write(t.Context(), second, func(err error) { told <- err })
				if err := <-told; !errors.As(err, &retry) {
					t.Errorf("a later batch overtook the failed one: %v", err)
				}
				h.send(&pending{b: first})
			}
			h.close()
			names := files(t, dir)
			if len(names) != 1 {
				t.Fatalf("files are %q", names)
			}
			wantContent(t, filepath.Join(dir, names[0]), "1\n")
		})
	}
}

// TestRotateIdleFails: a rename that does not work is repeated; a sync of
// confirmed records that does not work stops the pipeline at the next batch.
func TestRotateIdleFails(t *testing.T) {
	t.Parallel()
	t.Run("rename", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			fsys := newFaultFS()
			renames := 0
			fsys.onCall = func(call, _ string) error {
				if call == "rename" {
					if renames++; renames < 4 {
						return syscall.EIO
					}
				}
				return nil
			}
			h := start(t, config(filepath.Join(dir, "a"), func(c *Config) { c.Rotate = &Rotate{Interval: time.Minute} }), fsys, time.Now)
			h.write(batchOf("1"))
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			wantFiles(t, dir, "a-20000101T000000Z-0001")
			h.close()
			if renames != 4 {
				t.Errorf("%d renames", renames)
			}
		})
	})
	t.Run("sync", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			fsys := newFaultFS()
			fsys.onSync = func(name string) error {
				if strings.HasSuffix(name, journalMark) {
					return nil
				}
				return syscall.EIO
			}
			h := start(t, config(filepath.Join(dir, "a"), func(c *Config) { c.Rotate = &Rotate{Interval: time.Minute} }), fsys, time.Now)
			h.write(batchOf("1"))
			time.Sleep(time.Minute)
			synctest.Wait()
			h.write(batchOf("2"))
			if !errors.Is(h.err, syscall.EIO) {
				t.Errorf("the pipeline goes on after a failed sync of confirmed records: %v", h.err)
			}
			if err := h.o.Close(context.Background()); !errors.Is(err, syscall.EIO) {
				t.Errorf("close: %v", err)
			}
		})
	})
}

// TestRotateContinues goes on with the partial file of a process that died,
// with its count and its time.
func TestRotateContinues(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	clock := clockAt(noon)
	now := clock.now
	c := func() *Config {
		return config(filepath.Join(dir, "a.jsonl"), func(c *Config) { c.Rotate = &Rotate{Records: 3} })
	}
	h := start(t, c(), newFaultFS(), now)
	h.write(batchOf("1", "2"))
	h.abandon()
	clock.add(time.Hour)
	h = start(t, c(), newFaultFS(), now)
	h.write(batchOf("3", "4"))
	wantContent(t, filepath.Join(dir, "a-20260506T120000Z-0001.jsonl"), "1\n2\n3\n")
	h.abandon()

	// Another configuration does not add to a file of the first one, and does
	// not leave it unfinished.
	h = start(t, config(filepath.Join(dir, "a.jsonl"), func(c *Config) {
		c.Rotate, c.Format = &Rotate{Records: 3}, "envelope"
	}), newFaultFS(), now)
	wantFiles(t, dir, "..a.jsonl.partial.flow", ".a.jsonl.partial",
		"a-20260506T120000Z-0001.jsonl", "a-20260506T130000Z-0001.jsonl")
	h.close()
	h = start(t, c(), newFaultFS(), now)
	h.write(batchOf("5"))
	h.abandon()
	h = start(t, config(filepath.Join(dir, "a.jsonl")), newFaultFS(), now)
	h.write(batchOf("6"))
	h.close()
	wantFiles(t, dir, "a-20260506T120000Z-0001.jsonl", "a-20260506T130000Z-0001.jsonl", "a-20260506T130000Z-0002.jsonl", "a.jsonl")
	wantContent(t, filepath.Join(dir, "a-20260506T130000Z-0002.jsonl"), "5\n")
	wantContent(t, filepath.Join(dir, "a.jsonl"), "6\n")
}

// TestRotateNeverReplaces keeps a file that has the name already.
func TestRotateNeverReplaces(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := func() time.Time { return noon }
	for _, v := range []string{"1", "2"} {
		h := start(t, config(filepath.Join(dir, "a.jsonl"), func(c *Config) { c.Rotate = &Rotate{Records: 9} }), newFaultFS(), now)
		h.write(batchOf(v))
		h.close()
	}
	wantFiles(t, dir, "a-20260506T120000Z-0001.jsonl", "a-20260506T120000Z-0002.jsonl")
	wantContent(t, filepath.Join(dir, "a-20260506T120000Z-0001.jsonl"), "1\n")
}

func TestFinalName(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path string
		n    int
		want string
	}{
		{"out/orders.jsonl", 1, "out/orders-20260506T120000Z-0001.jsonl"},
		{"orders.jsonl.gz", 12, "orders-20260506T120000Z-0012.jsonl.gz"},
		{"orders", 12345, "orders-20260506T120000Z-12345"},
		{".orders", 1, ".orders-20260506T120000Z-0001"},
		{".gz", 1, ".gz-20260506T120000Z-0001"},
		{"v1.2/orders", 1, "v1.2/orders-20260506T120000Z-0001"},
		{"a.b.c", 1, "a.b-20260506T120000Z-0001.c"},
	}
	for _, tt := range tests {
		if got := finalName(tt.path, noon, tt.n); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.path, got, tt.want)
		}
	}
	var names []string
	for n := range 30 {
		names = append(names, finalName("a.x", noon.Add(time.Duration(n)*time.Second), n%4+1))
	}
	if !slices.IsSorted(names) {
		t.Errorf("names do not sort in the order of writing: %q", names)
	}
}

// TestRetryAfterTurn: when a file was completed in the middle of a batch that
// then fails, what is complete is not written again.
func TestRetryAfterTurn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fsys := newFaultFS()
	fail := 0
	fsys.onWrite = func(name string, p []byte) (int, error) {
		if fail > 0 && strings.HasPrefix(string(p), "5") {
			fail--
			return 1, syscall.ENOSPC
		}
		return len(p), nil
	}
	h := start(t, config(filepath.Join(dir, "a"), func(c *Config) { c.Rotate = &Rotate{Records: 2} }), fsys, func() time.Time { return noon })
	fail = 3
	h.write(batchOf("1", "2", "3", "4", "5", "6", "7"))
	h.write(batchOf("8"))
	h.close()
	if h.retries != 3 {
		t.Errorf("%d retries", h.retries)
	}
	want := []string{"1\n2\n", "3\n4\n", "5\n6\n", "7\n8\n"}
	for i, name := range files(t, dir) {
		if i >= len(want) {
			t.Fatalf("more files than %d: %s", len(want), name)
		}
		wantContent(t, filepath.Join(dir, name), want[i])
	}
}

// TestOrderAfterFailure: a batch behind one that fails again must not overtake
// it.
func TestOrderAfterFailure(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a")
	fsys := newFaultFS()
	o := start(t, config(path), fsys, nil)
	source := engine.NewSource(engine.SourceInfo{ID: "in"}, nil, nil)
	a, b := batchOf("1"), batchOf("2")
	source.Begin(a, engine.Position{Offset: 1}, 0, nil)
	source.Begin(b, engine.Position{Offset: 2}, 1, nil)
	var told []error
	write := func(b *engine.Batch) { o.o.Write(t.Context(), b, func(err error) { told = append(told, err) }) }
	fsys.onWrite = func(string, []byte) (int, error) { return 0, syscall.EIO }
	write(a)
	if err := o.o.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	fsys.onWrite = nil
	write(b)
	write(a)
	write(b)
	if err := o.o.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, false, true, true} {
		if (told[i] == nil) != want {
			t.Errorf("write %d: %v", i, told[i])
		}
	}
	wantContent(t, path, "1\n2\n")
}
