package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flowrecords/flow/connections/oauth"
	"github.com/flowrecords/flow/engine"
)

// CheckPositions implements checkpoint.System: the topic of positions and the
// transactional id of a pipeline. Nothing is created or fenced.
func (c *Connection) CheckPositions(ctx context.Context, r *engine.CheckReport, pipeline string, elsewhere bool) {
	client, ok := c.look(r)
	if !ok {
		return
	}
	defer client.Close()
	t := c.positionsTopic(engine.Env{}, pipeline)
	if !elsewhere {
		t.check(ctx, r, client)
	}
	id := c.transactionalID(pipeline)
	if elsewhere {
		id += "-" // each process has an id of its own behind it
	}
	checkTransactionalID(ctx, r, client, id)
}

func (t positionsTopic) check(ctx context.Context, r *engine.CheckReport, client *kgo.Client) {
	what := "topic " + t.name()
	found, err := describeTopics(ctx, client, []string{t.name()}, nil)
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("the brokers answered for %d topics", len(found))
	}
	if err != nil {
		failed(r, what, "asking for it", err)
		return
	}
	brokers, err := kadm.NewClient(client).BrokerMetadata(ctx)
	if err != nil {
		failed(r, what, "asking for brokers", err)
		return
	}
	copies, configs := t.plan(len(brokers.Brokers))
	s := &found[0]
	switch {
	case errors.Is(s.err, kerr.UnknownTopicOrPartition):
		t.checkCreate(ctx, r, client, copies, configs)
		return
	case s.err != nil:
		failed(r, what, "", s.err)
		return
	case !s.checkRight(r, kmsg.ACLOperationRead, "READ") || !s.checkRight(r, kmsg.ACLOperationWrite, "WRITE") || !s.checkLeaders(r):
		return
	}
	if wrong, remedy := s.noPositions(); wrong != "" {
		r.Fail(what, "it "+wrong, remedy)
		return
	}
	if !s.checkInSync(r) {
		return
	}
	if s.configs == nil {
		r.Unknown("cleanup.policy of "+what, "the user of the connection may not see its configuration", "Have it granted DESCRIBE_CONFIGS on the topic, and see that its cleanup.policy is compact.")
	}
	has := len(s.parts[0].Replicas)
	if has < int(copies) {
		r.Warn(what, s.summary()+": positions are lost with a broker, and everything is then read again", "Give the topic more copies (kafka-reassign-partitions).")
		return
	}
	if n, ok := s.number("min.insync.replicas"); ok && n == 1 && has >= positionsCopies {
		r.Warn(what, "min.insync.replicas is 1: a position counts as stored when one broker has it, and is lost with that broker", "Set min.insync.replicas of the topic to 2.")
		return
	}
	r.OK(what, "%s, holds positions", s.summary())
}

// checkCreate asks the brokers whether they would create the topic.
func (t positionsTopic) checkCreate(ctx context.Context, r *engine.CheckReport, client *kgo.Client, copies int16, configs map[string]*string) {
	what := "topic " + t.name()
	resp, err := kadm.NewClient(client).ValidateCreateTopics(ctx, 1, copies, configs, t.name())
	answer := resp[t.name()]
	if err == nil {
		err = answer.Err
	}
	switch {
	case err == nil:
		r.OK(what, "does not exist yet, and can be created; no position is stored yet")
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		r.Fail(what, "it does not exist, and the user of the connection may not create it", "Have it granted CREATE on the topic, or create the topic with one partition and cleanup.policy=compact.")
	default:
		detail := oauth.Clean(err.Error())
		if answer.ErrMessage != "" {
			detail = oauth.Clean(answer.ErrMessage)
		}
		r.Fail(what, "it does not exist, and the brokers would not create it: "+detail, "Create the topic with one partition and cleanup.policy=compact, or name another one (positions_topic).")
	}
}
