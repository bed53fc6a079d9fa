package kafka

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// topic is what the output knows of a topic before it writes there. With it,
// most records that a broker would refuse are found before they take their
// neighbours along.
type topic struct {
	name       string
	id         [16]byte  // zero: the brokers tell none
	missing    error     // why no record can go there
	fresh      time.Time // until when this is not asked again
	stale      bool      // to be looked up before it is used again
	partitions int32
	copies     int
	maxBytes   int  // of one record
	compacted  bool // a record without key is refused
	// How far a record's time may be from the broker's; 0: as far as it likes.
	before, after time.Duration
}

const (
	// maxTopics bounds what is remembered of topics that a template makes.
	maxTopics = 10_000
	// keepFresh is how long a topic counts as missing, or as having no more
	// partitions, before the cluster is asked again.
	keepFresh = 5 * time.Second
	// graceOfNew is how long a topic that was never seen is asked for: one that
	// somebody else has just created is not known to every broker yet.
	graceOfNew = time.Second
	// frameBytes is more than a batch's header (61 bytes) and the lengths
	// around one record's key and value take.
	frameBytes = 128
	// clockMargin is how far a broker's clock may be from ours: times that are
	// so near to a limit are left to the broker.
	clockMargin = time.Minute
)

// topic finds a topic by name. It asks the cluster at first use and creates
// the topic where that is wanted. An error is about the batch.
func (o *Output) topic(ctx context.Context, name []byte) (*topic, error) {
	if t := o.topics[string(name)]; t != nil && !t.stale && (t.missing == nil || o.now().Before(t.fresh)) {
		return t, nil
	}
	return o.ask(ctx, string(name))
}

// refresh looks a topic up again that may have changed.
func (o *Output) refresh(ctx context.Context, t *topic) (*topic, error) {
	if o.now().Before(t.fresh) {
		return t, nil
	}
	return o.ask(ctx, t.name)
}

// errNewClient is why a batch waits until the client is replaced.
var errNewClient = errors.New("the topic has changed since the client learned of it")

func (o *Output) ask(ctx context.Context, name string) (*topic, error) {
	old := o.topics[name]
	t := &topic{name: name, fresh: o.now().Add(keepFresh)}
	switch err := o.lookUp(ctx, t, old == nil); {
	case err == nil:
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, kerr.UnknownTopicOrPartition) && o.create == nil:
		t.missing = fmt.Errorf("topic %s does not exist, and the output has no block create_topics { }, with which it would be created: %w", t.name, err)
	case refusesTopics(err):
		t.missing = fmt.Errorf("topic %s: %w", t.name, err)
	default:
		return nil, connkafka.ClassifyLater("looking for topic "+t.name, err)
	}
	if old != nil && t.missing != nil && t.id == [16]byte{} {
		t.id, t.maxBytes = old.id, old.maxBytes // to see what it comes back as
	}
	if len(o.topics) >= maxTopics {
		clear(o.topics)
	}
	o.topics[t.name] = t
	if old == nil || t.missing != nil {
		return t, nil
	}
	if old.id != [16]byte{} && old.id != t.id || old.maxBytes != 0 && old.maxBytes < t.maxBytes {
		o.outdated = true
		return nil, engine.Retry(fmt.Errorf("topic %s: %w", name, errNewClient))
	}
	if old.partitions < t.partitions {
		o.client.ForceMetadataRefresh()
	}
	return t, nil
}

// refusesTopics reports whether an error of a look-up or of a creation is about
// the topic and stays.
func refusesTopics(err error) bool {
	for _, r := range []error{
		kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.InvalidTopicException, kerr.PolicyViolation,
		kerr.InvalidReplicationFactor, kerr.InvalidPartitions, kerr.InvalidConfig, kerr.InvalidRequest,
	} {
		if errors.Is(err, r) {
			return true
		}
	}
	return false
}

