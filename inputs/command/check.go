package command

import (
	"context"

	"github.com/flowrecords/flow/engine"
)

// Check implements engine.Checker. The program is not run.
func (in *input) Check(_ context.Context, r *engine.CheckReport) { in.cfg.Check(r) }
