// Package player plays the engine for tests of outputs: it hands over batches,
// and failed ones again, in their order and before any other.
package player

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
)

// Player writes to one output. Its fields may be read when all has its answer.
type Player struct {
	t   testing.TB
	out engine.Output

	// Retries are the failures after which a batch is written again, Refused
	// the records that were refused, as "VALUE: REASON", Skipped the records
	// that were left out, and Stopped is what ends the pipeline.
	Retries []error
	Refused []string
	Skipped int64
	Stopped error

	mu     sync.Mutex // guards all, and all above while batches are open
	open   int
	failed []*sent
	wake   chan struct{}
}

type sent struct {
	n int
	b *engine.Batch
}

// New returns a player for an output that is open.
func New(t testing.TB, out engine.Output) *Player {
	return &Player{t: t, out: out, wake: make(chan struct{}, 1)}
}

// Write hands over the batches and waits until all have a final answer, or one
// ends the pipeline.
func (p *Player) Write(ctx context.Context, batches ...*engine.Batch) {
	p.t.Helper()
	for k, b := range batches {
		if !p.settle(ctx) {
			return
		}
		p.hand(ctx, &sent{k, b})
	}
	for p.settle(ctx) && p.Open() > 0 {
		p.drain(ctx)
	}
}

// Hand hands over a batch and does not wait for its answer.
func (p *Player) Hand(ctx context.Context, b *engine.Batch) { p.hand(ctx, &sent{0, b}) }

// Open is the number of batches without an answer.
func (p *Player) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

func (p *Player) hand(ctx context.Context, s *sent) {
	p.mu.Lock()
	p.open++
	p.mu.Unlock()
	answered := false
	p.out.Write(ctx, s.b, func(err error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if answered {
			p.t.Errorf("batch %d has two answers", s.n)
		}
		answered = true
		p.open--
		p.note(s, err)
		select {
		case p.wake <- struct{}{}:
		default:
		}
	})
}

// note sorts an answer. mu is held.
func (p *Player) note(s *sent, err error) {
	var again *engine.RetryError
	var refused *engine.RecordErrors
	var skipped *engine.Skipped
	if errors.As(err, &skipped) {
		p.Skipped += skipped.Records
	}
	switch {
	case err == nil:
	case errors.As(err, &again):
		p.failed = append(p.failed, s)
		p.Retries = append(p.Retries, err)
	case errors.As(err, &refused):
		for i, why := range refused.Reasons {
			p.Refused = append(p.Refused, string(s.b.Value.At(i))+": "+why.Error())
		}
	case skipped == nil:
		p.Stopped = err
	}
}

// drain waits for all answers.
func (p *Player) drain(ctx context.Context) {
	p.t.Helper()
	deadline := time.After(60 * time.Second)
	for p.Open() > 0 {
		if err := p.out.Flush(ctx); err != nil {
			p.t.Fatalf("Flush: %v", err)
		}
		if p.Open() == 0 {
			return
		}
		select {
		case <-p.wake:
		case <-deadline:
			p.t.Fatalf("%d batches have no answer", p.Open())
		}
	}
}

// settle writes failed batches until all are well; false: the pipeline stops.
func (p *Player) settle(ctx context.Context) bool {
	p.t.Helper()
	for {
		p.mu.Lock()
		some, stopped := len(p.failed) > 0, p.Stopped
		p.mu.Unlock()
		if stopped != nil {
			p.drain(ctx)
			return false
		}
		if !some {
			return true
		}
		p.drain(ctx)
		p.mu.Lock()
		again := p.failed
		p.failed = nil
		p.mu.Unlock()
		slices.SortFunc(again, func(a, b *sent) int { return a.n - b.n })
		for _, s := range again {
			p.hand(ctx, s)
		}
		p.drain(ctx)
	}
}

// InOrder checks that numbers from 0 on have arrived: the last copy of each in
// its order. It returns how many came more than once.
func InOrder(t testing.TB, got []string, count int) int {
	t.Helper()
	next, more := 0, 0
	for _, s := range got {
		n, err := strconv.Atoi(s)
		switch {
		case err != nil || n > next:
			t.Fatalf("%q comes where %d should", s, next)
		case n < next:
			more += next - n
		}
		next = n + 1
	}
	if next != count {
		t.Fatalf("%d records arrived, want %d", next, count)
	}
	return more
}
