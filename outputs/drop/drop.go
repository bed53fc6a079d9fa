package drop

import (
	"context"
	"log/slog"

	"github.com/flowrecords/flow/engine"
)

// Factory describes drop.
func Factory() engine.OutputFactory {
	return engine.OutputFactory{
		Component: engine.Component{
			Type:    "drop",
			Summary: "Throws records away.",
			Description: "Confirms every record without writing it. It is the only way to lose records on purpose, and counts them as it does so: the metrics show " +
				"them at this element, and the log says at the end how many there were.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Measure how fast an input is", HCL: `pipeline "measure" {
  input "stdin" "in" {}

  output "drop" "nowhere" {}
}
`}},
		},
		New: func(_ any, env engine.Env) (engine.Output, error) {
			logger := env.Logger
			if logger == nil {
				logger = slog.New(slog.DiscardHandler)
			}
			return &output{logger: logger}, nil
		},
		Delivery: func(any) engine.Delivery {
			return engine.Delivery{Confirms: "it is counted and thrown away", Discards: true}
		},
	}
}

// output implements engine.Output. Its field is written by the goroutine that
// calls Write and Close.
type output struct {
	logger  *slog.Logger
	records int64
}

func (*output) Open(context.Context) error { return nil }

func (o *output) Write(_ context.Context, b *engine.Batch, done func(error)) {
	o.records += int64(b.Len())
	done(nil)
}

func (*output) Flush(context.Context) error { return nil }

func (o *output) Close(context.Context) error {
	o.logger.Info("records were dropped, as configured", "records", o.records)
	return nil
}

// Discards implements engine.Discarder.
func (*output) Discards() string { return "discarded" }
