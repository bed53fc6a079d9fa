// Package run owns every goroutine of a pipeline: inputs, edges, fused
// stages, outputs, acks, retries, commits and the drain.
//
// Who runs what: one goroutine for each input (open, read), for each output
// (open, write, flush, close), for each worker of a stage, and one for the
// commits. They are started in one place, by tasks, which turns a panic into
// an error of the pipeline. Batches go from one to the next through edges, one
// channel for each reading element. The end of data travels the same way: a
// producer that is through says so, and the last one closes the edge.
//
// Two contexts rule the data path. Both carry the values of Run's context.
// When reading ends (a drain), inputs stop and all else goes on. When the data
// context ends (an error, Abort, the end of the drain timeout), everything
// stops at once; what is not confirmed is read again next time.
package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/observe"
)

// ErrAborted is returned by Run when records were still in flight at the end:
// Abort was called or the drain timeout passed. The error that wraps it names
// the elements that still held records. Nothing is lost: these records are
// read again next time.
var ErrAborted = errors.New("aborted with records in flight")

// Options are what a pipeline runs with.
type Options struct {
	// Logger is where elements log; nil: nowhere.
	Logger *slog.Logger
	// Hide takes secrets out of what is shown of a record, which a processor may
	// have put one into (Invariant 7); nil: there are none.
	Hide func(text string) string
	// Store keeps positions of inputs that are no engine.Committer; nil keeps
	// them in memory only.
	Store   checkpoint.Store
	Version string
	// Now is the clock of components and of flow.error.time; nil: time.Now.
	Now func() time.Time
	// Refused, if set, may correct what the errors edge says of record i of b
	// before it is written: a replay knows where the record came from first.
	// Workers of all stages call it.
	Refused func(b *engine.Batch, i int, f *engine.Failure)
	// Transacts, if set, stands between the engine and the transaction of the
	// outputs, whose positions it may store in another form: a replay stores
	// what was replayed. TransactionName is engine.TransactionSettings.Name.
	Transacts       func(engine.Transaction) engine.Transaction
	TransactionName string
}

// Runner runs one pipeline once.
type Runner struct {
	name     string
	settings engine.Settings
	log      *slog.Logger
	now      func() time.Time
	budget   *budget
	commits  *committer
	cuts     *cuts // nil unless the pipeline delivers exactly once

	wiring  *wiring
	inputs  []*input
	outputs []*output
	stages  []*stage
	syncers []*output // those that are an engine.Syncer

	abort     chan struct{} // closed by Abort
	abortOnce sync.Once

	// mu guards all below.
	mu    sync.Mutex
	begun bool
	cut   context.CancelCauseFunc // ends the data context; nil before Run
	err   error                   // the first error
}

// New builds every component of p. It does no I/O. Settings that are zero and
// must not be have their defaults.
func New(p *engine.Pipeline, o Options) (*Runner, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Runner{name: p.Name, settings: withDefaults(p.Settings), now: o.Now, abort: make(chan struct{})}
	r.log = o.Logger.With("pipeline", p.Name)
	r.budget = &budget{max: int64(r.settings.MaxInFlight)}
	r.commits = &committer{r: r, store: o.Store, failing: make(map[string]bool), by: make(map[string]*engine.Source), full: make(chan struct{}, 1), prompt: make(chan struct{}, 1)}
	var err error
	if r.settings.Delivery == engine.ExactlyOnce {
		r.cuts, err = newCuts(r), canCut(p)
	}
	if r.cuts != nil && engine.TransactionsOf(p.Elements) != "" {
		r.cuts.sealer = &transaction{r: r, name: o.TransactionName, between: o.Transacts}
	}
	if err == nil {
		r.wiring, err = wire(p, o)
	}
	if err == nil {
		err = r.build()
	}
	if err != nil {
		return nil, fmt.Errorf("pipeline %s: %w", p.Name, err)
	}
	return r, nil
}

func withDefaults(s engine.Settings) engine.Settings {
	d := engine.DefaultSettings()
	zero(&s.BatchRecords, d.BatchRecords)
	zero(&s.BatchBytes, d.BatchBytes)
	zero(&s.MaxInFlight, d.MaxInFlight)
	zero(&s.CommitInterval, d.CommitInterval)
	zero(&s.RetryMax, d.RetryMax)
	return s
}

func zero[T comparable](v *T, def T) {
	var z T
	if *v == z {
		*v = def
	}
}

