package kafka

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/flowrecords/flow/engine"
)

// Session is the transactional producer that all outputs of a pipeline share
// which write over one connection (engine.Transaction). Any goroutine may call
// Client, Begin, Wrote and the like; the engine calls Open, Commit and Close,
// one at a time.
type Session struct {
	conn     *Connection
	pipeline string
	suffix   string // of the transactional id of a process among several

	// Set before Open.
	settings engine.TransactionSettings
	env      engine.Env
	makers   []func() []kgo.Opt
	limits   []func(topic string) int32

	second  bool        // the cluster has the second version of transactions
	client  *kgo.Client // nil before Open and after Close
	control *kgo.Client // for requests that the producer does not make by itself

	acquired bool // the connection
	placed   bool // the id was taken and not given up: Open asks whether it is still this process's

	careful atomic.Bool // a record was refused: write one by one until a commit has worked

	giving sync.WaitGroup // overdue has begun and may not be over

	// mu guards the following.
	mu      sync.Mutex
	overdue *time.Timer // of the open transaction; nil: none
	stuck   bool        // the coordinator lets nothing of the id come to an end

	begun  bool          // a transaction is open
	wrote  bool          // a broker has taken a record of it
	began  producerEpoch // of the open transaction
	held   producerEpoch // as last known
	unsure bool          // a request had no answer: brokers may have given more epochs than held

	// Positions as of the last commit, and those of one whose end is not known.
	stored, maybe map[string]engine.Position

	broken error // ends the run: nothing may be written any more
}

// Session returns the session of a pipeline over this connection, making it at
// first use. It does no I/O.
func (c *Connection) Session(pipeline string) *Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sessions[pipeline]
	if s == nil {
		s = &Session{conn: c, pipeline: pipeline, suffix: newSuffix()}
		if c.sessions == nil {
			c.sessions = map[string]*Session{}
		}
		c.sessions[pipeline] = s
	}
	return s
}

func newSuffix() string {
	var suffix [8]byte
	_, _ = rand.Read(suffix[:]) // never fails
	return hex.EncodeToString(suffix[:])
}

// reset forgets the outputs of a run before: those of the next join before its
// Open, and Close comes after all.
func (s *Session) reset() { s.makers, s.limits = nil, nil }

// Join adds an output before Open. options are those of its producer, which are
// the same for all; limit is the largest batch of a topic that it knows.
func (s *Session) Join(env engine.Env, settings engine.TransactionSettings, options func() []kgo.Opt, limit func(topic string) int32) {
	s.env, s.settings = env, settings
	s.makers = append(s.makers, options)
	s.limits = append(s.limits, limit)
}

// ID is the transactional id. Processes that share the work must each have one
// of their own, and the group tells the late ones apart; where the positions
// lie in the topic of positions it must stay, so that a start ends what the
// process before has left.
func (s *Session) ID() string {
	id := s.conn.transactionalID(s.pipeline)
	if s.settings.Shared {
		id += "-" + s.suffix
	}
	return id
}

// Topics are those that take part in transactions beside what outputs write to.
func (s *Session) Topics() []string {
	if s.settings.Shared {
		return []string{"__transaction_state", "__consumer_offsets"}
	}
	return []string{"__transaction_state", s.conn.config.PositionsTopic}
}

// Open implements engine.Transaction.
func (s *Session) Open(ctx context.Context) (map[string]engine.Position, error) {
	s.shut()
	if err := s.conn.Acquire(ctx); err != nil {
		return nil, err
	}
	s.acquired = true
	positions, err := s.open(ctx)
	if err != nil {
		s.shut()
	}
	return positions, err
}

func (s *Session) open(ctx context.Context) (map[string]engine.Position, error) {
	s.mu.Lock()
	s.begun, s.wrote, s.broken = false, false, nil
	if s.stuck {
		s.stuck, s.suffix = false, newSuffix()
	}
	s.mu.Unlock()
	if err := s.command(ctx); err != nil {
		return nil, err
	}
	if s.placed && !s.settings.Shared {
		if err := s.stillMine(ctx); err != nil {
			return nil, err
		}
	}
	opts := s.makers[0]()
	opts = append(opts,
		kgo.TransactionalID(s.ID()),
		kgo.TransactionTimeout(s.timeout()),
		kgo.ProducerBatchMaxBytesFn(s.limit),
	)
	var err error
	if s.client, err = s.conn.Client(s.env, opts...); err != nil {
		return nil, err
	}
	s.doubt(true) // the client asks as often as it takes, and tells of the last answer only
	if err := s.endOthers(ctx); err != nil {
		return nil, err
	}
	if _, err := s.note(ctx); err != nil {
		return nil, Classify("beginning as "+s.ID(), err)
	}
	s.doubt(false)
	s.placed = true
	if s.settings.Shared {
		return nil, nil
	}
	positions, err := s.readPositions(ctx)
	if err == nil {
		s.stored, s.maybe = maps.Clone(positions), nil
	}
	return positions, err
}

