package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
)

// The topic of positions holds one record for each source of a pipeline: its key
// is the JSON array [pipeline, element and source], its value the position. The
// topic is compacted, so the last one of each stays. It has one partition: the
// last one is then the same for all who look, whatever put it there. Pipelines
// that deliver exactly once write it in the transaction of their records
// (Session), the others in one of its own (topicStore).

// positionKey is the key of a position.
func positionKey(pipeline, source string) []byte {
	key, _ := json.Marshal([2]string{pipeline, source}) // strings always can
	return key
}

// positionsTopic is the topic of positions as one pipeline uses it.
type positionsTopic struct {
	conn     *Connection
	env      engine.Env
	pipeline string
	logger   *slog.Logger
}

func (c *Connection) positionsTopic(env engine.Env, pipeline string) positionsTopic {
	t := positionsTopic{conn: c, env: env, pipeline: pipeline, logger: env.Logger}
	if t.logger == nil {
		t.logger = slog.New(slog.DiscardHandler)
	}
	return t
}

func (t positionsTopic) name() string { return t.conn.config.PositionsTopic }

// records are what stores positions.
func (t positionsTopic) records(positions map[string]engine.Position) ([]*kgo.Record, error) {
	recs := make([]*kgo.Record, 0, len(positions))
	for source, p := range positions {
		value, err := json.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("position of %s: %w", source, err)
		}
		recs = append(recs, &kgo.Record{Topic: t.name(), Partition: -1, Key: positionKey(t.pipeline, source), Value: value})
	}
	return recs, nil
}

// tombstones are what removes positions.
func (t positionsTopic) tombstones(sources []string) []*kgo.Record {
	recs := make([]*kgo.Record, 0, len(sources))
	for _, source := range sources {
		recs = append(recs, &kgo.Record{Topic: t.name(), Partition: -1, Key: positionKey(t.pipeline, source)})
	}
	return recs
}

// writePositions adds positions to the open transaction.
func (s *Session) writePositions(ctx context.Context, positions map[string]engine.Position) error {
	recs, err := s.conn.positionsTopic(s.env, s.pipeline).records(positions)
	if err != nil {
		return err
	}
	return s.client.ProduceSync(ctx, recs...).FirstErr()
}

// readPositions reads what was committed last. It is called when this producer
// has ended all transactions of the process before.
func (s *Session) readPositions(ctx context.Context) (map[string]engine.Position, error) {
	t := s.conn.positionsTopic(s.env, s.pipeline)
	if err := t.prepare(ctx, s.control); err != nil {
		return nil, err
	}
	return t.read(ctx, s.control)
}

// read reads what was committed last. It waits for transactions of other
// pipelines that are open in the topic: what lies behind them cannot be read
// before.
func (t positionsTopic) read(ctx context.Context, client *kgo.Client) (map[string]engine.Position, error) {
	l, err := t.list(ctx, client)
	if err != nil {
		return nil, err
	}
	return l.Positions, nil
}

// list is read with the times of the records.
func (t positionsTopic) list(ctx context.Context, client *kgo.Client) (*checkpoint.Listing, error) {
	doing := "reading positions from topic " + t.name()
	adm := kadm.NewClient(client)
	starts, err := adm.ListStartOffsets(ctx, t.name())
	if err == nil {
		err = starts.Error()
	}
	var ends kadm.ListedOffsets
	if err == nil {
		if ends, err = adm.ListEndOffsets(ctx, t.name()); err == nil { // of all records, committed or not
			err = ends.Error()
		}
	}
	if err != nil {
		return nil, Classify(doing, err)
	}
	from, left := map[int32]kgo.Offset{}, map[int32]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		start, ok := starts.Lookup(t.name(), end.Partition)
		if ok && start.Offset < end.Offset {
			from[end.Partition] = kgo.NewOffset().At(start.Offset)
			left[end.Partition] = end.Offset
		}
	})
	all := &checkpoint.Listing{Positions: map[string]engine.Position{}, Stored: map[string]time.Time{}}
	if len(left) == 0 {
		return all, nil
	}
	reader, err := t.conn.Client(t.env,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{t.name(): from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // the last record may be a marker
	)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	for len(left) > 0 {
		fetches, quiet := pollFor(ctx, reader, readPatience)
		if quiet {
			t.explainWait(ctx, adm, left)
			continue
		}
		if err := fetches.Err(); err != nil {
			return nil, Classify(doing, err)
		}
		var bad error
		fetches.EachRecord(func(r *kgo.Record) {
			if end, ok := left[r.Partition]; ok && r.Offset >= end-1 {
				delete(left, r.Partition)
			}
			if err := t.take(r, all); err != nil && bad == nil {
				bad = fmt.Errorf("%s: record %d of partition %d: %w", doing, r.Offset, r.Partition, err)
			}
		})
		if bad != nil {
			return nil, bad
		}
	}
	return all, nil
}

// readPatience is how long nothing may come before it is said why.
const readPatience = 5 * time.Second

// pollFor polls for so long at most; quiet: nothing has come.
func pollFor(ctx context.Context, cl *kgo.Client, most time.Duration) (fetches kgo.Fetches, quiet bool) {
	within, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	fetches = cl.PollFetches(within)
	return fetches, within.Err() != nil && ctx.Err() == nil && fetches.NumRecords() == 0
}

