package run

import (
	"context"
	"fmt"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// isSerial reports whether a processor asks for a stage of its own with one
// worker.
func isSerial(p engine.Processor) bool {
	s, ok := p.(engine.Serial)
	return ok && s.Serial()
}

// pace sends the records of b on as the gate lets them, in parts of b's own
// memory. It reports whether b itself was sent.
func (w *worker) pace(ctx context.Context, b *engine.Batch) (passed bool, err error) {
	stats, n := w.stage.first.stats, b.Len()
	w.seg = w.segments[0]
	stats.In.Add(int64(n))
	for from := 0; from < n; {
		start := time.Now()
		k, err := w.gate(ctx, n-from, func(i int) int { return len(b.Value.At(from + i)) })
		w.blocked.Add(int64(time.Since(start)))
		switch {
		case err != nil && ctx.Err() != nil:
			return false, context.Cause(ctx)
		case err != nil:
			return false, fmt.Errorf("%s: %w", w.stage.first.addr, err)
		case k < 1 || k > n-from:
			return false, fmt.Errorf("%s: its gate let %d of %d records pass", w.stage.first.addr, k, n-from)
		}
		stats.Out.Add(int64(k))
		if k == n {
			return true, w.stage.main.send(ctx, b, &w.blocked)
		}
		if err := w.sendPart(ctx, b, from, from+k); err != nil {
			return false, err
		}
		from += k
	}
	return false, nil
}

func (w *worker) sendPart(ctx context.Context, b *engine.Batch, from, to int) error {
	child, err := w.fresh(ctx)
	if err != nil {
		return err
	}
	w.rows = w.rows[:0]
	for i := from; i < to; i++ {
		w.rows = append(w.rows, uint32(i))
	}
	child.Borrow(b, w.rows)
	child.Inherit(b)
	return w.stage.main.send(ctx, child, &w.blocked)
}

// gatherer keeps the open windows of a stage, one for each source partition.
type gatherer struct {
	w       *worker
	make    func() engine.Window
	period  time.Duration
	open    []*window // in the order in which they end
	holds   int64     // source bytes that open windows keep in flight
	room    int64     // how many they may keep; set once all stages are built
	crowded bool      // it was said that they hold too much
	in, out *record.Record
	free    []engine.Window
	timer   *time.Timer // fires when the first of open ends
	rush    *rush       // tells of a cut, which ends all windows; nil: there are none
}

// window is what one source partition has gathered.
type window struct {
	engine.Window
	source  *engine.Source
	held    []engine.Held
	bytes   int64 // of the source, that held keeps in flight
	records int64
	ends    time.Time
}

func newGatherer(w *worker, bound engine.Bound, l *record.Layout) (*gatherer, error) {
	if bound.Period <= 0 {
		return nil, fmt.Errorf("its windows never end")
	}
	g := &gatherer{w: w, make: bound.Window, period: bound.Period, in: record.NewRecord(l), out: record.NewRecord(record.NewLayout())}
	g.timer = time.NewTimer(g.period)
	g.timer.Stop()
	return g, nil
}

// wake is when the stage must look at its windows, without any batch.
func (g *gatherer) wake() <-chan time.Time {
	if g == nil || len(g.open) == 0 {
		return nil
	}
	return g.timer.C
}

// rushed is closed when windows must end before their time.
func (g *gatherer) rushed() <-chan struct{} {
	if g == nil || len(g.open) == 0 {
		return nil
	}
	return g.rush.now()
}

// add puts the records of b into the window of its source, which holds b
// unconfirmed until what it becomes is confirmed.
func (g *gatherer) add(ctx context.Context, b *engine.Batch) error {
	n, stats := b.Len(), g.w.stage.first.stats
	g.w.seg = g.w.segments[0]
	stats.In.Add(int64(n))
	load := b.Loader(g.in)
	last := -1 // the last record that is in the window and not held yet
	var at *window
	for i := range n {
		load.Load(i)
		if at == nil {
			at = g.windowOf(b.Source())
		}
		full, err := at.Add(g.in)
		if err != nil {
			if err := g.w.fails.add(g.w.stage.first, b, i, nil, err); err != nil {
				return err
			}
			continue
		}
		last = i
		if at.records++; at.records == 1 {
			g.opened(at)
		}
		if full {
			g.hold(at, b.Hold(i))
			if err := g.end(ctx, at); err != nil {
				return err
			}
			at, last = nil, -1
		}
	}
	if last >= 0 {
		g.hold(at, b.Hold(last))
	}
	if err := g.makeRoom(ctx); err != nil {
		return err
	}
	return g.expire(ctx, time.Now())
}

func (g *gatherer) hold(x *window, h engine.Held) {
	x.held = append(x.held, h)
	x.bytes += h.Bytes()
	g.holds += h.Bytes()
}

// makeRoom ends the oldest windows as long as they keep more in flight than
// they may: else inputs would wait for windows, and windows for records that
// nobody reads, until a period is over. A window may keep much more in flight
// than it has in it, when most records of its batches were dropped before.
func (g *gatherer) makeRoom(ctx context.Context) error {
	for len(g.open) > 0 && g.holds > g.room {
		if !g.crowded {
			g.crowded = true
			g.w.stage.first.log.Warn("windows end before they are full, since what they hold takes up the room of max_in_flight", "bytes", g.holds, "records", g.open[0].records)
		}
		if err := g.end(ctx, g.open[0]); err != nil {
			return err
		}
	}
	return nil
}

// shareRoom lets all gatherers of a pipeline together keep so much in flight
// that inputs can still read a full batch.
func shareRoom(stages []*stage, maxInFlight, batchBytes int64) {
	var all []*gatherer
	for _, s := range stages {
		for _, w := range s.workers {
			if w.gather != nil {
				all = append(all, w.gather)
			}
		}
	}
	n := int64(len(all))
	for _, g := range all {
		g.room = min(maxInFlight/(n+1), max(maxInFlight-batchBytes, 0)/n)
	}
}

// windowOf returns the window of a source: the open one, or a new one that
// counts as open with its first record.
func (g *gatherer) windowOf(s *engine.Source) *window {
	for _, x := range g.open {
		if x.source == s {
			return x
		}
	}
	var w engine.Window
	if k := len(g.free); k > 0 {
		w, g.free = g.free[k-1], g.free[:k-1]
	} else {
		w = g.make()
	}
	return &window{Window: w, source: s}
}

func (g *gatherer) opened(x *window) {
	x.ends = time.Now().Add(g.period)
	g.open = append(g.open, x)
	g.arm()
}

func (g *gatherer) arm() {
	if len(g.open) > 0 {
		g.timer.Reset(time.Until(g.open[0].ends))
	} else {
		g.timer.Stop()
	}
}

// expire ends the windows whose period is over.
func (g *gatherer) expire(ctx context.Context, now time.Time) error {
	for len(g.open) > 0 && !g.open[0].ends.After(now) {
		if err := g.end(ctx, g.open[0]); err != nil {
			return err
		}
	}
	return nil
}

// finish ends all windows: at the end of data, or for a cut.
func (g *gatherer) finish(ctx context.Context) error {
	for len(g.open) > 0 {
		if err := g.end(ctx, g.open[0]); err != nil {
			return err
		}
	}
	return nil
}

// end sends what a window has become.
func (g *gatherer) end(ctx context.Context, x *window) error {
	for i := range g.open {
		if g.open[i] == x {
			g.open = append(g.open[:i], g.open[i+1:]...)
			break
		}
	}
	g.holds -= x.bytes
	g.arm()
	stats := g.w.stage.first.stats
	b, err := g.w.fresh(ctx)
	if err != nil {
		return err
	}
	b.Gather(x.held)
	g.out.ResetHeaders(nil)
	g.out.Key.Reset(record.Text, nil)
	g.out.Row, g.out.Timestamp, g.out.HasTimestamp, g.out.Topic, g.out.Meta = 0, 0, false, "", nil
	if x.source != nil {
		g.out.Topic = x.source.Info().Topic
	}
	if err := x.Result(g.out); err != nil {
		return fmt.Errorf("%s: ending a window: %w", g.w.stage.first.addr, err)
	}
	if _, err := b.Append(g.out); err != nil {
		return fmt.Errorf("%s: writing a window: %w", g.w.stage.first.addr, err)
	}
	stats.Out.Add(1)
	g.free = append(g.free, x.Window)
	return g.w.stage.main.send(ctx, b, &g.w.blocked)
}
