package file

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// literal is a template without holes.
type literal string

func (l literal) Text() string            { return string(l) }
func (l literal) Literal() (string, bool) { return string(l), true }
func (l literal) Bind(*record.Layout) (engine.TemplateProgram, error) {
	return nil, errors.New("a literal is not bound")
}

// holed is a template with one hole, {{ key }}, which is null without a key.
type holed string

func (h holed) Text() string          { return string(h) }
func (holed) Literal() (string, bool) { return "", false }
func (h holed) Bind(*record.Layout) (engine.TemplateProgram, error) {
	return h, nil
}

func (h holed) Append(dst []byte, r *record.Record) ([]byte, error) {
	before, after, _ := strings.Cut(string(h), "{{ key }}")
	key := r.Key.Raw()
	if key == nil {
		return dst, errors.New("key is null")
	}
	dst = append(dst, before...)
	dst = append(dst, key...)
	return append(dst, after...), nil
}

// batchOf makes a batch of lines as an input would.
func batchOf(values ...string) *engine.Batch {
	b := engine.NewBatch()
	b.Value.Encoding = record.JSON
	for _, v := range values {
		b.Value.Add([]byte(v))
	}
	b.Value.Lines = true
	return b
}

// keyed makes a batch of key=value records.
func keyed(pairs ...string) *engine.Batch {
	b := engine.NewBatch()
	b.Value.Encoding, b.Key.Encoding = record.Text, record.Text
	for _, p := range pairs {
		k, v, ok := strings.Cut(p, "=")
		if !ok {
			v = p
		}
		b.Value.Add([]byte(v))
		if ok {
			b.Key.Add([]byte(k))
		} else {
			b.Key.Add(nil)
		}
	}
	return b
}

// harness drives one output as the engine does: a batch that failed for a
// while is written again, after everything that was handed over is done.
type harness struct {
	t         testing.TB
	o         *output
	source    *engine.Source
	offset    int64
	seq       int
	confirmed []string // values, in the order of confirmation
	refused   map[string]error
	skipped   int64
	open      []*pending
	err       error // what would stop the pipeline
	retries   int
}

type pending struct {
	b    *engine.Batch
	seq  int
	done bool
	err  error
}

func start(t testing.TB, c *Config, fsys fileSystem, now func() time.Time) *harness {
	t.Helper()
	h, err := tryStart(t, c, fsys, now)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return h
}

func tryStart(t testing.TB, c *Config, fsys fileSystem, now func() time.Time) (*harness, error) {
	t.Helper()
	if fsys == nil {
		fsys = osFS{}
	}
	o, err := newOutput(c, engine.Env{Now: now}, fsys)
	if err != nil {
		t.Fatalf("new: %v", err)
	}
	h := &harness{t: t, o: o, source: engine.NewSource(engine.SourceInfo{ID: "in"}, nil, nil), refused: map[string]error{}}
	t.Cleanup(h.abandon)
	return h, o.Open(t.Context())
}

// abandon lets go of the files as the death of the process would.
func (h *harness) abandon() {
	if h.o.stop != nil {
		h.o.stop()
		<-h.o.watched
		h.o.stop = nil
	}
	for e := h.o.used.Front(); e != nil; e = e.Next() {
		e.Value.(*target).letGo()
	}
	h.o.used.Init()
	clear(h.o.targets)
}

// write writes a batch behind which nothing is waiting.
func (h *harness) write(b *engine.Batch) {
	h.t.Helper()
	h.put(b)
	h.flush()
}

// put writes a batch behind which more are waiting.
func (h *harness) put(b *engine.Batch) {
	h.t.Helper()
	h.begin(b)
	h.send(&pending{b: b, seq: h.seq})
	h.collect()
}

// begin gives a batch its place in the source.
func (h *harness) begin(b *engine.Batch) {
	h.seq++
	h.source.Begin(b, engine.Position{Offset: h.offset + int64(b.Len())}, h.offset, nil)
	h.offset += int64(b.Len())
}

