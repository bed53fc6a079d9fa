package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
)

// topicStore keeps the positions of a pipeline in the topic of positions. Each
// Save is a transaction under the transactional id that the pipeline has in
// exactly_once, too: all of its positions are there or none, all replicas in
// sync have them, and whoever begins last under the id fences the others
// (Invariant 2). It is used by one goroutine at a time.
type topicStore struct {
	topic    positionsTopic
	client   *kgo.Client   // nil before Load and after Close
	acquired bool          // the connection
	held     producerEpoch // as it last wrote
	failed   bool          // the producer can write nothing more; there may be another
	lost     error         // nothing can be stored any more
}

// Bounds of one Save: how long it tries, so that a commit does not hang with a
// broker, and the pause between two tries.
const (
	saveWait  = 10 * time.Second
	savePause = 250 * time.Millisecond
)

// PositionsIn implements checkpoint.System.
func (c *Connection) PositionsIn() string { return c.Stream(c.config.PositionsTopic) }

// NoPositions implements checkpoint.System.
func (c *Connection) NoPositions() string {
	if c.Embedded() {
		return "Its broker runs inside this process, for demos: no other process can go on there, and a power cut may take what it has confirmed. Leave checkpoint out, or name a cluster's connection."
	}
	return ""
}

// Positions implements checkpoint.System.
func (c *Connection) Positions(env engine.Env, pipeline string) checkpoint.Store {
	return &topicStore{topic: c.positionsTopic(env, pipeline)}
}

// PeekPositions implements checkpoint.System.
func (c *Connection) PeekPositions(ctx context.Context, env engine.Env, pipeline string) (*checkpoint.Listing, error) {
	if err := c.Acquire(ctx); err != nil {
		return nil, err
	}
	defer func() { _ = c.Release() }()
	client, err := c.Client(env)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	t := c.positionsTopic(env, pipeline)
	found, err := describeTopics(ctx, client, []string{t.name()}, nil)
	if err == nil && len(found) == 1 && errors.Is(found[0].err, kerr.UnknownTopicOrPartition) {
		return &checkpoint.Listing{}, nil
	}
	if err != nil {
		return nil, Classify("looking at topic "+t.name(), err)
	}
	return t.list(ctx, client)
}

// Load implements checkpoint.Store. From here on the process that had the store
// can change nothing: only then is the topic read. A second Load reads again
// and takes nothing over.
func (s *topicStore) Load(ctx context.Context) (map[string]engine.Position, error) {
	if s.lost != nil {
		return nil, s.lost
	}
	if s.client != nil {
		return s.topic.read(ctx, s.client)
	}
	if err := s.topic.conn.Acquire(ctx); err != nil {
		return nil, err
	}
	s.acquired = true
	positions, err := s.open(ctx)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return positions, nil
}

func (s *topicStore) open(ctx context.Context) (map[string]engine.Position, error) {
	if err := s.connect(); err != nil {
		return nil, err
	}
	if err := s.topic.prepare(ctx, s.client); err != nil {
		return nil, err
	}
	var err error
	if s.held.id, s.held.epoch, err = s.client.ProducerID(ctx); err != nil {
		return nil, Classify("taking over the positions of the pipeline, as "+s.name(), err)
	}
	if err := s.endHanging(ctx); err != nil {
		return nil, Classify("ending what was left open in topic "+s.topic.name(), err)
	}
	return s.topic.read(ctx, s.client)
}

// endHanging ends what the brokers have forgotten to end in the topic of a
// transaction under this id (KAFKA-20734), which nobody could read past: the
// end of a later one of the same producer ends it, too. It is taken back, since
// who delivered exactly once may have taken back the records that go with it.
func (s *topicStore) endHanging(ctx context.Context) error {
	adm := kadm.NewClient(s.client)
	stable, err := adm.ListCommittedOffsets(ctx, s.topic.name())
	if err == nil {
		err = stable.Error()
	}
	if err != nil {
		return err
	}
	ends, err := adm.ListEndOffsets(ctx, s.topic.name())
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return err
	}
	at, _ := stable.Lookup(s.topic.name(), 0)
	end, _ := ends.Lookup(s.topic.name(), 0)
	if at.Offset >= end.Offset {
		return nil
	}
	if err := s.client.BeginTransaction(); err != nil {
		return err
	}
	nothing := &kgo.Record{Topic: s.topic.name(), Key: positionKey(s.topic.pipeline, "")}
	if err := s.client.ProduceSync(ctx, nothing).FirstErr(); err != nil {
		return err
	}
	return s.client.EndTransaction(ctx, kgo.TryAbort)
}

// connect makes a client, which takes nothing over before it is used.
func (s *topicStore) connect() error {
	// Under the first version of transactions the epoch of a producer changes
	// only when somebody begins anew, which is what renew goes by.
	versions := kversion.Stable()
	versions.SetMaxKeyVersion(int16(kmsg.Produce), 11)
	versions.SetMaxKeyVersion(int16(kmsg.EndTxn), 4)
	client, err := s.topic.conn.Client(s.topic.env,
		kgo.TransactionalID(s.name()),
		kgo.TransactionTimeout(s.topic.conn.config.TransactionTimeout),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(0),
		kgo.MaxVersions(versions),
	)
	if err == nil {
		s.client = client
	}
	return err
}

// name is the transactional id.
func (s *topicStore) name() string { return s.topic.conn.transactionalID(s.topic.pipeline) }

// transactionalID is that of a pipeline of which one process runs.
func (c *Connection) transactionalID(pipeline string) string {
	return c.config.TransactionalID + pipeline
}

