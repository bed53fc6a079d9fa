package run

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// stage is a chain of processors fused into one loop, with the decoding of an
// input before it. It may be the decoding alone.
type stage struct {
	name    string
	decoder *node // the input whose records are decoded here; nil: none
	nodes   []*node
	procs   []engine.Processor
	first   *node // counts the time
	serial  bool  // one processor that must see all records: one worker
	in      *edge
	main    *port // of the last element
	workers []*worker

	holding atomic.Int64 // records under way in the workers
}

// outputs lists the edges that the stage may send to, each once.
func (s *stage) outputs() []*edge {
	edges := slices.Clone(s.main.readers)
	for i, n := range s.nodes {
		if i == len(s.nodes)-1 {
			for _, name := range n.el.Ports {
				edges = append(edges, n.out[name].readers...)
			}
		}
		edges = append(edges, n.errs.readers...)
	}
	if s.decoder != nil {
		edges = append(edges, s.decoder.errs.readers...)
	}
	return unique(edges)
}

func unique(edges []*edge) []*edge {
	var u []*edge
	for _, e := range edges {
		if !slices.Contains(u, e) {
			u = append(u, e)
		}
	}
	return u
}

// build binds the processors once for each worker.
func (s *stage) build(r *Runner) error {
	count := r.settings.Workers
	if count <= 0 {
		count = runtime.GOMAXPROCS(0)
	}
	if s.serial {
		count = 1
	}
	d := newDispatcher(s.in, count, r.settings.Order != "none")
	for range count {
		w, err := s.newWorker(r, d, limits.WorkerBatches(count))
		if err != nil {
			return err
		}
		s.workers = append(s.workers, w)
	}
	return nil
}

func (s *stage) newWorker(r *Runner, d *dispatcher, batches int) (*worker, error) {
	w := &worker{stage: s, dispatch: d, fails: newFailures(r.now)}
	if s.decoder != nil {
		w.decode = newDecoder(s.decoder.el)
		w.retry = retrier{n: s.decoder, max: r.settings.RetryMax}
		w.decode.Wait = w.waitDecoding
	}
	slab := 0
	seg, layout := w.newSegment(), record.NewLayout()
	seg.share = true
	for i, p := range s.procs {
		bound, err := p.Bind(layout)
		if err != nil {
			return nil, fmt.Errorf("%s: preparing a worker: %w", s.nodes[i].addr, err)
		}
		if bound.Close != nil {
			w.closers = append(w.closers, bound.Close)
		}
		if s.serial {
			w.source = bound.Source
			if bound.State != nil {
				r.commits.keep(s.nodes[i].addr, bound.State)
			}
		}
		if ro, ok := p.(engine.ReadOnly); !ok || !ro.ReadOnly() {
			seg.share = false
		}
		seg.nodes = append(seg.nodes, s.nodes[i])
		switch {
		case bound.Step != nil:
			seg.steps = append(seg.steps, bound.Step)
			s.nodes[i].stats.DropReason = cmp.Or(bound.Drops, "condition")
		case bound.Route != nil && i == len(s.procs)-1:
			seg.route = bound.Route
			s.nodes[i].stats.DropReason = "no_route"
		case bound.Route != nil:
			seg.steps = append(seg.steps, routeStep(bound.Route))
		case bound.Expand != nil:
			seg.expand, seg.share = bound.Expand, false
			s.nodes[i].stats.DropReason = "empty"
			seg.finish(layout)
			next := w.newSegment()
			seg.next, seg, layout = next, next, record.NewLayout()
		case s.serial && bound.Window != nil:
			if w.gather, err = newGatherer(w, bound, layout); err != nil {
				return nil, fmt.Errorf("%s: %w", s.nodes[i].addr, err)
			}
			if r.cuts != nil {
				w.gather.rush = r.cuts.rush
			}
			seg.share = true // its batches hold one record each
		case s.serial && bound.Gate != nil:
			w.gate, seg.share = bound.Gate, true
		default:
			return nil, fmt.Errorf("%s: its working copy does nothing", s.nodes[i].addr)
		}
	}
	seg.ports = []*port{s.main}
	if k := len(s.nodes); k > 0 {
		for _, name := range s.nodes[k-1].el.Ports {
			seg.ports = append(seg.ports, s.nodes[k-1].out[name])
		}
	}
	seg.finish(layout)
	if !seg.share {
		slab = limits.BatchBytes
	}
	w.pool = engine.NewPool(batches, slab)
	return w, nil
}

func (w *worker) newSegment() *segment {
	s := &segment{w: w}
	w.segments = append(w.segments, s)
	return s
}

func (s *segment) finish(l *record.Layout) {
	s.r = record.NewRecord(l)
	s.dropped, s.failed = make([]int64, len(s.nodes)), make([]int64, len(s.nodes))
	s.open, s.kept = make([]*engine.Batch, len(s.ports)), make([][]uint32, len(s.ports))
}

// routeStep makes a step of a route that has only its main port and so may
// stand within a stage.
func routeStep(route engine.Route) engine.Step {
	var picked []int
	return func(r *record.Record) (bool, error) {
		var err error
		if picked, err = route(r, picked[:0]); err != nil {
			return false, err
		}
		for _, p := range picked {
			if p != 0 {
				return false, fmt.Errorf("record goes to port number %d, which does not exist", p)
			}
		}
		return len(picked) > 0, nil
	}
}

// newDecoder returns the working copies of an input's converters, nil when
// decoding changes nothing.
func newDecoder(el *engine.Element) *engine.Transcoder {
	t := &engine.Transcoder{Value: engine.Decoding(el.Value), Key: engine.Decoding(el.Key), Headers: engine.HeaderDecoding(el.Headers)}
	if t.Value == nil && t.Key == nil && t.Headers == nil {
		return nil
	}
	return t
}
