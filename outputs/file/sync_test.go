package file

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/flowrecords/flow/engine"
)

// syncsOf lists the syncs since the last call.
func (f *faultFS) syncsOf() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := []string{}
	for _, c := range f.calls {
		if strings.HasPrefix(c, "sync") || strings.HasPrefix(c, "re") { // rename, remove
			list = append(list, c)
		}
	}
	f.calls = nil
	return list
}

// TestFsync lists what each policy forces to the disk, and when.
func TestFsync(t *testing.T) {
	t.Parallel()
	const data, journal, remove = "sync out.jsonl", "sync .out.jsonl.flow", "remove .out.jsonl.flow"
	tests := []struct {
		policy                                string
		open, written, synced, again, closing []string
	}{
		{policy: fsyncNever, closing: []string{remove}},
		{policy: fsyncClose, closing: []string{data, remove, "syncdir DIR"}},
		{policy: fsyncBatch, open: []string{journal, "syncdir DIR"}, written: []string{data, journal, data, journal}, closing: []string{remove, "syncdir DIR"}},
		{policy: fsyncCommit, open: []string{journal, "syncdir DIR"}, synced: []string{data, journal}, closing: []string{data, remove, "syncdir DIR"}},
	}
	for _, tt := range tests {
		t.Run(tt.policy, func(t *testing.T) {
			t.Parallel()
			fsys := newFaultFS()
			dir := t.TempDir()
			h := start(t, config(filepath.Join(dir, "out.jsonl"), func(c *Config) { c.Fsync = tt.policy }), fsys, nil)
			check := func(when string, want []string) {
				t.Helper()
				want = slices.Clone(want)
				for i := range want {
					want[i] = strings.Replace(want[i], "DIR", filepath.Base(dir), 1)
				}
				if got := fsys.syncsOf(); !slices.Equal(got, want) {
					t.Errorf("%s: %q, want %q", when, got, want)
				}
			}
			sync := func() {
				t.Helper()
				if err := h.o.Sync(t.Context()); err != nil {
					t.Errorf("sync: %v", err)
				}
			}
			check("opening", tt.open)
			h.write(batchOf("1"))
			h.put(batchOf("2"))
			h.write(batchOf("3"))
			check("writing", tt.written)
			if len(h.confirmed) != 3 {
				t.Errorf("confirmed %q", h.confirmed)
			}
			h.put(batchOf("4"))
			sync()
			check("syncing", tt.synced)
			if len(h.confirmed) != 3 {
				t.Error("a sync confirmed records")
			}
			sync()
			check("syncing again", tt.again)
			h.close()
			if tt.policy == fsyncBatch {
				tt.closing = append([]string{data, journal}, tt.closing...) // of record 4
			}
			check("closing", tt.closing)
		})
	}
}

// TestGroups: batches are confirmed together, after a megabyte or so many,
// and never before their bytes are in the file.
func TestGroups(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", groupBytes/4)
	tests := []struct {
		name, value string
		want        int // batches that make a group
	}{
		{"small", "1", groupBatches},
		{"large", big, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fsys := newFaultFS()
			path := filepath.Join(t.TempDir(), "a")
			h := start(t, config(path), fsys, nil)
			fsys.calls = nil
			for n := range tt.want {
				if len(h.confirmed) != 0 {
					t.Fatalf("confirmed %d batches of %d", len(h.confirmed), n)
				}
				h.put(batchOf(tt.value))
			}
			if len(h.confirmed) != tt.want {
				t.Errorf("confirmed %d of %d", len(h.confirmed), tt.want)
			}
			wantContent(t, path, strings.Repeat(tt.value+"\n", tt.want))
			if want := []string{"write a", "write .a.flow"}; !slices.Equal(fsys.calls, want) {
				t.Errorf("a group calls %q", fsys.calls)
			}
			h.close()
		})
	}
}

