package kafka

import (
	"context"

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
	o.conn.CheckWrites(ctx, r, n)
}
