package logging

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Factory describes log.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "log",
			Summary: "Writes a line to flow's own log for records that pass.",
			Description: "Every record goes on unchanged. The line carries the names of pipeline and element and where the record comes from (topic, partition, offset). " +
				"It never makes a record fail: what cannot be evaluated stands in the line as the error. " +
				"An expression that uses a secret is a mistake, since the log would show it; in a record that another processor put a sensitive value into, it is written as `(secret)` where it stands as it is.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "A line for each large order, ten in a second at most", HCL: `pipeline "orders" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "log" "large" {
    when    = "value.amount > 1000"
    message = "large order {{ value.id }}"
    fields  = { amount = "value.amount" }
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, env engine.Env) (engine.Processor, error) {
			p := &logging{config: config.(*Config), env: env}
			p.level = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}[p.config.Level]
			return p, nil
		},
	}
}

type logging struct {
	config *Config
	env    engine.Env
	level  slog.Level

	// mu guards all below, which the workers share.
	mu      sync.Mutex
	since   time.Time // when the time that limit is for began
	lines   int       // in that time
	skipped int
}

func (*logging) Ports() []string { return nil }

// ReadOnly says that log edits no record.
func (*logging) ReadOnly() bool { return true }

func (p *logging) Bind(l *record.Layout) (engine.Bound, error) {
	w := &worker{logging: p}
	var err error
	if !p.config.When.IsZero() {
		if w.when, err = p.config.When.Source.Bind(l); err != nil {
			return engine.Bound{}, err
		}
	}
	if !p.config.Message.IsZero() {
		if w.message, err = p.config.Message.Source.Bind(l); err != nil {
			return engine.Bound{}, err
		}
	}
	for _, f := range p.config.Fields {
		program, err := f.Expr.Source.Bind(l)
		if err != nil {
			return engine.Bound{}, err
		}
		w.fields = append(w.fields, program)
	}
	return engine.Bound{Step: w.step}, nil
}

// worker is the working copy of a log.
type worker struct {
	*logging
	when    engine.Program // nil: always
	message engine.TemplateProgram
	fields  []engine.Program
	text    []byte
}

func (w *worker) step(r *record.Record) (bool, error) {
	if !w.env.Logger.Enabled(context.Background(), w.level) {
		return true, nil
	}
	message := "record"
	if w.when != nil {
		holds, err := w.when.Test(r)
		if err == nil && !holds {
			return true, nil
		}
		if err != nil {
			message = fmt.Sprintf("(when: %v)", err)
		}
	}
	skipped, ok := w.admit()
	if !ok {
		return true, nil
	}
	if w.message != nil && message == "record" {
		var err error
		if w.text, err = w.message.Append(w.text[:0], r); err != nil {
			message = fmt.Sprintf("(message: %v)", err)
		} else {
			message = string(w.text)
		}
	}
	w.env.Logger.LogAttrs(context.Background(), w.level, message, w.attributes(r, skipped)...)
	return true, nil
}

func (w *worker) attributes(r *record.Record, skipped int) []slog.Attr {
	attrs := make([]slog.Attr, 0, len(w.fields)+4)
	for i, f := range w.fields {
		name := w.config.Fields[i].Name
		v, err := f.Eval(r)
		if err == nil {
			w.text, err = v.AppendText(w.text[:0])
		}
		if err != nil {
			attrs = append(attrs, slog.String(name, fmt.Sprintf("(%v)", err)))
			continue
		}
		attrs = append(attrs, slog.String(name, string(w.text)))
	}
	if r.Topic != "" {
		attrs = append(attrs, slog.String("topic", r.Topic), slog.Int64("partition", int64(r.Partition)))
	}
	attrs = append(attrs, slog.Int64("offset", r.Offset))
	if skipped > 0 {
		attrs = append(attrs, slog.Int("left_out", skipped))
	}
	return attrs
}

// admit reports whether one more line may be written, and how many were left
// out before it.
func (p *logging) admit() (skipped int, ok bool) {
	if p.config.Limit == 0 {
		return 0, true
	}
	now := p.env.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.since) >= p.config.Per {
		p.since, p.lines = now, 0
	}
	if p.lines++; p.lines > p.config.Limit {
		p.skipped++
		return 0, false
	}
	skipped, p.skipped = p.skipped, 0
	return skipped, true
}
