package command

import (
	"context"

	"github.com/flowrecords/flow/engine"
)

// Check implements engine.Checker. The program is not run.
func (o *output) Check(_ context.Context, r *engine.CheckReport) { o.cfg.Check(r) }
