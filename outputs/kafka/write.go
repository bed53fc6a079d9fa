package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// recordOverhead is what the client holds for a record beside its bytes. It
// bounds the number of small records within max_buffered.
const recordOverhead = 256

// write is one engine batch on its way. It is recycled: the client's records
// lie in one slice and share one promise, so that a batch costs no allocation.
type write struct {
	out  *Output
	b    *engine.Batch
	done func(error)
	seq  uint64
	size int64
	// handed is when the client got the records. Output.mu guards it.
	handed time.Time

	recs    []kgo.Record
	skip    []bool // recs[i] was refused before it was handed to the client; empty: none
	headers []kgo.RecordHeader
	arena   []byte // keys and headers that expressions made
	promise func(*kgo.Record, error)

	// pending counts records without result, and one for the writer while it
	// hands records over.
	pending atomic.Int64

	// mu guards the following.
	mu      sync.Mutex
	reasons map[int]error // refused for good
	refusal error         // the client gave up on records: some may be good
	retry   error         // transient
	stop    error         // ends the pipeline, or is its end
}

func (o *Output) take(turn owed, done func(error), size int64) *write {
	o.mu.Lock()
	var w *write
	if n := len(o.free); n > 0 {
		w, o.free = o.free[n-1], o.free[:n-1]
	}
	o.mu.Unlock()
	if w == nil {
		w = &write{out: o}
		w.promise = w.acknowledged
	}
	w.b, w.done, w.seq, w.size = turn.b, done, turn.seq, size
	n := w.b.Len()
	if cap(w.recs) < n {
		w.recs = make([]kgo.Record, n)
	}
	w.recs = w.recs[:n]
	return w
}

// reset forgets the batch; the client no longer looks at the records.
func (w *write) reset() {
	clear(w.recs)
	clear(w.headers)
	w.recs, w.skip, w.headers, w.arena = w.recs[:0], w.skip[:0], w.headers[:0], w.arena[:0]
	w.b, w.done = nil, nil
	w.reasons, w.refusal, w.retry, w.stop = nil, nil, nil, nil
}

// refuse keeps record i from being handed over. Only the writer calls it.
func (w *write) refuse(i int, reason error) {
	for len(w.skip) < len(w.recs) {
		w.skip = append(w.skip, false)
	}
	w.skip[i] = true
	w.mu.Lock()
	defer w.mu.Unlock()
	w.setReason(i, reason)
}

func (w *write) setReason(i int, reason error) {
	if w.reasons == nil {
		w.reasons = map[int]error{}
	}
	w.reasons[i] = reason
}

func (w *write) skipped(i int) bool { return len(w.skip) > 0 && w.skip[i] }

// produce hands all records to the client. The promises end the write.
func (w *write) produce(client *kgo.Client) {
	w.pending.Store(int64(len(w.recs)) + 1)
	skipped := int64(1)
	for i := range w.recs {
		if w.skipped(i) {
			skipped++
			continue
		}
		// Cancelling a record that may have been sent is not possible, so no
		// context goes with it; Close ends those that wait.
		client.Produce(context.Background(), &w.recs[i], w.promise)
	}
	if w.pending.Add(-skipped) == 0 {
		w.out.end(w, w.result())
	}
}

// acknowledged is the promise of all records of a write.
func (w *write) acknowledged(r *kgo.Record, err error) {
	if err != nil {
		w.note(r, err)
	}
	if w.pending.Add(-1) == 0 {
		w.out.end(w, w.result())
	}
}

// note sorts an error of the client.
func (w *write) note(r *kgo.Record, err error) {
	v := w.out.judge(err)
	w.mu.Lock()
	w.take(v, err)
	w.mu.Unlock()
	w.out.fail(w, r.Topic, v, err)
}

// take notes what a record's end means for the batch. mu is held, or nobody
// else knows the write.
func (w *write) take(v verdict, err error) {
	switch v {
	case isClosing:
		w.stop = errClosed
	case stopsAll:
		w.stop = connkafka.ClassifyLater("writing to Kafka", err)
		if retry := (*engine.RetryError)(nil); errors.As(w.stop, &retry) {
			w.stop = retry.Err
		}
	case refusesRecord:
		w.refusal = err
	default:
		w.retry = fmt.Errorf("writing to Kafka: %w", err)
	}
}

// produceOneByOne writes each record alone, so that the broker's answer is
// about that record. It ends the write.
func (w *write) produceOneByOne(client *kgo.Client) {
	for i := range w.recs {
		if w.skipped(i) {
			continue
		}
		r := &w.recs[i]
		err := client.ProduceSync(context.Background(), r).FirstErr()
		if err == nil {
			continue
		}
		v := w.out.judge(err)
		if v == refusesRecord {
			w.out.logger().Debug("record refused", "topic", r.Topic, "error", err)
			w.setReason(i, fmt.Errorf("writing to topic %s: %w", r.Topic, err))
			continue
		}
		w.take(v, err)
		w.out.fail(w, r.Topic, v, err)
		break
	}
	w.out.end(w, w.result())
}

// errClosed is the result of records that Close has cut off.
var errClosed = errors.New("output closed before the records were acknowledged")

// result is what the engine learns of the batch. No promise is left.
func (w *write) result() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.stop != nil:
		return w.stop
	case w.retry != nil:
		return w.out.unclear(w.retry, false)
	case w.refusal != nil:
		return w.out.unclear(fmt.Errorf("looking for the record that was refused: %w", w.refusal), true)
	case len(w.reasons) > 0:
		return &engine.RecordErrors{Reasons: w.reasons}
	}
	return nil
}
