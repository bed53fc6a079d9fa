package kafka

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/engine"
)

// chunk is what fetches brought of a partition and no batch has taken.
type chunk struct {
	part  *partition
	recs  []*kgo.Record
	bytes int
	due   time.Time // when it goes on although it fills no batch
}

// Read returns the next batch of one partition.
func (in *Input) Read(ctx context.Context) (*engine.Batch, error) {
	stop := context.AfterFunc(ctx, in.hurryUp)
	defer stop()
	if in.client == nil { // the last Open of a topic that was made anew has failed
		if err := in.Open(ctx, in.host); err != nil {
			return nil, err
		}
	}
	for {
		i, wait := in.ready()
		for i >= 0 {
			b, err := in.build(ctx, i)
			if b != nil || err != nil {
				return b, err
			}
			i, wait = in.ready()
		}
		if err := in.failure(); err != nil {
			return nil, err
		}
		if in.bounded {
			if len(in.queue) == 0 && in.finished() {
				return nil, engine.ErrEnd
			}
			if err := in.reachBounds(ctx); err != nil {
				return nil, err
			}
		}
		if err := in.poll(ctx, wait); err != nil {
			return nil, err
		}
	}
}

func (in *Input) failure() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.failed
}

// ready returns the first chunk that may go on, -1 if none, and then how long
// the next one waits for more records (the pipeline's linger); 0: for ever.
func (in *Input) ready() (i int, wait time.Duration) {
	// Also with nothing queued: nobody else lets a partition go on that is held
	// back, and perhaps no other one ever brings a record again.
	held := in.heldBack()
	if held {
		wait = heldPoll
	}
	if len(in.queue) == 0 {
		return -1, wait
	}
	lim := in.host.Limits()
	now := time.Now()
	for i, c := range in.queue {
		if held && in.isHeld(c.part) {
			continue
		}
		if len(c.recs) >= lim.Records || c.bytes >= lim.Bytes || !c.due.After(now) {
			return i, 0
		}
		wait = least(wait, c.due.Sub(now))
	}
	return -1, wait
}

func least(a, b time.Duration) time.Duration {
	if a == 0 || b < a {
		return b
	}
	return a
}

// poll waits for records, so long at most unless that is 0, and queues them by
// partition.
func (in *Input) poll(ctx context.Context, wait time.Duration) error {
	pollCtx, cancel := in.pollContext(ctx, wait)
	defer cancel()
	in.mu.Lock()
	in.wake = cancel
	in.mu.Unlock()
	if in.failure() != nil || in.bounded && len(in.queue) == 0 && in.finished() { // it may have changed before wake was set
		return nil
	}
	fetches := in.client.PollFetches(pollCtx)
	got := fetches.NumRecords() > 0
	trouble := in.adopt(fetches)
	in.client.AllowRebalance()
	if all, partition, changed := in.fetch.adjust(); changed {
		in.client.UpdateFetchMaxBytes(all, partition)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if in.bounded {
		in.lookAround(ctx, got)
	}
	return in.decide(ctx, trouble)
}

// pollContext ends a poll when something is due without a record.
func (in *Input) pollContext(ctx context.Context, wait time.Duration) (context.Context, context.CancelFunc) {
	if in.bounded {
		wait = least(wait, max(in.quiet.wait, probeFirst))
		if until, _ := untilMoment(in.config.Until); in.deferred() {
			wait = least(wait, max(until.at.Sub(in.now()), time.Millisecond))
		}
	}
	if wait == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, wait)
}

// lookAround probes open partitions of a bounded input that gets nothing.
func (in *Input) lookAround(ctx context.Context, got bool) {
	now := time.Now()
	if got || in.quiet.since.IsZero() {
		in.quiet = quiet{wait: probeFirst, since: now}
		return
	}
	if now.Sub(in.quiet.since) < in.quiet.wait {
		return
	}
	in.probe(ctx)
	in.quiet = quiet{wait: min(2*in.quiet.wait, probeMost), since: time.Now()}
}