// command makes the client for requests that the producer does not make by
// itself. Under the second version of transactions a group's part is added with
// its positions, and every request must speak that version: a coordinator that
// is asked in both ways may leave a transaction open for ever. Before, it is
// added by a request of its own.
func (s *Session) command(ctx context.Context) error {
	probe, err := s.conn.Client(s.env)
	if err != nil {
		return err
	}
	defer probe.Close()
	if err := probe.Ping(ctx); err != nil {
		return Classify("connecting to Kafka", err)
	}
	resp, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, probe)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		return Classify("asking which transactions the cluster knows", err)
	}
	s.second = false
	for _, f := range resp.FinalizedFeatures {
		s.second = s.second || f.Name == "transaction.version" && f.MaxVersionLevel >= 2
	}
	versions := kversion.Stable()
	versions.SetMaxKeyVersion(keyTxnOffsetCommit, 4)
	if s.second {
		// The next one names topics by their ids.
		versions.SetMaxKeyVersion(keyTxnOffsetCommit, 5)
	}
	s.control, err = s.conn.Client(s.env, kgo.MaxVersions(versions))
	return err
}

const keyTxnOffsetCommit = 28

// limit is the smallest of what the outputs know.
func (s *Session) limit(topic string) int32 {
	least := s.limits[0](topic)
	for _, f := range s.limits[1:] {
		least = min(least, f(topic))
	}
	return least
}

// Client is the producer; valid from Open to Close.
func (s *Session) Client() *kgo.Client { return s.client }

// Careful says that records have to be written one by one, so that the broker's
// answer is about that record: a refusal has ended the transaction before.
func (s *Session) Careful() bool { return s.careful.Load() }

// Begin makes sure that a transaction is open.
func (s *Session) Begin(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	if s.begun {
		return nil
	}
	id, epoch, err := s.client.ProducerID(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return s.breaks("beginning a transaction", err)
	}
	if err := s.client.BeginTransaction(); err != nil {
		return s.breaks("beginning a transaction", err)
	}
	s.held = producerEpoch{id, epoch}
	s.begun, s.wrote, s.began = true, false, s.held
	s.watch()
	return nil
}

// Wrote says that a broker has taken a record.
func (s *Session) Wrote() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrote = true
}

