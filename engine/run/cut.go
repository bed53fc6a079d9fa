package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/flowrecords/flow/engine"
)

// cuts stores positions of a pipeline that delivers exactly once (Invariant 6).
// A cut is
//
//  1. nothing more enters: the budget is shut, where inputs hold at most one
//     batch each,
//  2. windows end and outputs flush, since nothing comes to fill them,
//  3. everything that has entered is confirmed,
//  4. the sealer says what the outputs hold; the positions are taken,
//  5. records flow again,
//  6. outputs sync, and what they hold is stored as one with the positions
//     and never apart,
//  7. outputs learn that it is stored, and inputs that have a system of their
//     own tell it where they are.
//
// A process that dies before 6 is over goes on from the cut before: positions
// are those of that cut and outputs take back what came behind it. One that
// dies between 6 and 7 goes on from this one; a system that was not told is
// behind the checkpoint, which counts. The state of processors (engine.State)
// is stored at the start of 6 and may know records that are read again, as it
// may without cuts.
//
// A cut that fails leaves things as they were, and the next one takes its
// place. Everything in cuts belongs to the goroutine of the commits, and at the
// end to whoever ends the pipeline, but for what Cut uses.
type cuts struct {
	r      *Runner
	c      *committer
	sealer sealer
	rush   *rush

	asked chan *cutAsk
	over  chan struct{} // closed when nobody takes from asked any more
}

// sealer makes durable as one what the outputs hold and where the inputs are.
// There is one way so far: outputs mark what they hold (marks). Another may be
// a transaction that takes both, as Kafka has.
type sealer interface {
	// seal is called while nothing is under way and nothing enters. A
	// transaction ends here, with the positions in it.
	seal(ctx context.Context, c *cutState) error
	// store makes what was sealed durable, with these positions, while records
	// flow again. The sealer that has done so already does nothing.
	store(ctx context.Context, positions map[string]engine.Position) error
	// stored tells outputs that store has worked.
	stored(ctx context.Context) error
}

type cutAsk struct {
	ctx    context.Context
	last   func()
	answer chan error
}

func newCuts(r *Runner) *cuts {
	return &cuts{r: r, c: r.commits, sealer: &marks{r: r}, rush: newRush(), asked: make(chan *cutAsk), over: make(chan struct{})}
}

// canCut says why a pipeline cannot deliver exactly once. Users see such
// mistakes as diagnostics of the config.
func canCut(p *engine.Pipeline) error {
	for _, x := range engine.ObstaclesOf(p.Elements) {
		return fmt.Errorf("exactly_once: %s %s", x.Element, x.Why)
	}
	return nil
}

// loop cuts until stop is closed. A cut that did not work is logged where it
// failed, and made up for by the next.
func (k *cuts) loop(ctx context.Context, every time.Duration, stop <-chan struct{}) error {
	defer close(k.over)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = k.cut(ctx)
		case <-k.c.full:
			_ = k.cut(ctx)
		case <-k.c.prompt:
			_ = k.cut(ctx)
		case a := <-k.asked:
			a.answer <- k.cutFor(ctx, a)
		case <-stop:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// cut makes a cut if anything has entered since the last one.
func (k *cuts) cut(ctx context.Context) error {
	if !k.entered() {
		return nil
	}
	c, err := k.seal(ctx)
	k.reopen()
	if err == nil {
		err = k.store(ctx, c)
	}
	k.tell(ctx)
	return err
}

// cutFor makes a cut and calls last before anything else enters.
func (k *cuts) cutFor(ctx context.Context, a *cutAsk) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.ctx, cancel)()
	defer k.reopen()
	c, err := k.seal(ctx)
	if err == nil {
		err = k.store(ctx, c)
	}
	if err == nil {
		a.last()
	}
	return err
}

var errNoCut = errors.New("the pipeline has ended; nobody makes a cut")