// build makes the components and the stages.
func (r *Runner) build() error {
	procs := make(map[*node]engine.Processor)
	for _, n := range r.wiring.nodes {
		var err error
		switch n.el.Kind {
		case engine.KindInput:
			var in engine.Input
			if in, err = n.el.NewInput(n.env); err == nil {
				r.inputs = append(r.inputs, newInput(n, in, r))
			}
		case engine.KindProcessor:
			procs[n], err = n.el.NewProcessor(n.env)
		case engine.KindOutput:
			var out engine.Output
			if out, err = n.el.NewOutput(n.env); err == nil {
				o := newOutput(n, out, r)
				r.outputs = append(r.outputs, o)
				if o.syncer != nil {
					r.syncers = append(r.syncers, o)
				}
			}
		default:
			err = fmt.Errorf("%s is no element", n.el.Kind)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", n.addr, err)
		}
	}
	if len(r.inputs) == 0 {
		return errors.New("no input")
	}
	r.stages = r.wiring.fuse(procs, r.inputs)
	for _, s := range r.stages {
		if err := s.build(r); err != nil {
			return err
		}
	}
	shareRoom(r.stages, int64(r.settings.MaxInFlight), int64(r.settings.BatchBytes))
	for _, u := range r.units() {
		for _, e := range u.outputs() {
			e.producers.Add(1)
		}
	}
	return nil
}

// unit is what sends to edges.
type unit interface{ outputs() []*edge }

func (r *Runner) units() []unit {
	var list []unit
	for _, i := range r.inputs {
		list = append(list, i)
	}
	for _, s := range r.stages {
		list = append(list, s)
	}
	for _, o := range r.outputs {
		list = append(list, o)
	}
	return list
}

// stored is what hosts ask for.
func (r *Runner) stored(key string) (engine.Position, bool) { return r.commits.get(key) }

// fail stops the pipeline with its first error. Any goroutine may call it.
func (r *Runner) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	if r.cut != nil {
		r.cut(r.err)
	}
}

func (r *Runner) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Abort cuts a running or draining pipeline short, also one that has not
// started yet. Unconfirmed records are read again next time. Any goroutine may
// call it, any number of times; it does not wait.
func (r *Runner) Abort() { r.abortOnce.Do(func() { close(r.abort) }) }

// Elements returns the counters, one for each element in plan order. It may
// be called at any time by any goroutine.
func (r *Runner) Elements() []*observe.Element {
	list := make([]*observe.Element, len(r.wiring.nodes))
	for i, n := range r.wiring.nodes {
		list[i] = n.stats
	}
	return list
}

// Progress returns how far each bounded input has come, by address, for those
// inputs that know.
func (r *Runner) Progress() map[string]engine.Progress {
	m := make(map[string]engine.Progress)
	for _, i := range r.inputs {
		if p, ok := i.in.(engine.Progresser); ok && i.n.el.Bounded {
			m[i.n.addr] = p.Progress()
		}
	}
	return m
}

// Name of the pipeline.
func (r *Runner) Name() string { return r.name }

// Health returns the state of each element that connects to something, in
// plan order. Any goroutine may call it.
func (r *Runner) Health() []Health {
	var list []Health
	for _, n := range r.wiring.nodes {
		if n.el.Kind != engine.KindProcessor {
			list = append(list, n.health())
		}
	}
	return list
}

// Ready reports whether every input and output has been opened and none waits
// to try again.
func (r *Runner) Ready() bool {
	for _, h := range r.Health() {
		if h.State == Starting || h.State == Retrying {
			return false
		}
	}
	return true
}

// Edges returns how many batches wait before each element that reads.
func (r *Runner) Edges() []observe.Edge {
	var list []observe.Edge
	for _, s := range r.stages {
		list = append(list, observe.Edge{Pipeline: r.name, To: s.in.to, Batches: len(s.in.ch)})
	}
	for _, o := range r.outputs {
		list = append(list, observe.Edge{Pipeline: r.name, To: o.in.to, Batches: len(o.in.ch)})
	}
	return list
}

// InFlight returns what is read and not confirmed.
func (r *Runner) InFlight() observe.InFlight {
	f := observe.InFlight{Pipeline: r.name, Bytes: r.budget.inFlight()}
	for _, i := range r.inputs {
		for _, s := range i.host.all() {
			f.Records += s.InFlight()
		}
	}
	return f
}

// closeTimeout is how long the last steps of a stop may take.
const closeTimeout = limits.CloseTimeout
