package kafka

import (
	"context"

	"github.com/flowrecords/flow/engine"
)

// cutBefore has everything in flight stored, outputs and positions as one, before
// partitions go to another member of the group, and revokes them while nothing
// moves. The next owner then begins exactly where the outputs of this worker
// end. It waits longer than waitIdle may at the end of reading: without the cut
// the pipeline stops with an error, so that the next start takes back what the
// new owner reads again.
func (in *Input) cutBefore(c engine.Cutter, parts []*partition) {
	ctx, cancel := context.WithTimeout(context.Background(), in.config.RevokeWait)
	defer cancel()
	err := c.Cut(ctx, func() {
		for _, part := range parts {
			part.src.Revoke()
		}
	})
	if err != nil {
		in.logger().Warn("partitions are taken away before everything in flight is stored", "partitions", len(parts), "error", err)
	}
}