// Save implements checkpoint.Store.
func (s *topicStore) Save(ctx context.Context, changed map[string]engine.Position) error {
	if s.lost != nil {
		return s.lost
	}
	if len(changed) == 0 {
		return nil
	}
	recs, err := s.topic.records(changed)
	if err != nil {
		return err
	}
	return s.put(ctx, recs)
}

// Forget implements checkpoint.Resetter.
func (s *topicStore) Forget(ctx context.Context, keys []string) error {
	if s.lost != nil {
		return s.lost
	}
	if len(keys) == 0 {
		return nil
	}
	return s.put(ctx, s.topic.tombstones(keys))
}

// put writes records, as often as it takes within the time of a Save.
func (s *topicStore) put(ctx context.Context, recs []*kgo.Record) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, saveWait, fmt.Errorf("the brokers have not answered for %s", saveWait))
	defer cancel()
	for {
		if err = s.try(ctx, recs); err == nil {
			return nil
		}
		if ctx.Err() != nil || errors.Is(err, errTaken) || FatalLater(err) {
			break
		}
		select {
		case <-time.After(savePause):
		case <-ctx.Done():
		}
	}
	err = wrap("writing to "+s.topic.conn.PositionsIn(), err)
	if errors.Is(err, errTaken) {
		s.lost = &checkpoint.LostError{Err: err}
		return s.lost
	}
	return err
}

// try writes records, with another producer if the one that is there has failed
// or does so.
func (s *topicStore) try(ctx context.Context, recs []*kgo.Record) error {
	if !s.failed {
		if err := s.write(ctx, recs); err == nil || !s.failed {
			return err
		}
	}
	if err := s.renew(ctx); err != nil {
		return err
	}
	return s.write(ctx, recs)
}

// errTaken ends the use of the store.
var errTaken = errors.New("another process has begun to run this pipeline and has taken its positions over. It goes on at the last position that was stored; this one ends")

// renew begins anew with a producer that has failed, if nobody else has taken
// over since (nextEpoch).
func (s *topicStore) renew(ctx context.Context) error {
	doing := "beginning anew as " + s.name()
	next, err := nextEpoch(ctx, s.client, s.name(), s.topic.conn.config.TransactionTimeout, s.held)
	if fenced(err) {
		return fmt.Errorf("%w (%s: %w)", errTaken, doing, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	s.held = next
	// The client cannot be given an epoch: another one takes the next by itself.
	// If it is not the next, somebody else took that one in between, and what
	// they have stored must stay.
	old := s.client
	if err := s.connect(); err != nil {
		return err
	}
	old.Close()
	id, epoch, err := s.client.ProducerID(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if id != s.held.id || epoch != s.held.epoch+1 {
		return fmt.Errorf("%w (%s: epoch %d does not follow %d)", errTaken, doing, epoch, s.held.epoch)
	}
	s.held.epoch, s.failed = epoch, false
	return nil
}

// write commits records in a transaction. What a Save before has left behind is
// taken back first.
func (s *topicStore) write(ctx context.Context, recs []*kgo.Record) error {
	if err := s.release(ctx); err != nil {
		// The client can forget a record for ever (outputs/kafka, watch). It has
		// had all the time of a Save: another one is the way on.
		s.failed = true
		return err
	}
	err := s.end(ctx)
	if err == nil {
		// Asked before the transaction begins, which would ask without an end.
		var id int64
		var epoch int16
		if id, epoch, err = s.client.ProducerID(ctx); err == nil {
			s.held = producerEpoch{id, epoch}
			err = s.client.BeginTransaction()
		}
	}
	if err != nil {
		var answer *kerr.Error
		s.failed = errors.As(err, &answer) && !answer.Retriable
		return err
	}
	results := make(chan error, len(recs))
	for _, r := range recs {
		s.client.Produce(ctx, r, func(_ *kgo.Record, err error) { results <- err })
	}
	var failed error
	for range recs {
		select {
		case err := <-results:
			failed = errors.Join(failed, err)
		case <-ctx.Done(): // a client may hold on to what a broker might have
			failed = context.Cause(ctx)
		}
		if failed != nil {
			break
		}
	}
	if failed == nil {
		failed = s.client.EndTransaction(ctx, kgo.TryCommit)
	}
	if failed == nil {
		return nil
	}
	s.failed = fenced(failed)
	// With the time of the Save over this fails, too, and the next one does it.
	if s.release(ctx) == nil {
		_ = s.end(ctx)
	}
	return failed
}

// release waits until the client holds no record any more. It sends none that
// it has not sent yet.
func (s *topicStore) release(ctx context.Context) error {
	if err := s.client.AbortBufferedRecords(ctx); err != nil {
		return fmt.Errorf("taking back what was not stored: %w", err)
	}
	return nil
}

// end takes an open transaction back; without one it does nothing.
func (s *topicStore) end(ctx context.Context) error {
	if err := s.client.EndTransaction(ctx, kgo.TryAbort); err != nil {
		return fmt.Errorf("taking back what was not stored: %w", err)
	}
	return nil
}

// Close implements checkpoint.Store. It leaves no transaction open but one
// that a Save could not end.
func (s *topicStore) Close() error {
	if s.client != nil {
		s.client.Close()
		s.client = nil
	}
	if !s.acquired {
		return nil
	}
	s.acquired = false
	if err := s.topic.conn.Release(); err != nil {
		return fmt.Errorf("closing the connection: %w", err)
	}
	return nil
}

var (
	_ checkpoint.System   = (*Connection)(nil)
	_ checkpoint.Resetter = (*topicStore)(nil)
)