// lookUp learns what the cluster says of a topic; first: it was not asked
// before.
func (o *Output) lookUp(ctx context.Context, t *topic, first bool) error {
	err := o.describe(ctx, t)
	if first && o.create == nil {
		err = o.describeAgain(ctx, t, err)
	}
	created := false
	if errors.Is(err, kerr.UnknownTopicOrPartition) && o.create != nil {
		if created, err = o.createTopic(ctx, t.name); err != nil {
			return err
		}
		err = o.describe(ctx, t)
		if errors.Is(err, kerr.UnknownTopicOrPartition) {
			// Created, but not known to every broker yet: a transient error.
			return fmt.Errorf("topic %s was created and is not there yet", t.name)
		}
	}
	if err != nil {
		return err
	}
	t.maxBytes = int(o.config.BatchBytes)
	configs := o.readConfig(ctx, t.name)
	t.learn(configs)
	o.limits.set(t.name, t.maxBytes)
	if first && !created && o.config.CreateTopics != nil {
		for _, d := range o.config.CreateTopics.differences(t, configs) {
			o.logger().Warn("a topic is there and differs from what create_topics says; it is used as it is", "topic", t.name,
				"option", d.option, "wanted", d.want, "found", d.got)
		}
	}
	return nil
}

// describeAgain asks for a topic that the first broker did not know.
func (o *Output) describeAgain(ctx context.Context, t *topic, err error) error {
	pause := 10 * time.Millisecond
	for end := time.Now().Add(graceOfNew); errors.Is(err, kerr.UnknownTopicOrPartition) && time.Now().Before(end); pause *= 2 {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
		err = o.describe(ctx, t)
	}
	return err
}

// describe asks a broker, past the client's cache: that would still miss a
// topic that was created just now.
func (o *Output) describe(ctx context.Context, t *topic) error {
	req := kmsg.NewPtrMetadataRequest()
	req.IncludeTopicAuthorizedOperations = true
	rt := kmsg.NewMetadataRequestTopic()
	rt.Topic = &t.name
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(ctx, o.client)
	if err != nil {
		return err
	}
	if len(resp.Topics) != 1 {
		return fmt.Errorf("a broker answered for %d topics instead of one", len(resp.Topics))
	}
	got := &resp.Topics[0]
	if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
		return err
	}
	if rights := got.AuthorizedOperations; rights > 0 && rights&(1<<kmsg.ACLOperationWrite) == 0 {
		return fmt.Errorf("the user of the connection lacks the right WRITE: %w", kerr.TopicAuthorizationFailed)
	}
	t.id, t.partitions = got.TopicID, int32(len(got.Partitions))
	if t.partitions > 0 {
		t.copies = len(got.Partitions[0].Replicas)
	}
	return nil
}

// createTopic reports whether this writer made the topic.
func (o *Output) createTopic(ctx context.Context, name string) (bool, error) {
	partitions, replication := int32(o.create.Partitions), int16(o.create.Replication)
	if partitions == 0 {
		partitions = -1
	}
	if replication == 0 {
		replication = -1
	}
	resp, err := o.admin.CreateTopic(ctx, partitions, replication, o.create.pointers(), name)
	if errors.Is(err, kerr.TopicAlreadyExists) {
		return false, nil // another writer was first
	}
	if err != nil {
		if resp.ErrMessage != "" {
			return false, fmt.Errorf("creating it: %w: %s", err, resp.ErrMessage)
		}
		return false, fmt.Errorf("creating it: %w", err)
	}
	o.logger().Info("topic created", "topic", name)
	return true, nil
}

// pointers is Config as the client takes it.
func (c *CreateTopics) pointers() map[string]*string {
	if len(c.Config) == 0 {
		return nil
	}
	m := make(map[string]*string, len(c.Config))
	for k, v := range c.Config {
		m[k] = &v
	}
	return m
}