// adopt ties fetched records to the assignment that they belong to, and
// returns what else the fetch told.
func (in *Input) adopt(fetches kgo.Fetches) (trouble []partError) {
	now := time.Now()
	lim := in.host.Limits()
	in.mu.Lock()
	defer in.mu.Unlock()
	for i := range fetches {
		for j := range fetches[i].Topics {
			t := &fetches[i].Topics[j]
			for k := range t.Partitions {
				p := &t.Partitions[k]
				id := partitionID{t.Topic, p.Partition}
				part := in.parts[id]
				if p.Err != nil && !errors.Is(p.Err, context.Canceled) && !errors.Is(p.Err, context.DeadlineExceeded) {
					trouble = append(trouble, partError{id, part, p.Err})
				}
				if part == nil || part.leaving || part.ended {
					continue
				}
				in.noteEnd(part, p)
				if len(p.Records) > 0 {
					in.take(part, p, now, lim)
				}
			}
		}
	}
	return trouble
}

// take queues records of one partition. mu is held.
func (in *Input) take(part *partition, p *kgo.FetchPartition, now time.Time, lim engine.BatchLimits) {
	in.rewound(part, p.Records[0].Offset)
	in.skipped(part, p)
	in.stamp(part, p.Records[0])
	part.next = p.Records[len(p.Records)-1].Offset + 1
	recs := in.bound(part, p.Records)
	if len(recs) == 0 {
		return
	}
	c := part.chunk
	if c == nil {
		c = &chunk{part: part, due: now}
		// A record after a pause goes on at once: waiting for more would only
		// make it late. In a stream small fetches gather to one batch a linger.
		if !lim.Sparse(now.Sub(part.sent)) {
			c.due = part.sent.Add(lim.Linger)
		}
		part.chunk = c
		in.queue = append(in.queue, c)
		c.recs = recs
	} else {
		c.recs = append(slices.Clip(c.recs), recs...)
	}
	for _, r := range recs {
		c.bytes += len(r.Value) + len(r.Key)
	}
	if part.ended {
		c.due = now
	}
}

// rewound gives a partition a new source when the client went back behind
// what was read, which it does only after the broker has lost records. The
// position then has to go back too, and acknowledgements of records that no
// longer exist must not move it on. mu is held.
func (in *Input) rewound(part *partition, first int64) {
	if part.next < 0 || first >= part.next {
		return
	}
	in.logger().Warn("the broker has lost records: reading again from an earlier offset",
		"topic", part.id.topic, "partition", part.id.partition, "from", first, "read_up_to", part.next)
	info := part.src.Info()
	part.src.Revoke()
	part.src = in.host.Source(info)
	part.committed = -1
	part.from = first
	part.lag.marks, part.lag.bytes = nil, 0
	if c := part.chunk; c != nil {
		in.queue = slices.DeleteFunc(in.queue, func(q *chunk) bool { return q == c })
		part.chunk = nil
	}
}

// skipped tells of records that were deleted before they were read; the client
// goes on at the oldest one by itself. mu is held.
func (in *Input) skipped(part *partition, p *kgo.FetchPartition) {
	at := part.position()
	if at < 0 || p.Records[0].Offset <= at || p.LogStartOffset <= at {
		return
	}
	in.logger().Warn("records are gone: they were deleted before they were read",
		"topic", part.id.topic, "partition", part.id.partition, "from", at, "to", p.LogStartOffset-1, "going_on_at", p.Records[0].Offset)
}

// stamp makes the source tell who sets the time of records. It is known with
// the first one only, before which nothing of the source is in flight. mu is
// held.
func (in *Input) stamp(part *partition, r *kgo.Record) {
	if part.stamped {
		return
	}
	part.stamped = true
	info := sourceInfo(part.id)
	info.Meta = map[string]string{"timestamp_type": "create"}
	if r.Attrs.TimestampType() == 1 {
		info.Meta["timestamp_type"] = "log_append"
	}
	part.src.Revoke()
	part.src = in.host.Source(info)
}
