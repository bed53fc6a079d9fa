// Package run owns every goroutine of a pipeline: inputs, edges, fused
// stages, outputs, acks, retries, commits and the drain.
package run

import (
	"context"
	"log/slog"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/engine/observe"
)

// Options are what a pipeline runs with.
type Options struct {
	Logger *slog.Logger
	// Store keeps positions of inputs that are no engine.Committer; nil keeps
	// them in memory only.
	Store   checkpoint.Store
	Version string
}

// Runner runs one pipeline once.
type Runner struct{ runner }

// New builds every component of p. It does no I/O.
func New(p *engine.Pipeline, o Options) (*Runner, error) { panic("TODO") }

// Run opens outputs, then inputs, and moves records until all inputs have
// ended and everything is confirmed (nil), an error stops the pipeline, or
// ctx ends: then it drains within the pipeline's drain timeout and returns
// nil if everything in flight was confirmed, ErrAborted otherwise.
func (r *Runner) Run(ctx context.Context) error { panic("TODO") }

// Abort cuts a running or draining pipeline short. Unconfirmed records are
// read again next time.
func (r *Runner) Abort() { panic("TODO") }

// Elements returns the counters, one for each element in plan order. It may
// be called at any time by any goroutine.
func (r *Runner) Elements() []*observe.Element { panic("TODO") }

// Progress returns how far each bounded input has come, by address.
func (r *Runner) Progress() map[string]engine.Progress { panic("TODO") }

type runner struct{}