// readConfig returns a topic's configuration, nil where it cannot be read. Not
// being allowed to is no error: the brokers then decide, and a refusal costs a
// repeat of its neighbours.
func (o *Output) readConfig(ctx context.Context, name string) map[string]string {
	configs, err := o.admin.DescribeTopicConfigs(ctx, name)
	if err != nil {
		o.logger().Debug("reading the topic's configuration", "topic", name, "error", err)
		return nil
	}
	rc, err := configs.On(name, func(*kadm.ResourceConfig) error { return nil })
	if err != nil || rc.Err != nil {
		return nil
	}
	m := make(map[string]string, len(rc.Configs))
	for _, c := range rc.Configs {
		m[c.Key] = c.MaybeValue()
	}
	return m
}

// learn takes from a topic's configuration what it refuses.
func (t *topic) learn(configs map[string]string) {
	if n, err := strconv.Atoi(configs["max.message.bytes"]); err == nil && n > 0 {
		t.maxBytes = min(t.maxBytes, n)
	}
	t.compacted = strings.Contains(configs["cleanup.policy"], "compact")
	if configs["message.timestamp.type"] == "LogAppendTime" {
		return
	}
	t.before = distance(configs["message.timestamp.before.max.ms"])
	t.after = distance(configs["message.timestamp.after.max.ms"])
	if both := distance(configs["message.timestamp.difference.max.ms"]); both > 0 { // before Kafka 3.6
		t.before, t.after = both, both
	}
}

// distance reads milliseconds; 0: no limit that a time can pass.
func distance(text string) time.Duration {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/int64(time.Millisecond) {
		return 0
	}
	return max(time.Duration(n)*time.Millisecond, 1)
}

var (
	errNoKey    = errors.New("the topic is compacted and takes no record without a key")
	errNegative = errors.New("the record's time is before 1970, which Kafka cannot hold")
)

// check finds a record that the cluster would refuse.
func (t *topic) check(r *kgo.Record, now time.Time) error {
	if t.missing != nil {
		return t.missing
	}
	if r.Key == nil && t.compacted {
		return fmt.Errorf("topic %s: %w", t.name, errNoKey)
	}
	if r.Partition >= t.partitions {
		return fmt.Errorf("topic %s has no partition %d, only %d of them", t.name, r.Partition, t.partitions)
	}
	if !r.Timestamp.IsZero() {
		if err := t.checkTime(r.Timestamp, now); err != nil {
			return fmt.Errorf("topic %s: %w", t.name, err)
		}
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

func (t *topic) checkTime(at, now time.Time) error {
	if at.UnixMilli() < 0 {
		return errNegative
	}
	if t.before == 0 && t.after == 0 {
		return nil
	}
	switch ago := now.Sub(at); {
	case t.before > 0 && ago > t.before && ago-t.before > clockMargin:
		return fmt.Errorf("%w: %s is older than the topic takes, %s (message.timestamp.before.max.ms)", kerr.InvalidTimestamp, at.UTC().Format(time.RFC3339Nano), t.before)
	case t.after > 0 && -ago > t.after && -ago-t.after > clockMargin:
		return fmt.Errorf("%w: %s is further in the future than the topic takes, %s (message.timestamp.after.max.ms)", kerr.InvalidTimestamp, at.UTC().Format(time.RFC3339Nano), t.after)
	}
	return nil
}

// limits are the largest batches of topics. The client asks for them in a
// goroutine of its own when it learns of a topic, which is after the output
// has looked it up.
type limits struct {
	most int32 // set before the client is there

	mu     sync.Mutex
	topics map[string]int32 // those with a lower one
}

// of is what the client calls. Less than 512 bytes it does not take.
func (l *limits) of(topic string) int32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n, ok := l.topics[topic]; ok {
		return max(n, 512)
	}
	return l.most
}

func (l *limits) set(topic string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n >= int(l.most) {
		delete(l.topics, topic)
		return
	}
	if l.topics == nil || len(l.topics) >= maxTopics {
		l.topics = map[string]int32{}
	}
	l.topics[topic] = int32(n)
}

func (o *Output) now() time.Time {
	if o.env.Now == nil {
		return time.Now()
	}
	return o.env.Now()
}
