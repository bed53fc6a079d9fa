package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/engine"
)

// The topic of positions holds one record for each source of a pipeline: its key
// is the JSON array [pipeline, element and source], its value the position. The
// topic is compacted, so the last one of each stays.

// positionKey is the key of a position.
func positionKey(pipeline, source string) []byte {
	key, _ := json.Marshal([2]string{pipeline, source}) // strings always can
	return key
}

// writePositions adds positions to the open transaction.
func (s *Session) writePositions(ctx context.Context, positions map[string]engine.Position) error {
	recs := make([]*kgo.Record, 0, len(positions))
	for source, p := range positions {
		value, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("position of %s: %w", source, err)
		}
		recs = append(recs, &kgo.Record{Topic: s.conn.config.PositionsTopic, Partition: -1, Key: positionKey(s.pipeline, source), Value: value})
	}
	return s.client.ProduceSync(ctx, recs...).FirstErr()
}

// readPositions reads what was committed last. It is called when this producer
// has ended all transactions of the process before, and waits for those of
// other pipelines that are open in the topic: what lies behind them cannot be
// read before.
func (s *Session) readPositions(ctx context.Context) (map[string]engine.Position, error) {
	topic := s.conn.config.PositionsTopic
	if err := s.makeTopic(ctx, topic); err != nil {
		return nil, err
	}
	doing := "reading positions from topic " + topic
	adm := kadm.NewClient(s.control)
	starts, err := adm.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	var ends kadm.ListedOffsets
	if err == nil {
		if ends, err = adm.ListEndOffsets(ctx, topic); err == nil { // of all records, committed or not
			err = ends.Error()
		}
	}
	if err != nil {
		return nil, Classify(doing, err)
	}
	from, left := map[int32]kgo.Offset{}, map[int32]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		start, ok := starts.Lookup(topic, end.Partition)
		if ok && start.Offset < end.Offset {
			from[end.Partition] = kgo.NewOffset().At(start.Offset)
			left[end.Partition] = end.Offset
		}
	})
	if len(left) == 0 {
		return nil, nil
	}
	client, err := s.conn.Client(s.env,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // the last record may be a marker
	)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	positions := map[string]engine.Position{}
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, Classify(doing, err)
		}
		var bad error
		fetches.EachRecord(func(r *kgo.Record) {
			if end, ok := left[r.Partition]; ok && r.Offset >= end-1 {
				delete(left, r.Partition)
			}
			if err := s.take(r, positions); err != nil && bad == nil {
				bad = fmt.Errorf("%s: record %d of partition %d: %w", doing, r.Offset, r.Partition, err)
			}
		})
		if bad != nil {
			return nil, bad
		}
	}
	return positions, nil
}

// take reads one record of the topic.
func (s *Session) take(r *kgo.Record, positions map[string]engine.Position) error {
	if r.Attrs.IsControl() {
		return nil
	}
	var key [2]string
	if err := json.Unmarshal(r.Key, &key); err != nil {
		return errors.New("its key is none that flow writes; give positions_topic a topic of its own")
	}
	if key[0] != s.pipeline {
		return nil
	}
	if r.Value == nil {
		delete(positions, key[1])
		return nil
	}
	var p engine.Position
	if err := json.Unmarshal(r.Value, &p); err != nil {
		return fmt.Errorf("its value is no position: %w", err)
	}
	positions[key[1]] = p
	return nil
}

// makeTopic creates the topic of positions, or checks the one that is there.
func (s *Session) makeTopic(ctx context.Context, topic string) error {
	adm := kadm.NewClient(s.control)
	compact := "compact"
	resp, err := adm.CreateTopic(ctx, 1, -1, map[string]*string{"cleanup.policy": &compact}, topic)
	if err == nil {
		err = resp.Err
	}
	if err == nil {
		s.logger().Info("created the topic of positions", "topic", topic)
		return nil
	}
	if !errors.Is(err, kerr.TopicAlreadyExists) {
		if errors.Is(err, kerr.TopicAuthorizationFailed) || errors.Is(err, kerr.ClusterAuthorizationFailed) {
			if there, lookErr := adm.ListTopics(ctx, topic); lookErr == nil && there.Error() == nil && there.Has(topic) {
				return nil // somebody has made it, and knew why
			}
		}
		return Classify("creating topic "+topic+", which positions_topic names", err)
	}
	configs, err := adm.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return Classify("looking at topic "+topic, err)
	}
	for _, c := range configs {
		if c.Err != nil {
			return nil // no right to look
		}
		for _, kv := range c.Configs {
			if kv.Key == "cleanup.policy" && kv.Value != nil && *kv.Value != compact {
				return fmt.Errorf("topic %s, which positions_topic names, has cleanup.policy=%s: positions would be deleted with age. Set it to compact, or name another topic", topic, *kv.Value)
			}
		}
	}
	return nil
}
