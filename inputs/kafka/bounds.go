package kafka

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// startOffset reads the start option.
func startOffset(s string) (kgo.Offset, bool) {
	switch s {
	case "earliest":
		return kgo.NewOffset().AtStart(), true
	case "latest":
		return kgo.NewOffset().AtEnd(), true
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return kgo.Offset{}, false
	}
	return kgo.NewOffset().AfterMilli(t.UnixMilli()), true
}

// anchored makes a pattern match whole names, as topics_regex promises. The
// client matches it anywhere in a name.
func anchored(p engine.Pattern) string { return "^(?:" + p.String() + ")$" }

// findTopics returns the topics that the input reads now. Missing ones are
// waited for: a bounded input cannot begin without them.
func (in *Input) findTopics(ctx context.Context, client *kgo.Client) ([]string, error) {
	found, err := kadm.NewClient(client).ListTopics(ctx, in.config.Topics...)
	if err != nil {
		return nil, connkafka.Classify("listing topics", err)
	}
	var names []string
	if len(in.config.Topics) == 0 {
		re := regexp.MustCompile(anchored(in.config.TopicsRegex))
		for _, t := range found {
			if t.Err == nil && !t.IsInternal && re.MatchString(t.Topic) {
				names = append(names, t.Topic)
			}
		}
		return names, nil
	}
	for _, name := range in.config.Topics {
		switch t, ok := found[name]; {
		case !ok || errors.Is(t.Err, kerr.UnknownTopicOrPartition):
			if in.bounded {
				return nil, engine.Retry(fmt.Errorf("topic %s does not exist", name))
			}
			in.logger().Warn("waiting for a topic that does not exist", "topic", name)
		case t.Err != nil:
			return nil, connkafka.Classify("looking for topic "+name, t.Err)
		default:
			names = append(names, name)
		}
	}
	return names, nil
}

// findBounds takes where partitions begin for a group without a position and
// where they end now.
func (in *Input) findBounds(ctx context.Context, client *kgo.Client, topics []string) error {
	begins, ends := map[partitionID]int64{}, map[partitionID]int64{}
	if len(topics) > 0 {
		adm := kadm.NewClient(client)
		list := adm.ListEndOffsets
		if in.config.Isolation == "read_committed" {
			list = adm.ListCommittedOffsets
		}
		if err := collect(ends, func() (kadm.ListedOffsets, error) { return list(ctx, topics...) }); err != nil {
			return connkafka.Classify("reading end offsets", err)
		}
		err := collect(begins, func() (kadm.ListedOffsets, error) {
			switch in.config.Start {
			case "earliest":
				return adm.ListStartOffsets(ctx, topics...)
			case "latest":
				return adm.ListEndOffsets(ctx, topics...)
			}
			t, err := time.Parse(time.RFC3339, in.config.Start)
			if err != nil {
				return nil, err
			}
			return adm.ListOffsetsAfterMilli(ctx, t.UnixMilli(), topics...)
		})
		if err != nil {
			return connkafka.Classify("reading start offsets", err)
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.begins, in.ends = begins, ends
	return nil
}

func collect(into map[partitionID]int64, list func() (kadm.ListedOffsets, error)) error {
	offsets, err := list()
	if err != nil {
		return err
	}
	var fail error
	offsets.Each(func(o kadm.ListedOffset) {
		if o.Err != nil && fail == nil {
			fail = fmt.Errorf("%s/%d: %w", o.Topic, o.Partition, o.Err)
		}
		into[partitionID{o.Topic, o.Partition}] = o.Offset
	})
	return fail
}

// finished reports whether a bounded input has read all that it was given.
// What other members of the group were given is theirs.
func (in *Input) finished() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.assigned {
		return false
	}
	for _, part := range in.parts {
		if !part.ended {
			return false
		}
	}
	return true
}

// wakeUp makes a bounded reader look again whether it has finished. mu is held.
func (in *Input) wakeUp() {
	if in.wake != nil {
		in.wake()
	}
}

// progress counts what a bounded input has read and has to read.
type progress struct {
	records, bytes int64
	expected       int64 // records, an upper bound where a log has gaps
}

func (p *progress) expect(records int64) { p.expected += max(records, 0) }

// Progress estimates the size of what is to be read from the records so far:
// a cluster tells offsets, not bytes.
func (in *Input) Progress() engine.Progress {
	in.mu.Lock()
	defer in.mu.Unlock()
	p := engine.Progress{Done: in.read.bytes}
	if in.bounded && in.read.records > 0 && in.read.expected > 0 {
		p.Total = max(p.Done, int64(float64(in.read.bytes)/float64(in.read.records)*float64(in.read.expected)))
	}
	return p
}
