package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// partError is what a fetch told of a partition instead of records.
type partError struct {
	id   partitionID
	part *partition // nil: it is not ours
	err  error
}

// decide does what errors of fetches ask for and returns the first that ends
// reading, or interrupts it.
func (in *Input) decide(ctx context.Context, trouble []partError) error {
	anew := map[string]bool{}
	var fail error
	for _, t := range trouble {
		if errors.Is(t.err, kerr.UnknownTopicID) {
			if !anew[t.id.topic] {
				anew[t.id.topic] = true
				if err := in.topicGone(ctx, t.id.topic); err != nil {
					return err
				}
			}
			continue
		}
		if err := in.fetchError(ctx, t); err != nil && fail == nil {
			fail = err
		}
	}
	return fail
}

// fetchError decides about an error of a partition in a fetch. The client
// retries by itself what can be retried on a broker.
func (in *Input) fetchError(ctx context.Context, t partError) error {
	var loss *kgo.ErrDataLoss
	var session *kgo.ErrGroupSession
	switch err := t.err; {
	case errors.As(err, &loss):
		in.logger().Warn("the broker has lost records that were read before; what has taken their offsets is read",
			"topic", t.id.topic, "partition", t.id.partition, "consumed_to", loss.ConsumedTo, "going_on_at", loss.ResetTo)
		return nil
	case errors.As(err, &session):
		// The client joins the group again by itself, unless rights or names
		// are wrong.
		if errors.Is(err, kerr.FencedInstanceID) && in.fencedFor() < fencedSessions*in.config.SessionTimeout {
			in.logger().Warn("the group has another member with this instance_id, perhaps this one from before: joining again until it has gone",
				"group", in.config.Group, "instance_id", in.config.InstanceID, "session_timeout", in.config.SessionTimeout)
			return nil
		}
		if connkafka.FatalLater(err) {
			return in.groupError(err)
		}
		in.logger().Warn("consumer group is not reachable, joining again", "group", in.config.Group, "error", err)
		return nil
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		in.missing(t.id.topic)
		return nil
	case errors.Is(err, kerr.OffsetOutOfRange):
		at := int64(-1)
		if t.part != nil {
			in.mu.Lock()
			at = t.part.position()
			in.mu.Unlock()
		}
		return in.outOfRange(ctx, t.id, at)
	case kerr.IsRetriable(err), connkafka.Unproved(err):
		// What the brokers refuse now they took at the start: credentials are
		// being changed.
		return engine.Retry(fmt.Errorf("reading %s: %w", t.id, err))
	case connkafka.FatalLater(err):
		return connkafka.ClassifyLater("reading "+t.id.String(), err)
	default:
		// The client has given the partition up: waiting would be for ever.
		return fmt.Errorf("reading %s: %w", t.id, err)
	}
}

// fencedSessions is for how many session_timeouts a group may say that another
// member has come with our instance_id. It need not be true: a coordinator that
// was cut off, and did not know that another one had taken over, made us a new
// member; the other one keeps the old one until its session ends. A member that
// does live, and keeps its place for longer, is another process. To join again
// and again does it no harm: a member that was replaced is only refused.
const fencedSessions = 2

// fencedFor returns how long the group has said so.
func (in *Input) fencedFor() time.Duration {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.fenced.IsZero() {
		in.fenced = time.Now()
	}
	return time.Since(in.fenced)
}

// groupError says what to do about a group that refuses this member for good.
func (in *Input) groupError(err error) error {
	group := "consumer group " + in.config.Group
	switch {
	case errors.Is(err, kerr.FencedInstanceID):
		return fmt.Errorf("%s: another member has come with instance_id %q, which must be unique: %w", group, in.config.InstanceID, err)
	case errors.Is(err, kerr.InconsistentGroupProtocol):
		return fmt.Errorf("%s: its members use another assignor or group_protocol: use theirs, or stop all of them first: %w", group, err)
	case errors.Is(err, kerr.InvalidSessionTimeout):
		return fmt.Errorf("%s: the cluster does not allow session_timeout %s (group.min.session.timeout.ms, group.max.session.timeout.ms): %w", group, in.config.SessionTimeout, err)
	}
	return connkafka.ClassifyLater(group, err)
}

// topicGone is called when a topic that was read has been deleted, and perhaps
// made anew: what comes under its name are other records, for which positions
// of before mean nothing.
func (in *Input) topicGone(ctx context.Context, topic string) error {
	there, err := in.exists(ctx, topic)
	if err != nil {
		return connkafka.ClassifyLater("looking for topic "+topic, err)
	}
	if !there && len(in.config.Topics) == 0 {
		in.missing(topic) // those of a pattern come and go
		return nil
	}
	what := fmt.Sprintf("topic %s was deleted and made anew", topic)
	if !there {
		what = fmt.Sprintf("topic %s was deleted", topic)
	}
	if in.config.OnOffsetGone == "error" || in.bounded {
		return fmt.Errorf(`%s while it was read: what nobody had read of it is gone. To go on with the new one from its beginning set on_offset_gone to "earliest" or "latest"`, what)
	}
	in.logger().Warn(what+": going on with the new one from its beginning", "topic", topic)
	in.mu.Lock()
	if in.anew == nil {
		in.anew = map[string]bool{}
	}
	for id, part := range in.parts {
		if id.topic == topic {
			part.leaving = true
			part.src.Revoke()
			delete(in.parts, id) // nothing of it is committed any more
		}
	}
	in.mu.Unlock()
	in.anew[topic] = true
	// The client has given the topic up for good.
	return in.Open(ctx, in.host)
}

func (in *Input) exists(ctx context.Context, topic string) (bool, error) {
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = kmsg.StringPtr(topic)
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, in.client)
	if err != nil {
		return false, err
	}
	for i := range resp.Topics {
		switch err := kerr.ErrorForCode(resp.Topics[i].ErrorCode); {
		case errors.Is(err, kerr.UnknownTopicOrPartition):
			return false, nil
		case err != nil:
			return false, err
		}
	}
	return len(resp.Topics) > 0, nil
}
