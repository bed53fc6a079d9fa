package http

import (
	"context"

	"github.com/flowrecords/flow/connections/probe"
	"github.com/flowrecords/flow/engine"
)

// Check implements engine.Checker: it listens for a moment.
func (in *input) Check(ctx context.Context, r *engine.CheckReport) {
	if in.cfg.TLS != nil {
		if _, err := in.cfg.TLS.Load("http/1.1"); err != nil {
			r.Fail("tls", err.Error(), "Correct the files that the tls block names.")
		}
	}
	probe.Listen(ctx, r, in.cfg.Address, "address")
}
