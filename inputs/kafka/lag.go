package kafka

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/engine"
)

// lagState is what tells how far behind a partition is. Input.mu guards it.
type lagState struct {
	marks []mark // batches that are read and perhaps not confirmed, in order
	bytes int64  // of marks
	held  bool   // too much is in flight: nothing more goes on for now

	end   int64    // of the log, as far as it may be read; -1: not known
	grown []sample // when the end was where, ascending; the first one is the oldest that matters

}

// mark is a batch in flight.
type mark struct {
	end   int64 // offset behind it
	time  int64 // of its first record, in nanoseconds; engine.NoTimestamp: none
	bytes int64
}

// sample says that the end of a log was reached by then.
type sample struct {
	end int64
	at  time.Time
}

// maxSamples bounds what is remembered of a partition: at the default interval
// it is more than an hour; beyond that the oldest is kept, and the rest thins out.
const maxSamples = 512

func newLag() lagState { return lagState{end: -1} }

// settle forgets batches that are confirmed.
func (p *partition) settle() {
	pos, ok := p.src.Watermark()
	if !ok {
		return
	}
	n := 0
	for n < len(p.lag.marks) && p.lag.marks[n].end <= pos.Offset {
		p.lag.bytes -= p.lag.marks[n].bytes
		n++
	}
	if n > 0 {
		p.lag.marks = append(p.lag.marks[:0], p.lag.marks[n:]...)
	}
}

// reached is up to where everything is confirmed. Markers of transactions
// count once everything before them is.
func (p *partition) reached() int64 {
	p.settle()
	pos, ok := p.src.Watermark()
	switch {
	case len(p.lag.marks) == 0 && p.chunk == nil:
		return p.position()
	case ok:
		return pos.Offset
	}
	return p.from
}

// noteEnd takes the end of a log from a fetch. mu is held.
func (in *Input) noteEnd(part *partition, p *kgo.FetchPartition) {
	end := p.HighWatermark
	if in.config.Isolation == "read_committed" {
		end = p.LastStableOffset
	}
	part.noteEnd(end, time.Now())
}

func (p *partition) noteEnd(end int64, at time.Time) {
	if end < 0 {
		return
	}
	p.lag.end = end
	g := p.lag.grown
	if n := len(g); n == 0 || g[n-1].end < end {
		g = append(g, sample{end, at})
	}
	reached := p.reached()
	for len(g) > 0 && g[0].end <= reached {
		g = g[1:]
	}
	if len(g) > maxSamples {
		kept := g[:0]
		for i, s := range g {
			if i%2 == 0 || i == len(g)-1 {
				kept = append(kept, s)
			}
		}
		g = kept
	}
	p.lag.grown = g
}

// watchEnds asks for the ends of the assigned partitions at intervals, until
// the function that it returns is called: fetches tell them only of partitions
// that bring something.
func (in *Input) watchEnds(client *kgo.Client) (stop func()) {
	if in.config.LagInterval == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(in.config.LagInterval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				in.lookAtEnds(ctx, client)
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

func (in *Input) lookAtEnds(ctx context.Context, client *kgo.Client) {
	in.mu.Lock()
	ids := make([]partitionID, 0, len(in.parts))
	for id := range in.parts {
		ids = append(ids, id)
	}
	in.mu.Unlock()
	ends, err := in.listAll(ctx, client, ids, atEnd)
	if err != nil {
		in.logger().Debug("asking for the ends of partitions", "error", err)
		return
	}
	now := time.Now()
	in.mu.Lock()
	defer in.mu.Unlock()
	for id, end := range ends {
		if part := in.parts[id]; part != nil {
			part.noteEnd(end, now)
		}
	}
}

// Lag tells how far behind each assigned partition is: records that are there
// and not confirmed, and how long the oldest of them has been there.
func (in *Input) Lag() []engine.Lag {
	if in.config.LagInterval == 0 {
		return nil
	}
	now := time.Now()
	in.mu.Lock()
	defer in.mu.Unlock()
	var list []engine.Lag
	for id, part := range in.parts {
		if part.from < 0 || part.lag.end < 0 {
			continue
		}
		list = append(list, engine.Lag{
			Topic: id.topic, Partition: id.partition,
			Records: max(0, part.lag.end-part.reached()),
			Age:     part.age(now),
		})
	}
	return list
}

// age is how long the oldest record that is not confirmed has been there: by
// its own time if it was read, otherwise by when the log was seen to hold it.
func (p *partition) age(now time.Time) time.Duration {
	reached := p.reached()
	if p.lag.end <= reached {
		return 0
	}
	if len(p.lag.marks) > 0 && p.lag.marks[0].time != engine.NoTimestamp {
		return max(0, now.Sub(time.Unix(0, p.lag.marks[0].time)))
	}
	for _, s := range p.lag.grown {
		if s.end > reached {
			return max(0, now.Sub(s.at))
		}
	}
	return 0
}
