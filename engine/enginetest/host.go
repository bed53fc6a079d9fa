package enginetest

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
)

// Env returns the environment of a component in a test. Its logger writes to
// the test.
func Env(t testing.TB, element string) engine.Env {
	return engine.Env{Pipeline: "test", Element: element, Now: time.Now, Version: "test",
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))}
}

// Host is an engine.Host for tests of inputs: positions are kept in memory,
// and nothing waits but for a batch of the pool.
type Host struct {
	limits engine.BatchLimits
	pool   *engine.Pool

	mu      sync.Mutex // guards all below
	sources map[string]*engine.Source
	order   []*engine.Source
	stored  map[string]engine.Position
}

// hostBatches is how many batches of a Host may be in use at once.
const hostBatches = 256

// NewHost returns a host with these limits; zero ones have the engine's
// defaults, Linger excepted.
func NewHost(l engine.BatchLimits) *Host {
	if l.Records == 0 {
		l.Records = limits.BatchRecords
	}
	if l.Bytes == 0 {
		l.Bytes = limits.BatchBytes
	}
	return &Host{limits: l, pool: engine.NewPool(hostBatches, l.Bytes), sources: make(map[string]*engine.Source), stored: make(map[string]engine.Position)}
}

// Source implements engine.Host.
func (h *Host) Source(info engine.SourceInfo) *engine.Source {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.sources[info.ID]; s != nil && !s.Revoked() {
		return s
	}
	s := engine.NewSource(info, nil, nil)
	h.sources[info.ID] = s
	h.order = append(h.order, s)
	return s
}

// Stored implements engine.Host.
func (h *Host) Stored(id string) (engine.Position, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, ok := h.stored[id]
	return p, ok
}

// NewBatch implements engine.Host.
func (h *Host) NewBatch(ctx context.Context) (*engine.Batch, error) { return h.pool.Get(ctx) }

// Limits implements engine.Host.
func (h *Host) Limits() engine.BatchLimits { return h.limits }

// Sources returns all handles, the oldest first.
func (h *Host) Sources() []*engine.Source {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]*engine.Source(nil), h.order...)
}

// Commit stores the confirmed positions, as the engine's commits do.
func (h *Host) Commit() {
	for _, s := range h.Sources() {
		if p, ok := s.Confirmed(); ok {
			h.mu.Lock()
			h.stored[s.Info().ID] = p
			h.mu.Unlock()
		}
	}
}

// Next returns a host for the next run, which starts with what is stored.
func (h *Host) Next() *Host {
	n := NewHost(h.limits)
	h.mu.Lock()
	defer h.mu.Unlock()
	n.stored = maps.Clone(h.stored)
	return n
}
