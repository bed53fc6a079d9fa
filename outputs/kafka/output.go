// Package kafka is the output that writes to topics of a Kafka cluster.
package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// Output writes batches with an idempotent producer. Its goroutines are the
// engine's writer (Open, Write, Flush, Close) and the client's, which run the
// promises one after another.
//
// Order. The client keeps the order of a partition and fails, when a broker
// refuses one batch of its own, everything that it holds for that partition.
// Records that are handed to it between that moment and the first failed
// promise overtake the failed ones. So from the first failure on no batch of
// the engine that came after it counts as written, whatever becomes of its
// records, and none is taken before the engine has handed the failed ones over
// again, in their order: the last copy of each record is in order. A batch
// with a refusal then goes record by record, which finds the one that the
// broker refuses. This is only for what topic.check could not foresee; brokers
// that are away or move a partition are the client's business and repeat
// nothing (see options).
type Output struct {
	config *Config
	env    engine.Env
	conn   *connkafka.Connection
	create *CreateTopics // nil: missing topics are not created
	// session is set before Open in a pipeline that writes in transactions.
	session *connkafka.Session

	limits  limits
	sending sending
	closing atomic.Bool // the client is being closed for good

	// Only the writer uses these.
	client   *kgo.Client
	watch    *watch // of client; nil: it is the session's
	admin    *kadm.Client
	acquired bool
	plan     plan
	topics   map[string]*topic
	outdated bool // the client must be replaced when nothing is under way

	// mu guards the following.
	mu      sync.Mutex
	changed chan struct{} // closed and replaced when a write has ended
	writes  int           // under way
	bytes   int64         // of the writes under way
	seq     uint64        // of the batch that came last
	owed    []owed        // to be handed over again, by seq
	free    []*write
	handed  map[*write]struct{} // the client has them
	doubts  doubts
}

// owed is a batch that the engine will hand over again.
type owed struct {
	b       *engine.Batch
	seq     uint64 // of its first coming
	careful bool   // one of its records was refused
}

// Open connects.
func (o *Output) Open(ctx context.Context) error {
	if err := o.Close(ctx); err != nil { // what an Open before left behind
		return err
	}
	if err := o.conn.Acquire(ctx); err != nil {
		return err
	}
	o.acquired = true
	if err := o.plan.bind(o.config); err != nil {
		return err
	}
	o.limits.most = int32(o.config.BatchBytes)
	if err := o.connect(); err != nil {
		return err
	}
	o.topics, o.outdated = map[string]*topic{}, false
	o.closing.Store(false)
	o.mu.Lock()
	o.changed = make(chan struct{})
	o.writes, o.bytes, o.owed, o.doubts, o.handed = 0, 0, nil, doubts{}, map[*write]struct{}{}
	o.mu.Unlock()
	if err := o.client.Ping(ctx); err != nil {
		return connkafka.Classify("connecting to Kafka", err)
	}
	return nil
}

// Write hands the batch to the client. It waits while too much is under way.
func (o *Output) Write(ctx context.Context, b *engine.Batch, done func(error)) {
	if b.Len() == 0 {
		done(nil)
		return
	}
	size := b.Bytes() + int64(b.Len())*recordOverhead
	turn, err := o.reserve(ctx, b, size)
	if err != nil {
		done(err)
		return
	}
	w := o.take(turn, done, size)
	err = o.recover(ctx)
	if err == nil {
		err = o.plan.fill(ctx, o, w)
	}
	careful := turn.careful
	if o.session != nil && err == nil {
		err, careful = o.session.Begin(ctx), o.session.Careful()
	}
	if err != nil {
		o.end(w, err)
		return
	}
	o.mu.Lock()
	w.handed = time.Now()
	o.handed[w] = struct{}{}
	o.mu.Unlock()
	if !careful {
		w.produce(o.client)
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.produceOneByOne(o.client)
	}()
	select {
	case <-ended:
	case <-ctx.Done(): // Close ends the rest
	}
}

