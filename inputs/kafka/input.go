// Package kafka is the input that reads topics as a member of a consumer group.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// Input is a member of a consumer group. Its goroutines are the engine's
// reader (Read), the engine's committer (Commit), and the client's rebalance
// callbacks, which the client never runs two of at once.
//
// Lock order: commitMu, then mu, then a Source's own.
type Input struct {
	config  *Config
	env     engine.Env
	conn    *connkafka.Connection
	bounded bool

	host     engine.Host
	client   *kgo.Client // written under mu by the reader; nil before Open and after Close
	cut      func()      // ends all requests of client
	acquired bool

	// Only the reader uses these.
	queue   []chunk
	builder builder
	fetch   *fetchSize

	// commitMu is held over a whole commit, request included: once a revoke
	// has had it, no commit that includes the partition is under way.
	commitMu sync.Mutex

	// mu guards the following and the fields of the partitions.
	mu       sync.Mutex
	parts    map[partitionID]*partition
	begins   map[partitionID]int64 // bounded: where a group without position begins
	ends     map[partitionID]int64 // bounded: where partitions ended at the start
	assigned bool                  // the group has answered, and taken nothing away since
	closing  bool                  // Close is under way
	read     progress
	wake     context.CancelFunc // bounded: ends the poll that waits

	// hurry is closed, once, by the end of the reader's context or by Close:
	// revoke callbacks then stop waiting, since polls wait for them.
	hurry   chan struct{}
	hurried bool
}

type partitionID struct {
	topic     string
	partition int32
}

// partition is one assignment of a partition to this member. The next
// assignment of the same partition is another one.
type partition struct {
	id  partitionID
	src *engine.Source // replaced on a rewind

	leaving   bool  // taken away: nothing more is read
	next      int64 // offset behind the last record that was read; -1: none yet
	committed int64 // position that the group has from this assignment; -1: none
	end       int64 // bounded: read up to here
	ended     bool  // bounded: everything before end was fetched
}

// chunk is what one fetch brought of a partition and no batch has taken.
type chunk struct {
	part *partition
	recs []*kgo.Record
}

// Open joins the group. It returns before partitions are assigned.
func (in *Input) Open(ctx context.Context, h engine.Host) error {
	if err := in.shutdown(ctx); err != nil { // what an Open before left behind
		return err
	}
	if err := in.conn.Acquire(ctx); err != nil {
		return err
	}
	in.acquired = true
	in.host = h
	in.queue = nil
	in.mu.Lock()
	in.hurry, in.hurried = make(chan struct{}), false
	in.parts, in.begins, in.ends = map[partitionID]*partition{}, nil, nil
	in.assigned, in.closing, in.read = false, false, progress{}
	in.mu.Unlock()

	if err := in.prepare(ctx); err != nil {
		return err
	}
	alive, cut := context.WithCancel(context.WithoutCancel(ctx))
	client, err := in.conn.Client(in.env, append(in.options(), kgo.WithContext(alive))...)
	if err != nil {
		cut()
		return err
	}
	in.cut = cut
	in.mu.Lock()
	in.client = client
	in.mu.Unlock()
	return nil
}

// prepare reaches the cluster, so that a wrong address, password or right is
// found here, and takes the end offsets of a bounded input. It uses a client
// of its own: one with a group would join it at once.
func (in *Input) prepare(ctx context.Context) error {
	client, err := in.conn.Client(in.env, kgo.RequestRetries(3))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Ping(ctx); err != nil {
		return connkafka.Classify("connecting to Kafka", err)
	}
	topics, err := in.findTopics(ctx, client)
	if err != nil {
		return err
	}
	if !in.bounded {
		return nil
	}
	return in.findBounds(ctx, client, topics)
}

