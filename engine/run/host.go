package run

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
)

// host is what the engine offers to one input, and what the commit loop needs
// to know of it.
type host struct {
	element string
	limits  engine.BatchLimits
	pool    *engine.Pool
	budget  *budget
	stored  func(key string) (engine.Position, bool)
	hold    func() bool // something must be durable before a position is stored
	settled func(bytes int64)
	prompt  bool // the input wants commits at once
	hurry   chan<- struct{}
	exact   bool // positions are stored in cuts
	own     bool // the input keeps positions itself, too

	// mu guards all below. The input's goroutines and confirming goroutines
	// write, the commit loop and observers read.
	mu      sync.Mutex
	sources map[string]*engine.Source
	ended   []*engine.Source            // revoked, or replaced, and still in flight
	dirty   map[*engine.Source]struct{} // watermark moved since the last commit
	// inside are the sources of which something has entered that no cut has
	// stored; exact only.
	inside map[*engine.Source]struct{}
}

func newHost(i *input, r *Runner) *host {
	s := &r.settings
	_, prompt := i.in.(engine.Prompt)
	_, own := i.in.(engine.Committer)
	return &host{
		exact:   r.cuts != nil,
		own:     own,
		element: i.n.addr,
		prompt:  prompt,
		hurry:   r.commits.prompt,
		limits:  engine.BatchLimits{Records: s.BatchRecords, Bytes: int(s.BatchBytes), Linger: s.Linger},
		pool:    engine.NewPool(limits.InputBatches(int64(s.MaxInFlight), int64(s.BatchBytes)), int(s.BatchBytes)),
		budget:  r.budget,
		stored:  r.stored,
		hold:    func() bool { return r.cuts != nil || len(r.syncers) > 0 || len(r.commits.kept) > 0 },
		settled: r.commits.settled,
		sources: make(map[string]*engine.Source),
		dirty:   make(map[*engine.Source]struct{}),
		inside:  make(map[*engine.Source]struct{}),
	}
}

func (h *host) Source(info engine.SourceInfo) *engine.Source {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.sources[info.ID]
	if s != nil && !s.Revoked() {
		return s
	}
	if s != nil {
		h.ended = append(h.ended, s)
	}
	s = engine.NewSource(info, h.moved, func(bytes int64) {
		h.budget.release(bytes)
		h.settled(bytes)
	})
	if h.hold() {
		s.Hold()
	}
	h.sources[info.ID] = s
	return s
}

// moved notes that there is something to commit. It is called by whoever
// confirms.
func (h *host) moved(s *engine.Source) {
	h.mu.Lock()
	h.dirty[s] = struct{}{}
	h.mu.Unlock()
	if h.prompt {
		signal(h.hurry)
	}
}

func (h *host) Stored(id string) (engine.Position, bool) {
	if h.own && !h.exact {
		// What a run left that delivered exactly once is old by now.
		return engine.Position{}, false
	}
	return h.stored(h.key(id))
}

func (h *host) key(id string) string { return h.element + "/" + id }

func (h *host) NewBatch(ctx context.Context) (*engine.Batch, error) { return h.pool.Get(ctx) }

func (h *host) Limits() engine.BatchLimits { return h.limits }

// takeDirty returns the sources to commit and forgets them; putDirty brings
// them back after a commit that failed (Invariant 2).
func (h *host) takeDirty() []*engine.Source {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*engine.Source, 0, len(h.dirty))
	for s := range h.dirty {
		list = append(list, s)
	}
	clear(h.dirty)
	return list
}

// peekDirty returns them without forgetting them.
func (h *host) peekDirty() []*engine.Source {
	list := h.takeDirty()
	h.putDirty(list)
	return list
}

func (h *host) putDirty(list []*engine.Source) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range list {
		h.dirty[s] = struct{}{}
	}
}

// current reports whether s is still the handle of its partition.
func (h *host) current(s *engine.Source) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sources[s.Info().ID] == s
}

// all returns every source that may have records in flight.
func (h *host) all() []*engine.Source {
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := h.ended[:0]
	for _, s := range h.ended {
		if !s.Idle() {
			kept = append(kept, s)
		}
	}
	h.ended = kept
	list := append([]*engine.Source(nil), kept...)
	for _, s := range h.sources {
		list = append(list, s)
	}
	return list
}

// enters notes that a batch of s has entered the pipeline, which cuts must know.
func (h *host) enters(s *engine.Source) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inside[s] = struct{}{}
}

func (h *host) anyEntered() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.inside) > 0
}

func (h *host) enteredSources() []*engine.Source {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.inside))
}

// leave forgets sources that a cut has taken.
func (h *host) leave(moved map[*engine.Source]engine.Position) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range moved {
		delete(h.inside, s)
	}
}
