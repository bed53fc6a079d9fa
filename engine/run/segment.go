package run

import (
	"context"
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// segment is a run of steps over one layout. It ends with the stage, with a
// route, or with an expand whose results the next segment reads.
type segment struct {
	w      *worker
	nodes  []*node // of steps, then of route or expand
	steps  []engine.Step
	route  engine.Route
	expand engine.Expand
	r      *record.Record

	// ports are the outputs, the main one first; unused before an expand.
	ports []*port
	// share: no step edits a record, so the bytes are not copied.
	share bool
	next  *segment // behind expand

	open   []*engine.Batch // being filled, by port; nil when sharing
	kept   [][]uint32      // records that go on, by port, when sharing
	picked []int           // scratch of route
	parts  parts           // of expand
	step   int             // the node at work, for a panic

	dropped, failed []int64 // of the batch at hand, by node
	out             int64
}

var mainPort = []int{0}

// run moves all records of b through the segment. alone: b may be sent on or
// changed; it reports whether b itself was sent on.
func (s *segment) run(ctx context.Context, b *engine.Batch, alone bool) (passed bool, err error) {
	s.w.seg = s
	clear(s.dropped)
	clear(s.failed)
	s.out = 0
	n := b.Len()
	load := b.Loader(s.r)
	for i := range n {
		load.Load(i)
		keep, err := s.steer(b, i)
		if err != nil {
			return false, err
		}
		if !keep {
			continue
		}
		switch {
		case s.expand != nil:
			err = s.expandRecord(ctx, b, i)
		case s.route == nil && s.share:
			s.kept[0] = append(s.kept[0], uint32(i))
			s.out++
		default:
			err = s.emit(ctx, b, i)
		}
		if err != nil {
			return false, err
		}
	}
	if s.expand != nil {
		if err := s.flushParts(ctx); err != nil {
			return false, err
		}
	}
	s.count(int64(n))
	if s.share {
		return s.sendShared(ctx, b, alone)
	}
	return false, nil
}

// steer runs the steps over the loaded record and reports whether it goes on.
func (s *segment) steer(b *engine.Batch, i int) (bool, error) {
	for k, f := range s.steps {
		s.step = k
		keep, err := f(s.r)
		if err != nil {
			s.failed[k]++
			return false, s.w.fails.add(s.nodes[k], b, i, s.r, err)
		}
		if !keep {
			s.dropped[k]++
			return false, nil
		}
	}
	return true, nil
}

// emit stores the loaded record for every port that it goes to.
func (s *segment) emit(ctx context.Context, b *engine.Batch, i int) error {
	ports := mainPort
	if s.route != nil {
		last := len(s.nodes) - 1
		s.step = last
		var err error
		s.picked, err = s.route(s.r, s.picked[:0])
		if err == nil {
			err = s.checkPorts(s.picked)
		}
		if err != nil {
			s.failed[last]++
			return s.w.fails.add(s.nodes[last], b, i, s.r, err)
		}
		if len(s.picked) == 0 {
			s.dropped[last]++
			return nil
		}
		ports = s.picked
	}
	for _, p := range ports {
		if s.share {
			s.kept[p] = append(s.kept[p], uint32(i))
			continue
		}
		if err := s.store(ctx, b, p); err != nil {
			if !isRecordFault(err) {
				return err
			}
			// All ports write the same bytes: the first one has failed, too,
			// and nothing of the record is stored.
			last := len(s.nodes) - 1
			s.failed[last]++
			return s.w.fails.add(s.nodes[last], b, i, nil, err)
		}
	}
	s.out += int64(len(ports))
	return nil
}

// checkPorts finds a record that goes where nobody reads: dropping it would be
// silent (Invariant 3).
func (s *segment) checkPorts(picked []int) error {
	for _, p := range picked {
		if p < 0 || p >= len(s.ports) {
			return fmt.Errorf("record goes to port number %d, which does not exist", p)
		}
		if len(s.ports[p].readers) == 0 {
			return fmt.Errorf("record goes to port %q, which no element reads", s.ports[p].name)
		}
	}
	return nil
}

// recordFault is an error of a record, unlike one that ends the worker.
type recordFault struct{ error }

func (e recordFault) Unwrap() error { return e.error }

func isRecordFault(err error) bool {
	_, ok := err.(recordFault) //nolint:errorlint // made right below, never wrapped
	return ok
}

// store appends the loaded record to the open batch of a port.
func (s *segment) store(ctx context.Context, parent *engine.Batch, p int) error {
	for {
		if s.open[p] == nil {
			b, err := s.w.fresh(ctx)
			if err != nil {
				return err
			}
			b.Attach(parent)
			b.Inherit(parent)
			s.open[p] = b
		}
		ok, err := s.open[p].Append(s.r)
		if ok {
			return nil
		}
		if err != nil {
			if b := s.open[p]; b.Len() == 0 {
				s.open[p] = nil
				b.Done()
				b.Release()
			}
			return recordFault{err}
		}
		s.w.held = append(s.w.held, item{s.ports[p], s.open[p]})
		s.open[p] = nil
	}
}

// sendShared holds, for each port, b itself or a child that shows the records
// that go there in b's memory.
func (s *segment) sendShared(ctx context.Context, b *engine.Batch, alone bool) (passed bool, err error) {
	used, only := 0, 0
	for p := range s.kept {
		if len(s.kept[p]) > 0 {
			used, only = used+1, p
		}
	}
	if used == 1 && alone && (len(s.kept[only]) == b.Len() || b.Alone()) {
		b.Compact(s.kept[only])
		s.kept[only] = s.kept[only][:0]
		s.w.held = append(s.w.held, item{s.ports[only], b})
		return true, nil
	}
	for p, kept := range s.kept {
		if len(kept) == 0 {
			continue
		}
		child, err := s.w.fresh(ctx)
		if err != nil {
			return false, err
		}
		child.Borrow(b, kept)
		child.Inherit(b)
		s.w.held = append(s.w.held, item{s.ports[p], child})
		s.kept[p] = kept[:0]
	}
	return false, nil
}

// count adds what happened to a batch of n records to the counters.
func (s *segment) count(n int64) {
	for k, node := range s.nodes {
		node.stats.In.Add(n)
		n -= s.dropped[k] + s.failed[k]
		if k == len(s.nodes)-1 {
			node.stats.Out.Add(s.out)
		} else {
			node.stats.Out.Add(n)
		}
		if s.dropped[k] > 0 {
			node.stats.Dropped.Add(s.dropped[k])
		}
	}
}