// errAgain is why batches behind a failed one are written again.
var errAgain = errors.New("a batch before this one was not written")

// reserve gives b its turn and waits for room. It fails with a
// *engine.RetryError while batches that came before are owed.
func (o *Output) reserve(ctx context.Context, b *engine.Batch, size int64) (owed, error) {
	o.mu.Lock()
	turn, ok := o.turn(b)
	o.mu.Unlock()
	if !ok {
		return owed{}, engine.Retry(errAgain)
	}
	for {
		o.mu.Lock()
		if o.writes == 0 || o.bytes+size <= int64(o.config.MaxBuffered) {
			o.writes++
			o.bytes += size
			o.mu.Unlock()
			return turn, nil
		}
		changed := o.changed
		o.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return owed{}, context.Cause(ctx)
		}
	}
}

// turn finds b's place in the order of batches; false: others are before it,
// and it is owed now, too. mu is held.
func (o *Output) turn(b *engine.Batch) (owed, bool) {
	if len(o.owed) == 0 {
		o.seq++
		return owed{b: b, seq: o.seq}, true
	}
	if o.owed[0].b == b {
		turn := o.owed[0]
		o.owed = o.owed[1:]
		return turn, true
	}
	if !slices.ContainsFunc(o.owed, func(w owed) bool { return w.b == b }) {
		o.seq++
		o.owe(owed{b: b, seq: o.seq})
	}
	return owed{}, false
}

// owe notes a batch that will come again. mu is held.
func (o *Output) owe(w owed) {
	i, found := slices.BinarySearchFunc(o.owed, w, func(a, b owed) int { return cmp.Compare(a.seq, b.seq) })
	if found {
		o.owed[i].careful = o.owed[i].careful || w.careful
		return
	}
	o.owed = slices.Insert(o.owed, i, w)
}

// fail notes at once, before the rest of its records have ended, that a write
// has failed.
func (o *Output) fail(w *write, topic string, v verdict, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.owe(owed{w.b, w.seq, v == refusesRecord})
	o.doubts.add(topic, v, err)
}

// end reports a write's result and recycles it. All its records have ended.
func (o *Output) end(w *write, err error) {
	done := w.done
	var retry *engine.RetryError
	o.mu.Lock()
	if len(o.owed) > 0 && w.seq > o.owed[0].seq && settled(err) {
		err = engine.Retry(errAgain) // its records may have overtaken failed ones
	}
	if errors.As(err, &retry) {
		o.owe(owed{b: w.b, seq: w.seq})
	}
	o.confirmed(w, err)
	delete(o.handed, w)
	o.writes--
	o.bytes -= w.size
	w.reset()
	o.free = append(o.free, w)
	changed := o.changed
	o.changed = make(chan struct{})
	o.mu.Unlock()
	done(err)
	close(changed)
}

// settled reports whether a batch with this result needs no more writing.
func settled(err error) bool {
	var records *engine.RecordErrors
	return err == nil || errors.As(err, &records)
}

// Flush sends what lingers and waits until all is acknowledged.
func (o *Output) Flush(ctx context.Context) error {
	if o.client == nil {
		return nil
	}
	if err := o.client.Flush(ctx); err != nil {
		return fmt.Errorf("flushing: %w", err)
	}
	return nil
}

// Close flushes within ctx. What is not acknowledged then ends with an error.
func (o *Output) Close(ctx context.Context) error {
	var err error
	if o.client != nil {
		err = o.Flush(ctx)
		o.closing.Store(true)
		o.disconnect(ctx)
	}
	o.plan.close()
	if o.acquired {
		o.acquired = false
		err = errors.Join(err, o.conn.Release())
	}
	return err
}

// wait waits for the promises that a closed client still runs.
func (o *Output) wait() {
	for {
		o.mu.Lock()
		writes, changed := o.writes, o.changed
		o.mu.Unlock()
		if writes == 0 {
			return
		}
		<-changed
	}
}

func (o *Output) logger() *slog.Logger {
	if o.env.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.env.Logger
}
