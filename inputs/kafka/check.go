package kafka

import (
	"context"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// Check implements engine.Checker. It joins no group.
func (in *Input) Check(ctx context.Context, r *engine.CheckReport) {
	c := in.config
	n := connkafka.Reads{Topics: c.Topics, Group: c.Group, InstanceID: c.InstanceID, FetchBytes: int64(c.FetchMaxBytes)}
	n.Pattern = whole(c.TopicsRegex)
	in.conn.CheckReads(ctx, r, n)
}