// explainWait says what is waited for: somebody's open transaction, which the
// brokers end in time.
func (t positionsTopic) explainWait(ctx context.Context, adm *kadm.Client, left map[int32]int64) {
	stable, err := adm.ListCommittedOffsets(ctx, t.name())
	if err == nil {
		err = stable.Error()
	}
	if err != nil {
		t.logger.Warn("waiting for positions", "topic", t.name(), "cause", err)
		return
	}
	for partition, end := range left {
		if at, ok := stable.Lookup(t.name(), partition); ok && at.Offset < end {
			t.logger.Warn("waiting for positions: a transaction is open in the topic, which its writer or, after its time, the brokers end; if they do not, kafka-transactions.sh find-hanging has it", "topic", t.name(), "open_at", at.Offset, "end", end)
		} else {
			t.logger.Warn("waiting for positions: the brokers send nothing", "topic", t.name(), "end", end)
		}
	}
}

// take reads one record of the topic.
func (t positionsTopic) take(r *kgo.Record, all *checkpoint.Listing) error {
	if r.Attrs.IsControl() {
		return nil
	}
	var key [2]string
	if err := json.Unmarshal(r.Key, &key); err != nil {
		return errors.New("its key is none that flow writes; give positions_topic a topic of its own")
	}
	if key[0] != t.pipeline {
		return nil
	}
	all.Last = r.Timestamp
	if r.Value == nil {
		delete(all.Positions, key[1])
		delete(all.Stored, key[1])
		return nil
	}
	var p engine.Position
	if err := json.Unmarshal(r.Value, &p); err != nil {
		return fmt.Errorf("its value is no position: %w", err)
	}
	all.Positions[key[1]], all.Stored[key[1]] = p, r.Timestamp
	return nil
}

// Copies of a topic of positions that flow makes, where there are so many
// brokers; of three, two must have a position before it counts as stored.
const (
	positionsCopies = 3
	positionsInSync = "2"
	compact         = "compact"
)

// plan says how the topic is made in a cluster of so many brokers.
func (t positionsTopic) plan(brokers int) (copies int16, configs map[string]*string) {
	policy, inSync := compact, positionsInSync
	configs = map[string]*string{"cleanup.policy": &policy}
	copies = int16(min(max(brokers, 1), positionsCopies))
	if copies == positionsCopies {
		configs["min.insync.replicas"] = &inSync
	}
	return copies, configs
}

// prepare creates the topic of positions, or checks the one that is there.
func (t positionsTopic) prepare(ctx context.Context, client *kgo.Client) error {
	doing := "looking at topic " + t.name() + ", which positions_topic names"
	found, err := describeTopics(ctx, client, []string{t.name()}, nil)
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("the brokers answered for %d topics", len(found))
	}
	if err != nil {
		return Classify(doing, err)
	}
	state := &found[0]
	if errors.Is(state.err, kerr.UnknownTopicOrPartition) {
		return t.create(ctx, client)
	}
	if state.err != nil {
		return Classify(doing, state.err)
	}
	if wrong, remedy := state.noPositions(); wrong != "" {
		return fmt.Errorf("topic %s, which positions_topic names, %s. %s", t.name(), wrong, strings.TrimSuffix(remedy, "."))
	}
	adm := kadm.NewClient(client)
	if brokers, err := adm.BrokerMetadata(ctx); err == nil {
		if want, _ := t.plan(len(brokers.Brokers)); len(state.parts[0].Replicas) < int(want) {
			t.logger.Warn("the topic of positions has few copies: positions are lost with its broker", "topic", t.name(), "copies", len(state.parts[0].Replicas), "brokers", len(brokers.Brokers))
		}
	}
	return nil
}

func (t positionsTopic) create(ctx context.Context, client *kgo.Client) error {
	adm := kadm.NewClient(client)
	brokers, err := adm.BrokerMetadata(ctx)
	if err == nil {
		copies, configs := t.plan(len(brokers.Brokers))
		var resp kadm.CreateTopicResponse
		if resp, err = adm.CreateTopic(ctx, 1, copies, configs, t.name()); err == nil {
			err = resp.Err
		}
	}
	switch {
	case err == nil:
		t.logger.Info("created the topic of positions", "topic", t.name())
		return nil
	case errors.Is(err, kerr.TopicAlreadyExists): // by another process just now
		return engine.Retry(fmt.Errorf("creating topic %s: %w", t.name(), err))
	}
	return Classify("creating topic "+t.name()+", which positions_topic names", err)
}

// noPositions says why the topic, which is there, cannot hold positions, as
// what follows its name, and what to do; empty: it can.
func (t *topicState) noPositions() (wrong, remedy string) {
	if len(t.parts) != 1 {
		return fmt.Sprintf("has %d partitions, and positions need an order over all of them", len(t.parts)), "Name a topic with one partition, or one that is not there yet."
	}
	if t.configs == nil {
		return "", "" // no right to look
	}
	if policy := t.configs["cleanup.policy"]; policy != compact {
		return "has cleanup.policy=" + policy + ": positions would be deleted with age", "Set it to compact, or name another topic."
	}
	return "", ""
}
