package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	connkafka "github.com/flowrecords/flow/connections/kafka"
)

// topic is what the output knows of a topic before it writes there. With it,
// most records that a broker would refuse are found before they take their
// neighbours along.
type topic struct {
	name       string
	missing    error     // why no record can go there
	fresh      time.Time // until when this is not asked again
	partitions int32
	maxBytes   int  // of one record
	compacted  bool // a record without key is refused
}

const (
	// maxTopics bounds what is remembered of topics that a template makes.
	maxTopics = 10_000
	// keepFresh is how long a topic counts as missing, or as having no more
	// partitions, before the cluster is asked again.
	keepFresh = 5 * time.Second
	// frameBytes is more than a batch's header (61 bytes) and the lengths
	// around one record's key and value take.
	frameBytes = 128
)

// topic finds a topic by name. It asks the cluster at first use and creates
// the topic where that is wanted. An error is about the batch.
func (o *Output) topic(ctx context.Context, name []byte) (*topic, error) {
	if t := o.topics[string(name)]; t != nil && (t.missing == nil || o.now().Before(t.fresh)) {
		return t, nil
	}
	t := &topic{name: string(name), fresh: o.now().Add(keepFresh)}
	switch err := o.lookUp(ctx, t); {
	case err == nil:
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, kerr.UnknownTopicOrPartition) && o.create == nil:
		t.missing = fmt.Errorf("topic %s does not exist, and the output has no block create_topics { }, with which it would be created: %w", t.name, err)
	case refused(err) || errors.Is(err, kerr.InvalidReplicationFactor) || errors.Is(err, kerr.InvalidPartitions):
		t.missing = fmt.Errorf("topic %s: %w", t.name, err)
	default:
		return nil, connkafka.ClassifyLater("looking for topic "+t.name, err)
	}
	if len(o.topics) >= maxTopics {
		clear(o.topics)
	}
	o.topics[t.name] = t
	return t, nil
}

// refresh looks a topic up again whose partitions may have become more.
func (o *Output) refresh(ctx context.Context, t *topic) (*topic, error) {
	if o.now().Before(t.fresh) {
		return t, nil
	}
	delete(o.topics, t.name)
	return o.topic(ctx, []byte(t.name))
}

func (o *Output) lookUp(ctx context.Context, t *topic) error {
	partitions, err := o.countPartitions(ctx, t.name)
	if errors.Is(err, kerr.UnknownTopicOrPartition) && o.create != nil {
		if err := o.createTopic(ctx, t.name); err != nil {
			return err
		}
		partitions, err = o.countPartitions(ctx, t.name)
		if errors.Is(err, kerr.UnknownTopicOrPartition) {
			// Created, but not known to every broker yet: a transient error.
			return fmt.Errorf("topic %s was created and is not there yet", t.name)
		}
	}
	if err != nil {
		return err
	}
	t.partitions = partitions
	t.maxBytes = int(o.config.BatchBytes)
	o.readLimits(ctx, t)
	return nil
}

// countPartitions asks a broker, past the client's cache: that would still
// miss a topic that was created just now.
func (o *Output) countPartitions(ctx context.Context, name string) (int32, error) {
	req := kmsg.NewPtrMetadataRequest()
	rt := kmsg.NewMetadataRequestTopic()
	rt.Topic = &name
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(ctx, o.client)
	if err != nil {
		return 0, err
	}
	if len(resp.Topics) != 1 {
		return 0, fmt.Errorf("a broker answered for %d topics instead of one", len(resp.Topics))
	}
	return int32(len(resp.Topics[0].Partitions)), kerr.ErrorForCode(resp.Topics[0].ErrorCode)
}

func (o *Output) createTopic(ctx context.Context, name string) error {
	partitions, replication := int32(o.create.Partitions), int16(o.create.Replication)
	if partitions == 0 {
		partitions = -1
	}
	if replication == 0 {
		replication = -1
	}
	_, err := o.admin.CreateTopic(ctx, partitions, replication, nil, name)
	if errors.Is(err, kerr.TopicAlreadyExists) {
		return nil // another writer was first
	}
	if err != nil {
		return fmt.Errorf("creating it: %w", err)
	}
	o.logger().Info("topic created", "topic", name)
	return nil
}

// readLimits learns what the topic refuses. Not being allowed to is no error:
// the brokers then decide, and a refusal costs a repeat of its neighbours.
func (o *Output) readLimits(ctx context.Context, t *topic) {
	configs, err := o.admin.DescribeTopicConfigs(ctx, t.name)
	if err != nil {
		o.logger().Debug("reading the topic's configuration", "topic", t.name, "error", err)
		return
	}
	rc, err := configs.On(t.name, func(*kadm.ResourceConfig) error { return nil })
	if err != nil {
		return
	}
	for _, c := range rc.Configs {
		switch c.Key {
		case "max.message.bytes":
			if n, err := strconv.Atoi(c.MaybeValue()); err == nil && n > 0 {
				t.maxBytes = min(t.maxBytes, n)
			}
		case "cleanup.policy":
			t.compacted = strings.Contains(c.MaybeValue(), "compact")
		}
	}
}

var errNoKey = errors.New("the topic is compacted and takes no record without a key")

// check finds a record that the cluster would refuse.
func (t *topic) check(r *kgo.Record) error {
	if t.missing != nil {
		return t.missing
	}
	if r.Key == nil && t.compacted {
		return fmt.Errorf("topic %s: %w", t.name, errNoKey)
	}
	if r.Partition >= t.partitions {
		return fmt.Errorf("topic %s has no partition %d, only %d of them", t.name, r.Partition, t.partitions)
	}
	size := len(r.Key) + len(r.Value) + frameBytes
	for _, h := range r.Headers {
		size += len(h.Key) + len(h.Value) + 10
	}
	if size > t.maxBytes {
		return fmt.Errorf("topic %s: %w: %d bytes with its frame, at most %d", t.name, kerr.MessageTooLarge, size, t.maxBytes)
	}
	return nil
}

func (o *Output) now() time.Time {
	if o.env.Now == nil {
		return time.Now()
	}
	return o.env.Now()
}