// Failed turns the end of a record that the client has given up into the error
// that ends the run: what else of the transaction is written is not known, and
// writing it again would have it twice.
func (s *Session) Failed(doing string, err error, refused bool) error {
	if refused {
		s.careful.Store(true)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.breaks(doing, err)
}

// breaks needs mu.
func (s *Session) breaks(doing string, err error) error {
	if s.broken == nil {
		s.broken = s.fatal(doing, err)
	}
	return s.broken
}

// fatal sorts an error into one that a new run gets over and one that stays.
func (s *Session) fatal(doing string, err error) error {
	// Who is fenced because a transaction stood open for too long goes on; the
	// next Open finds out whether it is that (stillMine).
	if !s.settings.Shared && fenced(err) {
		return engine.Restart(fmt.Errorf("%s: the transaction was open for longer than commit_interval and transaction_timeout, or another process has begun to write as %s: %w", doing, s.ID(), err))
	}
	if FatalLater(err) && !errors.Is(err, kgo.ErrClientClosed) {
		return wrap(doing, err)
	}
	return engine.Restart(fmt.Errorf("%s: %w", doing, err))
}

// endWait bounds the end of a transaction. It is not cut short by the end of
// the run: whether it has worked would not be known then.
const endWait = 20 * time.Second

// Commit implements engine.Transaction.
func (s *Session) Commit(ctx context.Context, positions map[string]engine.Position, offers []any) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWait)
	defer cancel()
	if len(positions) > 0 {
		if err := s.Begin(ctx); err != nil {
			return err
		}
		if err := s.writePositions(ctx, positions); err != nil {
			return s.Failed("writing positions to topic "+s.conn.config.PositionsTopic, err, false)
		}
		s.Wrote()
	}
	s.mu.Lock()
	s.onTime()
	begun, wrote, broken := s.begun, s.wrote, s.broken
	s.mu.Unlock()
	switch {
	case broken != nil:
		return broken
	case !begun:
		return nil // the groups are told without a transaction
	case !wrote: // every record was refused, which a commit may follow
		s.careful.Store(false)
		return s.end(ctx, kgo.TryAbort)
	}
	for _, o := range offers {
		if err := s.commitGroup(ctx, o.(*GroupOffsets)); err != nil {
			return s.Failed("committing positions of group "+o.(*GroupOffsets).Group, err, false)
		}
	}
	held, err := s.note(ctx)
	if err == nil && held != s.began {
		// The client does so when brokers have forgotten it. The first part of
		// the transaction was taken back with that.
		err = errors.New("the producer was given a new id within the transaction")
	}
	if err != nil {
		return s.Failed("ending the transaction", err, false)
	}
	s.maybe = positions
	if err := s.end(ctx, kgo.TryCommit); err != nil {
		return err
	}
	s.keep(positions)
	s.careful.Store(false)
	for _, o := range offers {
		o.(*GroupOffsets).Done()
	}
	return nil
}

func (s *Session) end(ctx context.Context, try kgo.TransactionEndTry) error {
	err := s.client.EndTransaction(ctx, try)
	if err == nil {
		_, _ = s.note(ctx) // what it may miss is one step, which stillMine allows for
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun, s.wrote = false, false
	if err != nil {
		s.unsure = s.unsure || !fenced(err)
		s.stuck = errors.Is(err, kerr.ConcurrentTransactions)
		return s.breaks("ending the transaction", err)
	}
	return nil
}

// Close implements engine.Transaction. What it cannot take back the broker does
// at the end of the transaction's time, or the next start.
func (s *Session) Close(ctx context.Context) error {
	s.mu.Lock()
	s.onTime()
	begun := s.begun
	s.placed = s.placed && s.broken != nil
	s.mu.Unlock()
	s.giving.Wait()
	if begun && s.client != nil {
		ctx, cancel := context.WithTimeout(ctx, closeWait)
		err := s.client.AbortBufferedRecords(ctx)
		if err == nil {
			err = s.client.EndTransaction(ctx, kgo.TryAbort)
		}
		if err == nil {
			_, _ = s.note(ctx)
		}
		cancel()
		if err != nil {
			if !fenced(err) {
				s.doubt(true)
			}
			s.logger().Info("the open transaction is left to the brokers to take back", "transactional_id", s.ID(), "cause", err)
		}
	}
	s.shut()
	s.reset()
	return nil
}

const closeWait = 5 * time.Second

func (s *Session) shut() {
	if !s.acquired {
		return
	}
	if s.control != nil {
		s.control.Close()
	}
	if s.client != nil {
		s.client.Close()
	}
	s.control, s.client, s.acquired = nil, nil, false
	if err := s.conn.Release(); err != nil {
		s.logger().Warn("closing the connection", "error", err)
	}
}

func (s *Session) logger() *slog.Logger {
	if s.env.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.env.Logger
}

// transactionalProblems checks the options of transactions.
func (c *Config) transactionalProblems() []engine.Problem {
	if err := engine.CheckTopic(c.PositionsTopic); err != nil {
		return []engine.Problem{{Option: "positions_topic", Summary: "invalid name of a topic", Detail: "Name a topic, such as flow-positions."}}
	}
	return nil
}

// Cancel gives up everything that outputs have handed over and no broker has
// answered. It is for the end of a run: the transaction is then taken back.
func (s *Session) Cancel(ctx context.Context) {
	s.cancel(ctx, errors.New("the run has ended"))
}

func (s *Session) cancel(ctx context.Context, cause error) {
	_ = s.Failed("writing to Kafka", cause, false)
	if err := s.client.AbortBufferedRecords(ctx); err != nil {
		s.client.Close() // ends them, too
	}
}
