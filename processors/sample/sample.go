package sample

import (
	"fmt"
	"math"

	"github.com/cespare/xxhash/v2"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Factory describes sample.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:        "sample",
			Summary:     "Lets a part of the records pass.",
			Description: "The others are dropped and counted, and their source positions move on.",
			Defaults:    func() any { return Defaults() },
			Examples: []engine.Example{{Title: "All events of one customer of a hundred", HCL: `pipeline "events" {
  input "file" "events" {
    path = "events.jsonl"
  }

  processor "sample" "some" {
    rate = 0.01
    by   = "value.customer_id"
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			return &sample{config: config.(*Config)}, nil
		},
	}
}

type sample struct{ config *Config }

func (*sample) Ports() []string { return nil }

// Serial: every counts all records.
func (s *sample) Serial() bool { return s.config.Every > 0 }

// ReadOnly says that sample edits no record.
func (*sample) ReadOnly() bool { return true }

func (s *sample) Bind(l *record.Layout) (engine.Bound, error) {
	bound := engine.Bound{Drops: "sampled"}
	if s.config.Every > 0 {
		n, every := -1, s.config.Every
		bound.Step = func(*record.Record) (bool, error) {
			n++
			return n%every == 0, nil
		}
		return bound, nil
	}
	w := &worker{seed: mix(uint64(s.config.Seed)), all: s.config.Rate >= 1, limit: uint64(s.config.Rate * math.MaxUint64)}
	if !s.config.By.IsZero() {
		var err error
		if w.by, err = s.config.By.Source.Bind(l); err != nil {
			return bound, err
		}
	}
	bound.Step = w.step
	return bound, nil
}

// worker is the working copy of a sample.
type worker struct {
	by      engine.Program // nil: each record by itself
	seed    uint64
	all     bool
	limit   uint64 // hashes below it pass
	scratch []byte
}

func (w *worker) step(r *record.Record) (bool, error) {
	if w.by == nil {
		// The bytes tell records of several partitions apart, the offset equal
		// records of one.
		return w.passes(xxhash.Sum64(r.Value.Raw()) ^ mix(uint64(r.Offset)^uint64(r.Partition)<<48)), nil
	}
	v, err := w.by.Eval(r)
	if err != nil {
		return false, fmt.Errorf("by: %w", err)
	}
	if w.scratch, err = v.AppendJSON(w.scratch[:0]); err != nil {
		return false, fmt.Errorf("by: %w", err)
	}
	return w.passes(xxhash.Sum64(w.scratch)), nil
}

func (w *worker) passes(hash uint64) bool { return w.all || mix(hash^w.seed) < w.limit }

// mix spreads the bits of n (the finalizer of splitmix64).
func mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
