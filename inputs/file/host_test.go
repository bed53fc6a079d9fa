package file

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/inputs/internal/framing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// host is the engine as an input sees it, with positions in memory.
type host struct {
	pool   *engine.Pool
	limits engine.BatchLimits

	mu      sync.Mutex // guards all below
	sources map[string]*engine.Source
	stored  map[string]engine.Position
}

func newHost() *host {
	return &host{
		pool:    engine.NewPool(4, limits.BatchBytes),
		limits:  engine.BatchLimits{Records: limits.BatchRecords, Bytes: limits.BatchBytes},
		sources: map[string]*engine.Source{},
		stored:  map[string]engine.Position{},
	}
}

func (h *host) Source(info engine.SourceInfo) *engine.Source {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.sources[info.ID]
	if !ok {
		s = engine.NewSource(info, h.save, nil)
		h.sources[info.ID] = s
	}
	return s
}

// save stores a watermark as soon as it moves.
func (h *host) save(s *engine.Source) {
	p, ok := s.Confirmed()
	h.mu.Lock()
	defer h.mu.Unlock()
	if ok {
		h.stored[s.Info().ID] = p
	}
}

func (h *host) Stored(id string) (engine.Position, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, ok := h.stored[id]
	return p, ok
}

func (h *host) NewBatch(ctx context.Context) (*engine.Batch, error) { return h.pool.Get(ctx) }
func (h *host) Limits() engine.BatchLimits                          { return h.limits }

// next is a host for a new run after everything so far was stored.
func (h *host) next() *host {
	n := newHost()
	n.limits = h.limits
	n.stored = maps.Clone(h.stored)
	return n
}

// got is a record as a test looks at it.
type got struct {
	value  string
	origin string
	err    string
}

func env() engine.Env {
	return engine.Env{Pipeline: "p", Element: "input.file.in", Logger: slog.New(slog.DiscardHandler), Now: time.Now}
}

func config(edit func(*Config)) *Config {
	c := Defaults().(*Config)
	edit(c)
	return c
}

// readAll reads a bounded input to its end and confirms every batch.
func readAll(t *testing.T, h *host, c *Config) []got {
	t.Helper()
	out, err := tryReadAll(t, h, c)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return out
}

func tryReadAll(t *testing.T, h *host, c *Config) ([]got, error) {
	t.Helper()
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatalf("Validate: %v", ps)
	}
	in, err := newInput(c, env())
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	ctx := t.Context()
	defer func() {
		if err := in.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
	}()
	if err := in.Open(ctx, h); err != nil {
		return nil, err
	}
	var out []got
	for {
		b, err := in.Read(ctx)
		if errors.Is(err, engine.ErrEnd) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, take(t, b)...)
	}
}

// take reads a batch, checks what holds for each and confirms it.
func take(t *testing.T, b *engine.Batch) []got {
	t.Helper()
	if b.Len() == 0 {
		t.Error("batch without records")
	}
	var out []got
	for i := range b.Len() {
		g := got{value: string(b.Value.At(i)), origin: filepath.Base(b.Origin(i))}
		if len(b.Failures) > 0 {
			g.err = b.Failures[i].Reason.Error()
			if b.Failures[i].Origin != b.Origin(i) || b.Failures[i].Element == "" {
				t.Errorf("failure without its place: %+v", b.Failures[i])
			}
		}
		if s := b.Value.Spans[i]; b.Value.Lines && (b.Value.Data[s.End] != '\n' || containsNewline(b.Value.At(i))) {
			t.Errorf("record %d breaks the promise of Lines: %q", i, b.Value.At(i))
		}
		out = append(out, g)
	}
	b.Done()
	b.Release()
	return out
}

func containsNewline(p []byte) bool {
	for _, c := range p {
		if c == '\n' {
			return true
		}
	}
	return false
}

func values(gs []got) []string {
	out := make([]string, 0, len(gs))
	for _, g := range gs {
		out = append(out, g.value)
	}
	return out
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func multilineBlock(start string, timeout time.Duration) *framing.MultilineBlock {
	return &framing.MultilineBlock{Start: engine.Pattern{Regexp: regexp.MustCompile(start)}, Timeout: timeout}
}

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