func (h *harness) send(p *pending) {
	p.done, p.err = false, nil
	h.open = append(h.open, p)
	h.o.Write(h.t.Context(), p.b, func(err error) {
		if p.done {
			h.t.Error("done was called twice")
		}
		p.done, p.err = true, err
	})
}

// collect takes over what was told. Failed batches are written again, one
// after another without waiting, as the engine does.
func (h *harness) collect() {
	h.t.Helper()
	for {
		var again, left []*pending
		for _, p := range h.open {
			var retry *engine.RetryError
			switch {
			case !p.done:
				left = append(left, p)
			case errors.As(p.err, &retry):
				again = append(again, p)
			default:
				h.take(p)
			}
		}
		h.open = left
		if len(again) == 0 {
			return
		}
		if len(left) > 0 {
			// Everything that was handed over must have its answer first.
			if err := h.o.Flush(h.t.Context()); err != nil {
				h.t.Errorf("flush: %v", err)
			}
			h.open = append(again, left...)
			continue
		}
		if h.retries++; h.retries > 1000 {
			h.t.Fatal("retried for ever")
		}
		slices.SortFunc(again, func(a, b *pending) int { return a.seq - b.seq })
		for _, p := range again {
			h.send(p)
		}
	}
}

// take books a batch that is confirmed or refused for good.
func (h *harness) take(p *pending) {
	var refused *engine.RecordErrors
	var skipped *engine.Skipped
	if errors.As(p.err, &skipped) {
		h.skipped += skipped.Records
	}
	if p.err != nil && !errors.As(p.err, &refused) && skipped == nil {
		h.err = p.err
		return
	}
	for i := range p.b.Len() {
		v := string(p.b.Value.At(i))
		if refused != nil && refused.Reasons[i] != nil {
			h.refused[v] = refused.Reasons[i]
			continue
		}
		h.confirmed = append(h.confirmed, v)
	}
}

func (h *harness) flush() {
	h.t.Helper()
	for range 1000 {
		if err := h.o.Flush(h.t.Context()); err != nil {
			h.t.Errorf("flush: %v", err)
		}
		for _, p := range h.open {
			if !p.done {
				h.t.Error("a batch was flushed and not told")
			}
		}
		if h.collect(); len(h.open) == 0 {
			return
		}
	}
	h.t.Error("batches are never confirmed")
}

func (h *harness) close() {
	h.t.Helper()
	h.flush()
	if err := h.o.Close(h.t.Context()); err != nil {
		h.t.Errorf("close: %v", err)
	}
}

// config returns the defaults for a path.
func config(path string, edit ...func(*Config)) *Config {
	c := Defaults()
	if strings.Contains(path, "{{") {
		c.Path = engine.Template{Source: holed(path)}
	} else {
		c.Path = engine.Template{Source: literal(path)}
	}
	for _, e := range edit {
		e(c)
	}
	return c
}

// content reads a file from the outside, decompressed by its name.
func content(t testing.TB, name string) string {
	t.Helper()
	p, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	out, err := decompress(name, p)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out
}

func decompress(name string, p []byte) (string, error) {
	if len(p) == 0 {
		return "", nil
	}
	var r io.Reader = bytes.NewReader(p)
	switch {
	case strings.Contains(name, ".gz"):
		z, err := gzip.NewReader(r)
		if err != nil {
			return "", err
		}
		r = z
	case strings.Contains(name, ".zst"):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return "", err
		}
		defer z.Close()
		r = z
	}
	out, err := io.ReadAll(r)
	return string(out), err
}

// files lists the names of a folder.
func files(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func wantFiles(t testing.TB, dir string, want ...string) {
	t.Helper()
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("files are %q, want %q", got, want)
	}
}

func wantContent(t testing.TB, name, want string) {
	t.Helper()
	if got := content(t, name); got != want {
		t.Errorf("%s holds %q, want %q", filepath.Base(name), got, want)
	}
}

