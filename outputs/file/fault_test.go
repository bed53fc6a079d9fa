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

// TestDiskFull lets the disk take only a part of each write for a while:
// nothing is lost, doubled or torn, and the file never shows a part of a
// record.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	rotate := func(c *Config) { c.Rotate = &Rotate{Records: 3} }
	tests := []struct {
		name, base string
		errno      syscall.Errno
		edit       func(*Config)
		journal    bool // the journal fails, not the file
	}{
		{name: "full", base: "out.jsonl", errno: syscall.ENOSPC},
		{name: "quota", base: "out.jsonl", errno: syscall.EDQUOT},
		{name: "file size limit", base: "out.jsonl", errno: syscall.EFBIG},
		{name: "broken disk", base: "out.jsonl", errno: syscall.EIO},
		{name: "gzip", base: "out.jsonl.gz", errno: syscall.ENOSPC},
		{name: "zstd", base: "out.jsonl.zst", errno: syscall.ENOSPC},
		{name: "rotate", base: "out.jsonl", errno: syscall.ENOSPC, edit: rotate},
		{name: "rotate by size", base: "out.jsonl", errno: syscall.ENOSPC, edit: func(c *Config) { c.Rotate = &Rotate{Size: 25} }},
		{name: "synced", base: "out.jsonl", errno: syscall.ENOSPC, edit: func(c *Config) { c.Fsync = fsyncBatch }},
		{name: "journal", base: "out.jsonl", errno: syscall.ENOSPC, journal: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, room := range []int{0, 1, 5, 9, 10, 17} {
				dir := t.TempDir()
				fsys := newFaultFS()
				full, failures := false, 0
				fsys.onWrite = func(name string, p []byte) (int, error) {
					if !full || strings.HasSuffix(name, journalMark) != tt.journal {
						return len(p), nil
					}
					if failures++; failures%4 == 0 {
						full = false // somebody makes room
					}
					return min(room, len(p)), &os.PathError{Op: "write", Path: name, Err: tt.errno}
				}
				edit := tt.edit
				if edit == nil {
					edit = func(*Config) {}
				}
				h := start(t, config(filepath.Join(dir, tt.base), edit), fsys, nil)
				all := lines(10, 20)
				for i := 0; i < len(all); i += 4 {
					full = i == 4 || i == 12
					h.put(batchOf(all[i : i+4]...))
					if full {
						h.flush()
					}
				}
				full = false
				h.close()
				if failures < 2 || h.retries == 0 {
					t.Errorf("room %d: the disk was full %d times, retried %d times", room, failures, h.retries)
				}
				if h.err != nil {
					t.Errorf("room %d: %v", room, h.err)
				}
				if !slices.Equal(h.confirmed, all) {
					t.Errorf("room %d: confirmed %q", room, h.confirmed)
				}
				checkRecords(t, tt.name, dir, all, len(all))
			}
		})
	}
}

// TestTornNothing looks at the file right after a write that failed.
func TestTornNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out.jsonl")
	fsys := newFaultFS()
	h := start(t, config(path, func(c *Config) { c.OnFull = "stop" }), fsys, nil)
	h.write(batchOf("1", "2"))
	fsys.onWrite = func(_ string, p []byte) (int, error) { return len(p) / 2, syscall.ENOSPC }
	h.send(&pending{b: batchOf("345", "678")})
	if err := h.o.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, "1\n2\n")
	h.collect()
	if h.err == nil || !strings.Contains(h.err.Error(), "no room left") || !errors.Is(h.err, syscall.ENOSPC) {
		t.Errorf("the pipeline stops with %v", h.err)
	}
	fsys.onWrite = nil
	h.close()
	wantContent(t, path, "1\n2\n")
}

// TestRollBackFails keeps a file from being written to while its torn tail
// cannot be cut off.
func TestRollBackFails(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out.jsonl")
	fsys := newFaultFS()
	h := start(t, config(path), fsys, nil)
	h.write(batchOf("1"))
	truncates := 0
	fsys.onWrite = func(name string, p []byte) (int, error) {
		if truncates == 0 && !strings.HasSuffix(name, journalMark) {
			return 3, syscall.EIO
		}
		return len(p), nil
	}
	fsys.onCall = func(call, _ string) error {
		if call == "truncate" {
			if truncates++; truncates < 4 {
				return syscall.EIO
			}
		}
		return nil
	}
	h.write(batchOf("22222", "33333"))
	h.close()
	if truncates < 4 {
		t.Errorf("the file was cut %d times", truncates)
	}
	wantContent(t, path, "1\n22222\n33333\n")
}

// TestOpenRetries: what may pass is tried again, what is a mistake is not.
func TestOpenRetries(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		syscall.ENOSPC: true, syscall.EIO: true, syscall.EMFILE: true, syscall.EDQUOT: true,
		syscall.EACCES: false, syscall.ENAMETOOLONG: false, syscall.EISDIR: false,
	} {
		fsys := newFaultFS()
		fsys.onCall = func(call, _ string) error {
			if call == "open" {
				return &os.PathError{Op: "open", Err: err}
			}
			return nil
		}
		_, got := tryStart(t, config(filepath.Join(t.TempDir(), "x")), fsys, nil)
		var retry *engine.RetryError
		if !errors.Is(got, err) || errors.As(got, &retry) != want {
			t.Errorf("%v: %v, retried %v", err, got, !want)
		}
	}
}
