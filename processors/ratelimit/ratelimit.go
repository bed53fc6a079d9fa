package ratelimit

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Factory describes rate_limit.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "rate_limit",
			Summary: "Lets only so many records or bytes pass in a time, and the others wait.",
			Description: "Nothing is dropped: when the limit is reached, the input waits (back-pressure). " +
				"The limit counts for the element in one process; workers of a group each have their own. " +
				"The rate is even: 100 records in a second are one each 10 ms, and up to `burst` at once after a time with fewer.\n\n" +
				"A stop waits for what was read to pass at the same rate, up to the pipeline's `drain_timeout`. Then it is cut, and what was not confirmed is read again next time, as after a crash. " +
				"Positions move by batches: with a slow limit, small values of the pipeline's `batch_records` and `max_in_flight` keep short what a stop waits for and what comes twice.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "At most 50 requests in a second", HCL: `pipeline "calls" {
  input "file" "events" {
    path = "events.jsonl"
  }

  processor "rate_limit" "gently" {
    records = 50
    per     = "1s"
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			return &limit{config: config.(*Config)}, nil
		},
	}
}

type limit struct{ config *Config }

func (*limit) Ports() []string { return nil }

// Serial: the limit is one for all records of the element.
func (*limit) Serial() bool { return true }

// ReadOnly says that rate_limit edits no record.
func (*limit) ReadOnly() bool { return true }

func (p *limit) Bind(*record.Layout) (engine.Bound, error) {
	c := p.config
	w := &worker{}
	if c.Records > 0 {
		w.records = rate.NewLimiter(rate.Limit(float64(c.Records)/c.Per.Seconds()), c.Burst)
	}
	if c.Bytes > 0 {
		perSecond := float64(c.Bytes) / c.Per.Seconds()
		// What may pass at once: the bytes of a tenth of a second.
		w.bytes = rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond/10)))
	}
	return engine.Bound{Gate: w.gate}, nil
}

// worker is the working copy of a limit.
type worker struct {
	records, bytes *rate.Limiter // nil: no limit
}

// gate waits for the first record and lets those behind it pass that need no
// further waiting.
func (w *worker) gate(ctx context.Context, n int, size func(int) int) (int, error) {
	if err := w.wait(ctx, size(0)); err != nil {
		return 0, err
	}
	now := time.Now()
	k := 1
	for ; k < n; k++ {
		if w.records != nil && w.records.TokensAt(now) < 1 || w.bytes != nil && w.bytes.TokensAt(now) < float64(size(k)) {
			break
		}
		w.take(now, size(k))
	}
	return k, nil
}

func (w *worker) take(now time.Time, bytes int) {
	if w.records != nil {
		w.records.AllowN(now, 1)
	}
	if w.bytes != nil {
		w.bytes.AllowN(now, bytes)
	}
}

func (w *worker) wait(ctx context.Context, bytes int) error {
	if w.records != nil {
		if err := w.records.Wait(ctx); err != nil {
			return err
		}
	}
	if w.bytes == nil {
		return nil
	}
	// A limiter refuses more than its burst at once: a large record pays in
	// parts.
	for bytes > 0 {
		part := min(bytes, w.bytes.Burst())
		if err := w.bytes.WaitN(ctx, part); err != nil {
			return err
		}
		bytes -= part
	}
	return nil
}