// TestGroupsAdapt: where the engine cannot fill a group it need not wait for
// Flush each time, and where it can again, groups become large again.
func TestGroupsAdapt(t *testing.T) {
	t.Parallel()
	h := start(t, config(filepath.Join(t.TempDir(), "a")), newFaultFS(), nil)
	// The engine has only three batches.
	flushes, written := 0, 0
	for range 100 {
		h.put(batchOf("1"))
		if written++; written-len(h.confirmed) == 3 {
			h.flush()
			flushes++
		}
	}
	if flushes == 0 || flushes > 12 {
		t.Errorf("100 batches took %d flushes", flushes)
	}
	// Now it has as many as can be waited for.
	most := 0
	for range 2000 {
		h.put(batchOf("1"))
		written++
		most = max(most, written-len(h.confirmed))
	}
	if most != groupBatches-1 {
		t.Errorf("at most %d batches waited", most)
	}
	h.close()
}

// TestGroupFails: when a group fails, its batches come again one by one, so
// that what there is room for is confirmed, in order.
func TestGroupFails(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a")
	fsys := newFaultFS()
	h := start(t, config(path), fsys, nil)
	room, fails := 6, 0
	fsys.onWrite = func(name string, p []byte) (int, error) {
		if name != path {
			return len(p), nil
		}
		fi, err := os.Stat(path)
		if err != nil {
			t.Error(err)
		}
		if fi.Size()+int64(len(p)) > int64(room) {
			if fails++; fails == 4 {
				if want := []string{"1", "2", "3"}; !slices.Equal(h.confirmed, want) {
					t.Errorf("confirmed while the disk is full are %q, want %q", h.confirmed, want)
				}
				room = 100
			}
			return 1, syscall.ENOSPC
		}
		return len(p), nil
	}
	for _, v := range []string{"1", "2", "3", "4", "5"} {
		h.put(batchOf(v))
	}
	h.close()
	wantContent(t, path, "1\n2\n3\n4\n5\n")
	if !slices.Equal(h.confirmed, []string{"1", "2", "3", "4", "5"}) || fails < 4 {
		t.Errorf("confirmed %q after %d failures", h.confirmed, fails)
	}
}

// TestSyncFails: after a failed sync the kernel forgets what it could not
// write. Data that is not confirmed is written again; where it was confirmed
// already the pipeline stops, whatever the error, and nothing makes the file
// look complete.
func TestSyncFails(t *testing.T) {
	t.Parallel()
	t.Run("before confirmation", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "out.jsonl")
		fsys := newFaultFS()
		h := start(t, config(path, func(c *Config) { c.Fsync = fsyncBatch }), fsys, nil)
		syncs, writes := 0, 0
		fsys.onSync = func(string) error {
			if syncs++; syncs == 1 {
				return syscall.EIO
			}
			return nil
		}
		fsys.onWrite = func(name string, p []byte) (int, error) {
			if name == path {
				writes++
			}
			return len(p), nil
		}
		h.write(batchOf("1", "2"))
		if writes != 2 || h.retries != 1 {
			t.Errorf("%d writes, %d retries", writes, h.retries)
		}
		h.close()
		wantContent(t, path, "1\n2\n")
	})
	fatal := func(t *testing.T, what string, err error, errno syscall.Errno) {
		t.Helper()
		var retry *engine.RetryError
		if !errors.Is(err, errno) || errors.As(err, &retry) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.ENOSPC, syscall.EDQUOT} {
		for _, fails := range []string{"out.jsonl", ".out.jsonl.flow"} {
			t.Run("before a commit, "+errno.Error()+", "+fails, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				fsys := newFaultFS()
				h := start(t, config(filepath.Join(dir, "out.jsonl")), fsys, nil)
				h.write(batchOf("1"))
				once := false
				fsys.onSync = func(name string) error {
					if filepath.Base(name) != fails || once {
						return nil
					}
					once = true
					return errno
				}
				err := h.o.Sync(t.Context())
				fatal(t, "sync", err, errno)
				if fails == "out.jsonl" && !strings.Contains(err.Error(), "damaged from byte 0 on") {
					t.Errorf("sync: %v", err)
				}
				fatal(t, "a second sync", h.o.Sync(t.Context()), errno)
				h.write(batchOf("2"))
				fatal(t, "the next batch", h.err, errno)
				fatal(t, "close", h.o.Close(t.Context()), errno)
				wantFiles(t, dir, ".out.jsonl.flow", "out.jsonl")
			})
		}
	}
	t.Run("at the end", func(t *testing.T) {
		t.Parallel()
		fsys := newFaultFS()
		h := start(t, config(filepath.Join(t.TempDir(), "out.jsonl")), fsys, nil)
		h.write(batchOf("1"))
		fsys.onSync = func(string) error { return syscall.EIO }
		fatal(t, "close", h.o.Close(t.Context()), syscall.EIO)
	})
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		fsys := newFaultFS()
		fsys.onCall = func(call, _ string) error {
			if call == "syncdir" {
				return syscall.EIO
			}
			return nil
		}
		_, err := tryStart(t, config(filepath.Join(t.TempDir(), "out.jsonl")), fsys, nil)
		fatal(t, "open", err, syscall.EIO)
	})
}

