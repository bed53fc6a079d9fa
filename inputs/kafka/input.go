// Package kafka is the input that reads topics as a member of a consumer group.
package kafka

import (
	"context"
	"log/slog"
	"sync"
	"time"

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

	// starts and stops are the tables of offsets; never changed.
	starts, stops map[partitionID]place

	host     engine.Host
	client   *kgo.Client // written under mu by the reader; nil before Open and after Close
	cut      func()      // ends all requests of client
	acquired bool
	// opened is when the input came to life: what times that count from now
	// count from. there are the partitions that existed then, tips their ends
	// where start needs them. All stay over an Open that is repeated. anew are
	// the topics that were made anew since. Written before the client is made.
	opened time.Time
	there  map[partitionID]bool
	tips   map[partitionID]int64
	anew   map[string]bool
	watch  func() // ends the watch over the ends of partitions, and waits for it

	// Only the reader uses these.
	queue   []*chunk
	builder builder
	fetch   *fetchSize
	warned  map[string]bool // topics that are waited for
	quiet   quiet
	holding int // partitions that are held back

	// commitMu is held over a whole commit, request included: once a revoke
	// has had it, no commit that includes the partition is under way.
	commitMu sync.Mutex

	// mu guards the following and the fields of the partitions.
	mu       sync.Mutex
	member   *kgo.Client // client, as callbacks know it
	parts    map[partitionID]*partition
	ends     map[partitionID]int64 // bounded: before which offsets partitions end; nil: not known yet
	placed   map[partitionID]bool  // of anew topics: begun anew
	assigned bool                  // the group has answered, and taken nothing away since
	fenced   time.Time             // since when the group says that our instance_id is another's; zero: it does not
	closing  bool                  // Close is under way
	failed   error                 // of a callback: ends the input
	read     progress
	wake     context.CancelFunc // ends the poll that waits

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

	leaving   bool   // taken away: nothing more is read
	from      int64  // where it began; -1: not known yet
	next      int64  // offset behind the last record that was read; -1: none yet
	committed int64  // position that the group has from this assignment; -1: none
	again     string // the start_again for which the group's position stands
	end       int64  // bounded: read up to here
	ended     bool   // bounded: everything before end was fetched
	stamped   bool   // src tells the type of timestamps

	lag lagState

	// chunk is what was fetched and no batch has taken; the reader writes it.
	chunk *chunk
	sent  time.Time // when the last batch left
}

// position is up to where the partition was read. mu is held.
func (p *partition) position() int64 { return max(p.next, p.from) }

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
	if in.opened.IsZero() {
		in.opened = in.now()
	}
	in.queue, in.warned = nil, map[string]bool{}
	in.mu.Lock()
	in.hurry, in.hurried = make(chan struct{}), false
	in.member, in.parts, in.ends, in.failed = nil, map[partitionID]*partition{}, nil, nil
	in.placed = map[partitionID]bool{}
	in.assigned, in.closing, in.read = false, false, progress{}
	in.mu.Unlock()

	protocol, err := in.prepare(ctx)
	if err != nil {
		return err
	}
	alive, cut := context.WithCancel(context.WithoutCancel(ctx))
	client, err := in.conn.Client(in.env, append(in.options(protocol), kgo.WithContext(alive))...)
	if err != nil {
		cut()
		return err
	}
	in.cut = cut
	in.mu.Lock()
	in.client = client
	in.mu.Unlock()
	in.watch = in.watchEnds(client)
	return nil
}

// prepare reaches the cluster, so that a wrong address, password or right is
// found here, takes what there is now, and chooses the group protocol. It uses
// a client of its own: one with a group would join it at once.
func (in *Input) prepare(ctx context.Context) (protocol string, err error) {
	client, err := in.conn.Client(in.env, kgo.RequestRetries(3))
	if err != nil {
		return "", err
	}
	defer client.Close()
	if err := client.Ping(ctx); err != nil {
		return "", connkafka.Classify("connecting to Kafka", err)
	}
	ids, err := in.findPartitions(ctx, client)
	if err != nil {
		return "", err
	}
	if in.there == nil {
		if err := in.findTips(ctx, client, ids); err != nil {
			return "", err
		}
	}
	if in.bounded {
		if err := in.findBounds(ctx, client, ids); err != nil {
			return "", err
		}
	}
	return in.protocol(ctx, client)
}

// recheckRack is how often to ask a partition's leader again which copy to read
// from, where a rack is set. The client goes on asking a copy that is gone until
// then, half an hour if it is not told; the question costs a request without
// records.
const recheckRack = 10 * time.Second

func (in *Input) options(protocol string) []kgo.Opt {
	c := in.config
	in.fetch = newFetchSize(c)
	fetch, fetchPartition := in.fetch.sizes()
	opts := []kgo.Opt{
		kgo.ConsumerGroup(c.Group),
		kgo.DisableAutoCommit(),
		// For onPositions to tell that the group has none.
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.ConsumeResetOffset(resetOffset(c.OnOffsetGone)),
		kgo.FetchMinBytes(int32(c.FetchMinBytes)),
		kgo.FetchMaxBytes(int32(fetch)),
		kgo.FetchMaxPartitionBytes(int32(fetchPartition)),
		kgo.WithHooks(in.fetch),
		kgo.FetchMaxWait(c.FetchMaxWait),
		kgo.RecheckPreferredReplicaInterval(recheckRack),
		kgo.MetadataMaxAge(c.MetadataMaxAge),
		kgo.MetadataMinAge(min(c.MetadataMaxAge, 250*time.Millisecond)),
		// A rebalance must not fall between the client's handing out of
		// records and adopt, which ties them to an assignment: records of an
		// assignment that has ended would count for the next one. Only that
		// moment blocks it; a stalled pipeline does not.
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(in.onAssigned),
		kgo.OnOffsetsFetched(in.onFetched),
		kgo.AdjustFetchOffsetsFn(in.onPositions),
		kgo.OnPartitionsRevoked(in.onRevoked),
		kgo.OnPartitionsLost(in.onLost),
		// The end of a log may be a transaction's marker, which is no record:
		// without it the end would never be seen.
		kgo.KeepControlRecords(),
	}
	if len(c.Topics) > 0 {
		opts = append(opts, kgo.ConsumeTopics(c.Topics...))
	} else {
		opts = append(opts, kgo.ConsumeRegex(), kgo.ConsumeTopics(anchored(c.TopicsRegex)))
		if c.TopicsExclude.Regexp != nil {
			opts = append(opts, kgo.ConsumeExcludeTopics(anchored(c.TopicsExclude)))
		}
	}
	if c.MaxFetches > 0 {
		opts = append(opts, kgo.MaxConcurrentFetches(c.MaxFetches))
	}
	if c.Isolation == "read_committed" {
		opts = append(opts, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	return append(opts, c.membership(protocol)...)
}

// Close leaves the group and lets go of everything. A static member (option
// instance_id) stays in the group until its session ends.
func (in *Input) Close(ctx context.Context) error { return in.shutdown(ctx) }

func (in *Input) shutdown(ctx context.Context) error {
	if in.client != nil {
		in.watch()
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

// fail ends the input with an error of a callback.
func (in *Input) fail(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.failed == nil {
		in.failed = err
	}
	in.wakeUp()
}

func (in *Input) now() time.Time {
	if in.env.Now == nil {
		return time.Now()
	}
	return in.env.Now()
}

func (in *Input) logger() *slog.Logger {
	if in.env.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return in.env.Logger
}
