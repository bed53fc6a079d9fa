package httpclient

import (
	"context"

	"github.com/flowrecords/flow/engine"
)

// Check implements engine.Checker. It sends no request: some servers count
// them, or remember the cursor.
func (in *input) Check(ctx context.Context, r *engine.CheckReport) {
	in.cfg.ClientConfig.Check(ctx, r, in.cfg.URL)
}