func (in *Input) options() []kgo.Opt {
	c := in.config
	start, _ := startOffset(c.Start)
	in.fetch = newFetchSize(c)
	fetch, fetchPartition := in.fetch.sizes()
	opts := []kgo.Opt{
		kgo.ConsumerGroup(c.Group),
		kgo.DisableAutoCommit(),
		kgo.ConsumeStartOffset(start),
		kgo.FetchMaxBytes(int32(fetch)),
		kgo.FetchMaxPartitionBytes(int32(fetchPartition)),
		kgo.WithHooks(in.fetch),
		kgo.FetchMaxWait(c.FetchMaxWait),
		kgo.SessionTimeout(c.SessionTimeout),
		kgo.RebalanceTimeout(c.RebalanceTimeout),
		kgo.HeartbeatInterval(min(3*time.Second, c.SessionTimeout/4)),
		kgo.MetadataMaxAge(c.MetadataMaxAge),
		kgo.MetadataMinAge(min(c.MetadataMaxAge, 250*time.Millisecond)),
		// A rebalance must not fall between the client's handing out of
		// records and adopt, which ties them to an assignment: records of an
		// assignment that has ended would count for the next one. Only that
		// moment blocks it; a stalled pipeline does not.
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(in.onAssigned),
		kgo.OnPartitionsRevoked(in.onRevoked),
		kgo.OnPartitionsLost(in.onLost),
	}
	if len(c.Topics) > 0 {
		opts = append(opts, kgo.ConsumeTopics(c.Topics...))
	} else {
		opts = append(opts, kgo.ConsumeRegex(), kgo.ConsumeTopics(anchored(c.TopicsRegex)))
	}
	if c.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(c.InstanceID))
	}
	if c.Isolation == "read_committed" {
		opts = append(opts, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	if in.bounded {
		// The end of a log may be a transaction's marker, which is no record:
		// without it the end would never be seen.
		opts = append(opts, kgo.KeepControlRecords(), kgo.AdjustFetchOffsetsFn(in.onPositions))
	}
	return opts
}

// Read returns the next batch of one partition.
func (in *Input) Read(ctx context.Context) (*engine.Batch, error) {
	stop := context.AfterFunc(ctx, in.hurryUp)
	defer stop()
	for {
		for len(in.queue) > 0 {
			b, err := in.build(ctx)
			if b != nil || err != nil {
				return b, err
			}
		}
		if in.bounded && in.finished() {
			return nil, engine.ErrEnd
		}
		if err := in.poll(ctx); err != nil {
			return nil, err
		}
	}
}

// poll waits for records and queues them by partition.
func (in *Input) poll(ctx context.Context) error {
	pollCtx := ctx
	if in.bounded {
		c, cancel := context.WithCancel(ctx)
		defer cancel()
		in.mu.Lock()
		in.wake = cancel
		in.mu.Unlock()
		if in.finished() { // it may have changed before wake was set
			return nil
		}
		pollCtx = c
	}
	fetches := in.client.PollFetches(pollCtx)
	err := in.adopt(fetches)
	in.client.AllowRebalance()
	if all, partition, changed := in.fetch.adjust(); changed {
		in.client.UpdateFetchMaxBytes(all, partition)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// adopt ties fetched records to the assignment that they belong to.
func (in *Input) adopt(fetches kgo.Fetches) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	var fail error
	for i := range fetches {
		for j := range fetches[i].Topics {
			t := &fetches[i].Topics[j]
			for k := range t.Partitions {
				p := &t.Partitions[k]
				if err := in.fetchError(t.Topic, p); err != nil && fail == nil {
					fail = err
				}
				if len(p.Records) == 0 {
					continue
				}
				part := in.parts[partitionID{t.Topic, p.Partition}]
				if part == nil || part.leaving || part.ended {
					continue
				}
				in.rewound(part, p.Records[0].Offset)
				part.next = p.Records[len(p.Records)-1].Offset + 1
				if recs := in.bound(part, p.Records); len(recs) > 0 {
					in.queue = append(in.queue, chunk{part, recs})
				}
			}
		}
	}
	return fail
}

// bound cuts off what lies behind the end of a bounded input. mu is held.
func (in *Input) bound(part *partition, recs []*kgo.Record) []*kgo.Record {
	if !in.bounded || part.next < part.end {
		return recs
	}
	part.ended = true
	in.client.PauseFetchPartitions(map[string][]int32{part.id.topic: {part.id.partition}})
	for len(recs) > 0 && recs[len(recs)-1].Offset >= part.end {
		recs = recs[:len(recs)-1]
	}
	return recs
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
	part.src.Revoke()
	part.src = in.host.Source(sourceInfo(part.id))
	part.committed = -1
}

// fetchError decides about an error of a partition in a fetch. The client
// retries by itself what can be retried on a broker. mu is held.
func (in *Input) fetchError(topic string, p *kgo.FetchPartition) error {
	var loss *kgo.ErrDataLoss
	var session *kgo.ErrGroupSession
	switch err := p.Err; {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return nil
	case errors.As(err, &loss):
		in.logger().Warn("the broker has lost records", "topic", topic, "partition", p.Partition,
			"consumed_to", loss.ConsumedTo, "going_on_at", loss.ResetTo)
		return nil
	case errors.As(err, &session):
		// The client joins the group again by itself, unless rights or names
		// are wrong.
		if connkafka.FatalLater(err) {
			return fmt.Errorf("consumer group %s: %w", in.config.Group, err)
		}
		in.logger().Warn("consumer group is not reachable, joining again", "group", in.config.Group, "error", err)
		return nil
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		in.logger().Warn("waiting for a topic that does not exist", "topic", topic)
		return nil
	case errors.Is(err, kerr.UnknownTopicID):
		return fmt.Errorf("topic %s was deleted and made anew: the positions of group %s are those of the old one", topic, in.config.Group)
	case kerr.IsRetriable(err), connkafka.Unproved(err):
		// What the brokers refuse now they took at the start: credentials are
		// being changed.
		return engine.Retry(fmt.Errorf("reading %s/%d: %w", topic, p.Partition, err))
	default:
		// The client has given the partition up: waiting would be for ever.
		return fmt.Errorf("reading %s/%d: %w", topic, p.Partition, err)
	}
}

// Close leaves the group and lets go of everything. A static member (option
// instance_id) stays in the group until its session ends.
func (in *Input) Close(ctx context.Context) error { return in.shutdown(ctx) }

func (in *Input) shutdown(ctx context.Context) error {
	if in.client != nil {
		in.mu.Lock()
		in.closing = true
		in.mu.Unlock()
		in.hurryUp()
		in.client.AllowRebalance()
		ctx, cancel := context.WithTimeout(ctx, closeWait)
		// Leaving tells the group at once, where a lost connection would cost
		// the others the session timeout. With ctx at its end the client
		// leaves without waiting for the answer.
		if err := in.client.LeaveGroupContext(ctx); err != nil {
			in.logger().Debug("leaving the group", "error", err)
		}
		if ctx.Err() != nil {
			// A join waits for as long as the group takes for a rebalance, and
			// closing the client waits for the join.
			in.cut()
		}
		cancel()
		in.client.Close()
		in.cut()
		in.mu.Lock()
		in.client = nil
		in.mu.Unlock()
	}
	in.queue = nil
	if in.acquired {
		in.acquired = false
		return in.conn.Release()
	}
	return nil
}

// closeWait bounds what a broker that does not answer can cost at the end.
const closeWait = 5 * time.Second

func (in *Input) hurryUp() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.hurried {
		in.hurried = true
		close(in.hurry)
	}
}

func (in *Input) logger() *slog.Logger {
	if in.env.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return in.env.Logger
}
