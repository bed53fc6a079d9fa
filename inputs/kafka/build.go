package kafka

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// build makes a batch of chunk i of the queue: nil when the chunk has nothing
// to give, because its partition is gone or only markers were left.
func (in *Input) build(ctx context.Context, i int) (*engine.Batch, error) {
	b, err := in.host.NewBatch(ctx)
	if err != nil {
		return nil, err
	}
	c := in.queue[i]
	part, recs := c.part, c.recs
	n := in.builder.fill(b, recs, in.host.Limits(), in.env.Element)
	c.recs = recs[n:]
	for _, r := range recs[:n] {
		c.bytes -= len(r.Value) + len(r.Key)
	}
	if len(c.recs) == 0 {
		in.queue = slices.Delete(in.queue, i, i+1)
		in.mu.Lock()
		part.chunk = nil
		in.mu.Unlock()
	}
	if !in.begin(b, part, recs[n-1]) {
		b.Release()
		return nil, nil
	}
	return b, nil
}

// begin ties b to its partition. It reports false, and nothing of the batch
// may go on, when the partition was taken away in the meantime: its next
// owner reads these records.
func (in *Input) begin(b *engine.Batch, part *partition, last *kgo.Record) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if part.leaving || b.Len() == 0 {
		return false
	}
	in.read.records += int64(b.Len())
	in.read.bytes += b.Bytes()
	end := engine.Position{Offset: last.Offset + 1, Epoch: last.LeaderEpoch}
	part.src.Begin(b, end, in.builder.first, in.builder.rows)
	part.sent = time.Now()
	m := mark{end: end.Offset, time: engine.NoTimestamp, bytes: b.Bytes()}
	if len(b.Timestamps) > 0 {
		m.time = b.Timestamps[0]
	}
	part.settle()
	part.lag.marks = append(part.lag.marks, m)
	part.lag.bytes += m.bytes
	in.hold(part)
	return true
}

// builder is the reader's scratch. It copies records into batches.
//
// Values are copied once, into the batch's slab. A batch that pointed into the
// fetch instead would keep all of it, megabytes, alive for as long as one
// small batch waits for its output.
type builder struct {
	first int64    // offset of the first record of the last batch
	rows  []uint32 // distances from first, empty when offsets are consecutive

	// names holds the header names that were seen, so that equal ones of
	// later records cost no allocation and pin no fetch.
	names map[string]string
	// headers takes the header values of the current batch; it goes with it.
	headers []byte
	// headerBytes is what the headers of the last batch took.
	headerBytes int
}

// maxNames bounds builder.names against records that invent header names.
const maxNames = 1024

// fill moves records into b up to its limits and returns how many it took,
// markers included; at least one.
func (bu *builder) fill(b *engine.Batch, recs []*kgo.Record, lim engine.BatchLimits, element string) int {
	bu.first, bu.rows, bu.headers = -1, bu.rows[:0], nil
	b.Value.Encoding = record.Opaque
	gaps := false
	for i, r := range recs {
		if r.Attrs.IsControl() {
			continue
		}
		n, size := b.Len(), len(r.Value)+len(r.Key)
		if n == 0 {
			bu.first = r.Offset
			if size > limits.RecordBytes {
				oversize(b, r, element)
				return i + 1
			}
		} else if n >= lim.Records || len(b.Value.Data)+len(b.Key.Data)+size > lim.Bytes ||
			size > limits.RecordBytes || r.Offset-bu.first > math.MaxUint32 {
			return i
		}
		if !gaps && r.Offset-bu.first != int64(n) {
			gaps = true
			for k := range n {
				bu.rows = append(bu.rows, uint32(k))
			}
		}
		if gaps {
			bu.rows = append(bu.rows, uint32(r.Offset-bu.first))
		}
		bu.add(b, r, n)
	}
	if bu.headers != nil {
		bu.headerBytes = cap(bu.headers)
	}
	return len(recs)
}

// add stores r as record n of b. Columns that no record used so far are made
// up for the records before.
func (bu *builder) add(b *engine.Batch, r *kgo.Record, n int) {
	b.Value.Add(r.Value)
	if r.Key != nil || len(b.Key.Spans) > 0 {
		b.Key.Encoding = record.Opaque
		for len(b.Key.Spans) < n {
			b.Key.Spans = append(b.Key.Spans, engine.NullSpan)
		}
		b.Key.Add(r.Key)
	}
	if len(r.Headers) > 0 || len(b.Headers.Ends) > 0 {
		for len(b.Headers.Ends) < n {
			b.Headers.Ends = append(b.Headers.Ends, 0)
		}
		for _, h := range r.Headers {
			b.Headers.List = append(b.Headers.List, record.Header{Key: bu.name(h.Key), Value: bu.header(h.Value)})
		}
		b.Headers.Ends = append(b.Headers.Ends, uint32(len(b.Headers.List)))
	}
	if ts := timestamp(r); ts != engine.NoTimestamp || len(b.Timestamps) > 0 {
		for len(b.Timestamps) < n {
			b.Timestamps = append(b.Timestamps, engine.NoTimestamp)
		}
		b.Timestamps = append(b.Timestamps, ts)
	}
}

// timestamp returns a record's time in nanoseconds, NoTimestamp where it has
// none or one that nanoseconds in 64 bits do not reach (after 2262).
func timestamp(r *kgo.Record) int64 {
	const most = math.MaxInt64 / 1_000_000
	ms := r.Timestamp.UnixMilli()
	if r.Attrs.TimestampType() < 0 || ms == -1 || ms > most || ms < -most {
		return engine.NoTimestamp
	}
	return ms * 1_000_000
}

func (bu *builder) name(s string) string {
	if known, ok := bu.names[s]; ok {
		return known
	}
	own := string([]byte(s))
	if bu.names == nil {
		bu.names = map[string]string{}
	}
	if len(bu.names) < maxNames {
		bu.names[own] = own
	}
	return own
}

// header copies a header's value; a null stays null, an empty one empty.
func (bu *builder) header(v []byte) []byte {
	if v == nil {
		return nil
	}
	if bu.headers == nil {
		bu.headers = make([]byte, 0, max(bu.headerBytes, 256))
	}
	start := len(bu.headers)
	bu.headers = append(bu.headers, v...) // earlier values stay where they are when it grows
	return bu.headers[start:len(bu.headers):len(bu.headers)]
}

// oversize makes b a batch of one record that is too large to carry: it goes
// to the errors edge with its beginning.
func oversize(b *engine.Batch, r *kgo.Record, element string) {
	b.Value.Add(r.Value[:min(len(r.Value), limits.ExcerptBytes)])
	b.Failures = append(b.Failures, engine.Failure{
		Reason:  fmt.Errorf("record of %d bytes is over the limit of %d", len(r.Value)+len(r.Key), limits.RecordBytes),
		Element: element,
		Origin:  fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset),
	})
}