// Cut implements engine.Cutter for all inputs.
func (k *cuts) Cut(ctx context.Context, last func()) error {
	a := &cutAsk{ctx: ctx, last: last, answer: make(chan error, 1)}
	select {
	case k.asked <- a:
	case <-k.over:
		return errNoCut
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	// No look at ctx: last must not be called after Cut has returned, and the
	// cut itself ends soon after ctx.
	select {
	case err := <-a.answer:
		return err
	case <-k.over: // or a panic in the middle of it
		select {
		case err := <-a.answer:
			return err
		default:
			return errNoCut
		}
	}
}

// entered reports whether anything has entered that is not stored.
func (k *cuts) entered() bool {
	for _, i := range k.r.inputs {
		if i.host.anyEntered() {
			return true
		}
	}
	return false
}

// cutState is what a cut stores.
type cutState struct {
	positions map[string]engine.Position
	sources   map[*host]map[*engine.Source]engine.Position
}

// seal stops what enters, waits until nothing is under way, and takes what is
// to be stored. The caller lets records flow again, whatever it returns.
func (k *cuts) seal(ctx context.Context) (*cutState, error) {
	k.c.confirmed.Store(0)
	k.r.budget.shut()
	k.rush.begin()
	if err := k.r.budget.drained(ctx); err != nil {
		return nil, err
	}
	c := &cutState{positions: make(map[string]engine.Position), sources: make(map[*host]map[*engine.Source]engine.Position)}
	for _, i := range k.r.inputs {
		moved, err := positionsOf(i.host)
		if err != nil {
			err = engine.Restart(fmt.Errorf("%s: %w", i.n.addr, err))
			k.r.fail(err)
			return nil, err
		}
		c.sources[i.host] = moved
		for s, p := range moved {
			c.positions[i.host.key(s.Info().ID)] = p
		}
	}
	if len(c.positions) == 0 {
		return c, nil
	}
	if err := k.sealer.seal(ctx, c); err != nil {
		return nil, err
	}
	for h, moved := range c.sources {
		h.leave(moved)
	}
	return c, nil
}

func (k *cuts) reopen() {
	k.rush.end()
	k.r.budget.open()
}

// positionsOf returns where the sources are that something has entered of,
// while nothing of them is under way.
func positionsOf(h *host) (map[*engine.Source]engine.Position, error) {
	moved := make(map[*engine.Source]engine.Position)
	for _, s := range h.enteredSources() {
		p, ok := s.Watermark()
		// Looked at behind the watermark: one that was taken before a revoke
		// covers all that the outputs hold.
		if s.Revoked() {
			return nil, fmt.Errorf("%s was taken away while records of it were written that are not stored; they are taken back by the next start, since another worker may read them again", s.Info().ID)
		}
		if ok {
			moved[s] = p
		}
	}
	return moved, nil
}

// store makes a sealed cut durable. After an error the next cut covers what
// this one did not store.
func (k *cuts) store(ctx context.Context, c *cutState) error {
	if len(c.positions) == 0 {
		return nil
	}
	err := k.c.sync(ctx)
	if err == nil {
		err = k.c.saveKept(ctx)
	}
	if err == nil {
		err = k.sealer.store(ctx, c.positions)
	}
	if err != nil {
		for h, moved := range c.sources {
			for s := range moved {
				h.enters(s)
			}
		}
		return err
	}
	for h, moved := range c.sources {
		for s, p := range moved {
			s.Durable(p)
			h.putDirty([]*engine.Source{s})
		}
	}
	return k.sealer.stored(ctx)
}

// tell has inputs with a system of their own tell it what is stored. They may
// fail: the checkpoint counts.
func (k *cuts) tell(ctx context.Context) {
	for _, i := range k.r.inputs {
		own, ok := i.in.(engine.Committer)
		sources := i.host.takeDirty()
		if !ok || len(sources) == 0 {
			continue
		}
		err := own.Commit(ctx, sources)
		if err != nil {
			i.host.putDirty(sources)
		}
		k.c.log(ctx, i.n.addr, err)
	}
}

// lastCut stores what is confirmed at the end, after all goroutines of outputs
// have ended and before they are closed. Where records are still under way
// nothing can be cut: the next start takes back what the last cut does not
// have.
func (p *phases) lastCut(ctx context.Context, stuck map[string]bool) {
	r := p.r
	if p.noCommit || r.budget.underway() > 0 {
		return
	}
	for _, o := range r.outputs {
		if stuck[o.n.addr] {
			return
		}
	}
	const name = "the last cut"
	p.step(func(t *tasks) {
		t.start(name, func() string { return name }, func() error { return r.cuts.cut(ctx) })
	})
}

// marks is the sealer of outputs that are an engine.Marker. What they hold is
// stored under their addresses, in the same Save as the positions.
type marks struct {
	r       *Runner
	current map[string]engine.Position // of the last seal
}

func (m *marks) seal(ctx context.Context, _ *cutState) error {
	current := make(map[string]engine.Position)
	err := m.each(ctx, "marking what it holds", func(ctx context.Context, o *output) error {
		mark, err := o.marker.Mark(ctx)
		if err == nil {
			current[o.n.addr] = engine.Position{State: mark}
		}
		return err
	})
	if err == nil {
		m.current = current
	}
	return err
}

func (m *marks) store(ctx context.Context, positions map[string]engine.Position) error {
	all := make(map[string]engine.Position, len(positions)+len(m.current))
	maps.Copy(all, positions)
	maps.Copy(all, m.current)
	if err := m.r.commits.save(ctx, all); err != nil {
		return fmt.Errorf("storing positions: %w", err)
	}
	return nil
}

func (m *marks) stored(ctx context.Context) error {
	return m.each(ctx, "settling what is stored", func(ctx context.Context, o *output) error { return o.marker.Marked(ctx) })
}

// each has each marker do something, in the goroutine of its output.
func (m *marks) each(ctx context.Context, what string, do func(context.Context, *output) error) error {
	ctx, cancel := context.WithTimeout(ctx, syncPatience)
	defer cancel()
	for _, o := range m.r.outputs {
		if o.marker == nil {
			continue
		}
		err := o.request(ctx, func(ctx context.Context) error { return do(ctx, o) })
		if err == nil {
			continue
		}
		if _, ok := transient(err); !ok {
			err = fmt.Errorf("%s: %s: %w", o.n.addr, what, err)
			m.r.fail(err)
			return err
		}
		m.r.commits.log(ctx, o.n.addr, err)
		return err
	}
	return nil
}

// rush tells those who wait for more that nothing more comes for now.
type rush struct {
	mu sync.Mutex    // guards ch
	ch chan struct{} // closed during a cut
}

func newRush() *rush { return &rush{ch: make(chan struct{})} }

// now is closed during a cut; nil, for ever open, where there are no cuts.
func (r *rush) now() <-chan struct{} {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ch
}

func (r *rush) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.ch)
}

func (r *rush) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ch = make(chan struct{})
}

// exactHost is the host of an input of a pipeline with cuts.
type exactHost struct {
	*host
	*cuts
}

var (
	_ engine.Cutter = exactHost{}
	_ engine.Host   = exactHost{}
)