// TestSyncOfClosedFiles: a file that is closed between two syncs is on the
// disk when it is closed, with its name and the folders that were made for it.
func TestSyncOfClosedFiles(t *testing.T) {
	t.Parallel()
	t.Run("rotated", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		fsys := newFaultFS()
		h := start(t, config(filepath.Join(dir, "a"), func(c *Config) { c.Rotate = &Rotate{Records: 2} }), fsys, nil)
		h.write(batchOf("1", "2", "3"))
		base := filepath.Base(dir)
		opening := []string{"sync ..a.partial.flow", "syncdir " + base}
		complete := []string{"sync .a.partial", "rename .a.partial", "syncdir " + base, "remove ..a.partial.flow"}
		if got, want := fsys.syncsOf(), slices.Concat(opening, complete, opening); !slices.Equal(got, want) {
			t.Errorf("writing calls %q, want %q", got, want)
		}
		if err := h.o.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := fsys.syncsOf(), []string{"sync .a.partial", "sync ..a.partial.flow"}; !slices.Equal(got, want) {
			t.Errorf("syncing calls %q, want %q", got, want)
		}
		h.close()
	})
	t.Run("least recently used", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		fsys := newFaultFS()
		h := start(t, config(filepath.Join(dir, "x/{{ key }}"), func(c *Config) { c.MaxOpen = 1 }), fsys, nil)
		h.write(keyed("a/b=1", "c=2"))
		want := []string{
			"sync .b.flow", "syncdir a", "syncdir " + filepath.Base(dir), "syncdir x",
			"sync b", "remove .b.flow", "syncdir a",
			"sync .c.flow", "syncdir x",
		}
		if got := fsys.syncsOf(); !slices.Equal(got, want) {
			t.Errorf("writing calls %q, want %q", got, want)
		}
		h.close()
	})
}

// TestOrderOfCommit checks the order that makes a crash harmless.
func TestOrderOfCommit(t *testing.T) {
	t.Parallel()
	fsys := newFaultFS()
	path := filepath.Join(t.TempDir(), "out.jsonl")
	h := start(t, config(path, func(c *Config) { c.Fsync = fsyncBatch }), fsys, nil)
	fsys.calls = nil
	told := -1
	h.o.Write(t.Context(), batchOf("1"), func(error) { told = len(fsys.calls) })
	if err := h.o.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"write out.jsonl", "sync out.jsonl", "write .out.jsonl.flow", "sync .out.jsonl.flow"}
	if !slices.Equal(fsys.calls, want) || told != len(want) {
		t.Errorf("calls are %q, done after %d of them", fsys.calls, told)
	}
}
