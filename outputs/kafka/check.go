package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// Check implements engine.Checker. It writes nothing and creates no topic.
func (o *Output) Check(ctx context.Context, r *engine.CheckReport) {
	n := connkafka.Writes{BatchBytes: int64(o.config.BatchBytes)}
	if name, ok := o.config.Topic.Source.Literal(); ok {
		n.Topics = []string{name}
	} else {
		n.Others = true
	}
	if o.create != nil {
		n.Create, n.Partitions, n.Replication, n.Configs = true, int32(o.create.Partitions), int16(o.create.Replication), o.create.pointers()
	}
	if o.session != nil {
		n.TransactionalID, n.Internal = o.session.ID(), o.session.Topics()
	}
	o.conn.CheckWrites(ctx, r, n)
	if o.config.CreateTopics != nil && len(n.Topics) > 0 && !o.conn.Embedded() {
		o.checkDifferences(ctx, r, n.Topics[0])
	}
}

// checkDifferences compares a topic that is there with what the block
// create_topics says. What cannot be asked was reported before.
func (o *Output) checkDifferences(ctx context.Context, r *engine.CheckReport, name string) {
	client, err := o.conn.Client(o.env, kgo.RequestRetries(1), kgo.RetryTimeout(time.Second))
	if err != nil {
		return
	}
	defer client.Close()
	look := &Output{config: o.config, env: o.env, client: client, admin: kadm.NewClient(client)}
	t := &topic{name: name}
	if err := look.describe(ctx, t); err != nil {
		return
	}
	for _, d := range o.config.CreateTopics.differences(t, look.readConfig(ctx, name)) {
		r.Warn("topic "+name, fmt.Sprintf("its %s is %s, and the block create_topics says %s; the topic is used as it is", d.option, d.got, d.want),
			"Change the topic or the block, so that they agree.")
	}
}
