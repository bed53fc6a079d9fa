package http

import (
	"context"

	"github.com/flowrecords/flow/engine"
)

// Check implements engine.Checker. It sends no request.
func (o *output) Check(ctx context.Context, r *engine.CheckReport) {
	text, literal := o.cfg.URL.Source.Literal()
	if p, ok := o.cfg.URL.Source.(prefixed); !literal && ok {
		text = p.LiteralPrefix()
	}
	o.cfg.ClientConfig.Check(ctx, r, text)
}
