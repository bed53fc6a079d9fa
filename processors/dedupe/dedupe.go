package dedupe

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Factory describes dedupe.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "dedupe",
			Summary: "Drops records that came before, by an expression, within a bounded memory.",
			Description: "The first record of each result of `by` passes; those after it are dropped and counted, for as long as it is remembered: " +
				"until `within` has passed since then, or `max_keys` others have come. Both bounds are in force.\n\n" +
				"What is remembered is kept in the pipeline's `state_dir` beside the positions of the inputs, and stored before they are. " +
				"After a crash, records that are read again are recognised as the same ones by their origin and pass once more, as everything that was not confirmed does; their duplicates are still dropped. " +
				"A changed `by` (also a function or variable in it) begins with an empty memory, and the log says so; its layout does not matter, and the other options may change at any time.\n\n" +
				"All records of the element pass through one worker, in the order in which they come. Workers of a Kafka consumer group remember each for itself: " +
				"let the topic's key be what `by` names, so that the same records come to the same worker.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Each order once a day", HCL: `pipeline "orders" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "dedupe" "once" {
    by     = "value.id"
    within = "24h"
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, env engine.Env) (engine.Processor, error) {
			return &dedupe{config: config.(*Config), now: env.Now, log: env.Logger}, nil
		},
	}
}

type dedupe struct {
	config *Config
	now    func() time.Time
	log    *slog.Logger
}

func (*dedupe) Ports() []string { return nil }

// Serial: the first of two equal records must be seen first.
func (*dedupe) Serial() bool { return true }

// ReadOnly says that dedupe edits no record.
func (*dedupe) ReadOnly() bool { return true }

func (d *dedupe) Bind(l *record.Layout) (engine.Bound, error) {
	by, err := d.config.By.Source.Bind(l)
	if err != nil {
		return engine.Bound{}, err
	}
	w := &worker{by: by, config: d.config, now: d.now, memory: newMemory(d.config.MaxKeys, d.config.Within, fingerprint(d.config.By.Source)), log: d.log}
	w.time = w.now()
	return engine.Bound{Step: w.step, Source: w.source, State: w.memory, Drops: "duplicate"}, nil
}

// worker is the working copy of a dedupe.
type worker struct {
	by      engine.Program
	config  *Config
	now     func() time.Time
	log     *slog.Logger
	memory  *memory
	time    time.Time // when the batch at hand came
	session *session  // of the batch at hand
	scratch []byte
}

func (w *worker) source(s *engine.Source) {
	w.time, w.session = w.now(), w.memory.sessionOf(s)
	if w.memory.wasForeign() {
		w.log.Warn("by has changed: what was remembered of earlier records is not used, so their duplicates pass once more")
	}
}

// fingerprint tells expressions apart.
func fingerprint(by engine.ExpressionSource) (sum [16]byte) {
	if f, ok := by.(engine.Fingerprinter); ok {
		return f.Fingerprint()
	}
	whole := sha256.Sum256([]byte(by.Text()))
	copy(sum[:], whole[:])
	return sum
}

var errMissing = errors.New("by is null: nothing tells the record from others (option missing)")

func (w *worker) step(r *record.Record) (bool, error) {
	v, err := w.by.Eval(r)
	if err != nil {
		return false, fmt.Errorf("by: %w", err)
	}
	if v.IsNil() {
		switch w.config.Missing {
		case "keep":
			return true, nil
		case "drop":
			return false, nil
		}
		return false, errMissing
	}
	key, err := w.hash(v)
	if err != nil {
		return false, fmt.Errorf("by: %w", err)
	}
	return w.memory.first(key, w.session, r.Offset, w.time), nil
}

// hash is wide and cryptographic, since a collision would drop a record that
// was never seen, and records come from outside.
func (w *worker) hash(v record.Value) (key, error) {
	var err error
	w.scratch = append(w.scratch[:0], byte(v.Kind()))
	if v.Kind() == record.String || v.Kind() == record.Bytes {
		w.scratch = append(w.scratch, v.Text()...)
	} else if w.scratch, err = v.AppendJSON(w.scratch); err != nil {
		return key{}, err
	}
	sum := sha256.Sum256(w.scratch)
	return key(sum[:len(key{})]), nil
}