// faultFS is the real file system with faults.
type faultFS struct {
	osFS
	mu sync.Mutex
	// left is how many steps are taken before the process "dies": afterwards
	// nothing has an effect. A step is a call, or a byte of a write.
	left int
	dead bool
	// onWrite may shorten a write and give it an error.
	onWrite func(name string, p []byte) (int, error)
	onSync  func(name string) error
	onCall  func(call, name string) error
	calls   []string
}

var errDead = errors.New("the process is dead")

func newFaultFS() *faultFS { return &faultFS{left: 1 << 60} }

// step takes n steps and returns how many there were left.
func (f *faultFS) step(call, name string, n int) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call+" "+filepath.Base(name))
	if f.onCall != nil {
		if err := f.onCall(call, name); err != nil {
			return 0, err
		}
	}
	if f.dead {
		return 0, errDead
	}
	if f.left < n {
		n, f.left, f.dead = f.left, 0, true
		return n, errDead
	}
	f.left -= n
	return n, nil
}

func (f *faultFS) OpenFile(name string, flag int, perm fs.FileMode) (handle, error) {
	if _, err := f.step("open", name, 1); err != nil {
		return nil, err
	}
	h, err := f.osFS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultFile{handle: h, fs: f, name: name}, nil
}

func (f *faultFS) MkdirAll(name string, perm fs.FileMode) error {
	if _, err := f.step("mkdir", name, 1); err != nil {
		return err
	}
	return f.osFS.MkdirAll(name, perm)
}

func (f *faultFS) Rename(from, to string) error {
	if _, err := f.step("rename", from, 1); err != nil {
		return err
	}
	return f.osFS.Rename(from, to)
}

func (f *faultFS) Remove(name string) error {
	if _, err := f.step("remove", name, 1); err != nil {
		return err
	}
	return f.osFS.Remove(name)
}

func (f *faultFS) SyncDir(name string) error {
	_, err := f.step("syncdir", name, 1)
	return err
}

type faultFile struct {
	handle
	fs   *faultFS
	name string
}

func (f *faultFile) WriteAt(p []byte, off int64) (int, error) { return f.WriteVAt([][]byte{p}, off) }

func (f *faultFile) WriteVAt(list [][]byte, off int64) (int, error) {
	p := slices.Concat(list...)
	want, failure := len(p), error(nil)
	if f.fs.onWrite != nil {
		want, failure = f.fs.onWrite(f.name, p)
	}
	steps := want
	if strings.HasSuffix(f.name, journalMark) {
		// A journal is written 16 bytes a step, which is enough to tear it.
		steps = (want + 15) / 16
	}
	n, err := f.fs.step("write", f.name, steps)
	if steps != want {
		n = min(n*16, want)
	}
	if n > 0 {
		left := n
		for i := range list {
			list[i] = list[i][:min(left, len(list[i]))]
			left -= len(list[i])
		}
		list = slices.DeleteFunc(list, func(p []byte) bool { return len(p) == 0 })
		if _, werr := f.handle.WriteVAt(list, off); werr != nil {
			return 0, werr
		}
	}
	if err == nil && failure != nil {
		return 0, failure // as os.File.WriteAt does, however much it has written
	}
	return n, err
}

func (f *faultFile) Truncate(size int64) error {
	if _, err := f.fs.step("truncate", f.name, 1); err != nil {
		return err
	}
	return f.handle.Truncate(size)
}

// Sync counts and does nothing: no test can pull the plug.
func (f *faultFile) Sync() error {
	if f.fs.onSync != nil {
		if err := f.fs.onSync(f.name); err != nil {
			return err
		}
	}
	_, err := f.fs.step("sync", f.name, 1)
	return err
}

// clock is a clock that a test sets while the output reads it.
type clock struct{ ns atomic.Int64 }

func clockAt(t time.Time) *clock {
	c := &clock{}
	c.ns.Store(t.UnixNano())
	return c
}

func (c *clock) now() time.Time      { return time.Unix(0, c.ns.Load()) }
func (c *clock) add(d time.Duration) { c.ns.Add(int64(d)) }

// lines makes n numbered records.
func lines(from, n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`{"n":%d}`, from+i))
	}
	return list
}
