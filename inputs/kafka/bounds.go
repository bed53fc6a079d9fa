package kafka

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// anchored makes a pattern match whole names, as topics_regex promises. The
// client matches it anywhere in a name.
func anchored(p engine.Pattern) string { return "^(?:" + p.String() + ")$" }

// findPartitions returns the partitions that are there now. A topic that is
// missing is waited for: a bounded input cannot begin without it.
func (in *Input) findPartitions(ctx context.Context, client *kgo.Client) (ids []partitionID, err error) {
	found, err := kadm.NewClient(client).ListTopics(ctx, in.config.Topics...)
	if err != nil {
		what := "listing topics"
		if len(in.config.Topics) > 0 {
			what = "looking for " + strings.Join(in.config.Topics, ", ")
		}
		return nil, connkafka.Classify(what, err)
	}
	if len(in.config.Topics) == 0 {
		match := in.config.matcher()
		for _, t := range found {
			if t.Err == nil && !t.IsInternal && match(t.Topic) {
				ids = append(ids, partitionsOf(t)...)
			}
		}
		return ids, nil
	}
	for _, name := range in.config.Topics {
		switch t, ok := found[name]; {
		case !ok || errors.Is(t.Err, kerr.UnknownTopicOrPartition):
			if in.bounded {
				return nil, engine.Retry(fmt.Errorf("topic %s does not exist", name))
			}
			in.missing(name)
		case t.Err != nil:
			return nil, connkafka.Classify("looking for topic "+name, t.Err)
		default:
			ids = append(ids, partitionsOf(t)...)
		}
	}
	return ids, nil
}

// matcher returns whether a topic is one of topics_regex, and nil without that.
func (c *Config) matcher() func(topic string) bool {
	wanted, unwanted := whole(c.TopicsRegex), whole(c.TopicsExclude)
	if wanted == nil {
		return nil
	}
	return func(topic string) bool {
		return wanted.MatchString(topic) && (unwanted == nil || !unwanted.MatchString(topic))
	}
}

// whole matches all of a name with p; nil for a pattern that is not given.
func whole(p engine.Pattern) *regexp.Regexp {
	if p.Regexp == nil {
		return nil
	}
	return regexp.MustCompile(anchored(p))
}

func partitionsOf(t kadm.TopicDetail) (ids []partitionID) {
	for p := range t.Partitions {
		ids = append(ids, partitionID{t.Topic, p})
	}
	return ids
}

// findTips notes what is there when the input comes to life, and where it ends
// if records may be left out up to there: what is written while the group
// assigns partitions must not be among them.
func (in *Input) findTips(ctx context.Context, client *kgo.Client, ids []partitionID) error {
	tips := map[partitionID]int64{}
	start, _ := startMoment(in.config.Start)
	needed := start.isTime() || start.word == wordLatest
	for _, p := range in.starts {
		needed = needed || p.word == wordLatest
	}
	if needed {
		var err error
		if tips, err = in.listAll(ctx, client, ids, atEnd); err != nil {
			return connkafka.Classify("reading end offsets", err)
		}
	}
	there := map[partitionID]bool{}
	for _, id := range ids {
		there[id] = true
	}
	in.there, in.tips = there, tips
	return nil
}

// missing says once that a topic is waited for.
func (in *Input) missing(topic string) {
	if !in.warned[topic] {
		in.warned[topic] = true
		in.logger().Warn("waiting for a topic that does not exist", "topic", topic)
	}
}

// deferred reports whether partitions end at a time that is still to come.
func (in *Input) deferred() bool {
	until, _ := untilMoment(in.config.Until)
	return in.bounded && until.isTime() && until.back == 0 && in.now().Before(until.at)
}

// findBounds takes where partitions end, unless that is still to come.
func (in *Input) findBounds(ctx context.Context, client *kgo.Client, ids []partitionID) error {
	if in.deferred() {
		return nil
	}
	ends, err := in.listAll(ctx, client, ids, atEnd)
	if err != nil {
		return connkafka.Classify("reading end offsets", err)
	}
	until, _ := untilMoment(in.config.Until)
	if until.isTime() {
		byTime, err := in.listAll(ctx, client, ids, millis(until.time(in.opened)))
		if err != nil {
			return connkafka.Classify("reading end offsets", err)
		}
		for id, at := range byTime {
			if at >= 0 {
				ends[id] = min(ends[id], at)
			}
		}
	}
	for id, stop := range in.stops {
		if _, ok := ends[id]; !ok {
			return fmt.Errorf("until_offsets: %s does not exist", id)
		}
		ends[id] = stop.offset
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.ends = ends
	return nil
}

// endOf is where a bounded input ends in a partition. One that came later is
// not part of what is read. mu is held.
func (in *Input) endOf(id partitionID) int64 {
	if in.ends != nil {
		return in.ends[id]
	}
	if stop, ok := in.stops[id]; ok {
		return stop.offset
	}
	return math.MaxInt64
}

// reachBounds finds the ends when their time has come.
func (in *Input) reachBounds(ctx context.Context) error {
	in.mu.Lock()
	known := in.ends != nil
	in.mu.Unlock()
	if known || in.deferred() {
		return nil
	}
	ids, err := in.findPartitions(ctx, in.client)
	if err != nil {
		return err
	}
	if err := in.findBounds(ctx, in.client, ids); err != nil {
		return err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for id, part := range in.parts {
		part.end = min(part.end, in.ends[id])
		if part.from >= 0 && part.position() >= part.end {
			in.endPartition(part)
		}
	}
	return nil
}

// bound cuts off what lies behind the end of a bounded input. mu is held.
func (in *Input) bound(part *partition, recs []*kgo.Record) []*kgo.Record {
	if !in.bounded {
		return recs
	}
	if in.ends == nil {
		until, _ := untilMoment(in.config.Until)
		for _, r := range recs {
			if !r.Attrs.IsControl() && !r.Timestamp.Before(until.at) {
				part.end = min(part.end, r.Offset)
				break
			}
		}
	}
	if part.next < part.end {
		return recs
	}
	in.endPartition(part)
	for len(recs) > 0 && recs[len(recs)-1].Offset >= part.end {
		recs = recs[:len(recs)-1]
	}
	return recs
}

// endPartition stops reading one partition. mu is held.
func (in *Input) endPartition(part *partition) {
	part.ended = true
	in.client.PauseFetchPartitions(map[string][]int32{part.id.topic: {part.id.partition}})
}

// finished reports whether a bounded input has read all that it was given.
// What other members of the group were given is theirs.
func (in *Input) finished() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.assigned || in.ends == nil {
		return false
	}
	for _, part := range in.parts {
		if !part.ended {
			return false
		}
	}
	return true
}

// wakeUp ends the poll that waits, so that the reader looks around. mu is held.
func (in *Input) wakeUp() {
	if in.wake != nil {
		in.wake()
	}
}

// quiet times the probes of a bounded input.
type quiet struct {
	wait  time.Duration
	since time.Time
}

// A bounded input that gets nothing looks after a while whether there is
// anything, more and more rarely: it may wait for a transaction.
const (
	probeFirst = time.Second
	probeMost  = 15 * time.Second
)

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
