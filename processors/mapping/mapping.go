package mapping

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Factory describes map.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "map",
			Summary: "Reshapes records: sets, removes, keeps and renames members, and changes key, headers, topic and timestamp.",
			Description: "All expressions of one map see the record as it came in, whatever the order of the lines. Then the changes are made in this order: " +
				"`value`, `keep`, `remove`, `rename`, `set`, `key`, `remove_headers`, `headers`, `add_headers`, `topic`, `timestamp`. " +
				"With `on = \"key\"` these members are those of the key, `key` comes first and `value` behind `set`. " +
				"To build on a result, use a second map.\n\n" +
				"Members that are not touched keep their bytes: their order, their digits, their spelling. " +
				"If one expression fails, nothing of the map is applied and the record goes to the errors edge as it came in.\n\n" +
				"Where values have a schema, what is set has the type of its expression: a copied field keeps its own. A field that is there keeps its type if it can hold all that the expression gives; " +
				"integers stay in their width, and one that does not fit is an error of the record. An expression that names its type, as `cast` does, makes the field of that type.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Rename, compute, mask", HCL: `pipeline "shape" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "map" "shape" {
    rename = { order_id = "id" }
    remove = ["internal"]
    set = {
      total           = "value.price * value.quantity"
      "customer.card" = "'****' + value.customer.card[-4:]"
    }
    key = "value.order_id"
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			return newMapping(config.(*Config)), nil
		},
		Schemas: func(config any, in engine.Schemas) (engine.Schemas, []engine.Problem) {
			return config.(*Config).schemas(in)
		},
		Changes: func(config any) engine.Changes { return config.(*Config).changes() },
	}
}

// mapping is the processor as configured.
type mapping struct {
	config *Config
	topics map[string]bool // nil: any topic
	plans  plans
}

func newMapping(c *Config) *mapping {
	m := &mapping{config: c}
	if len(c.Topics) > 0 {
		m.topics = make(map[string]bool, len(c.Topics))
		for _, t := range c.Topics {
			m.topics[t] = true
		}
	}
	return m
}

func (*mapping) Ports() []string { return nil }

// Bind compiles the options into a list of evaluations and a list of edits.
func (m *mapping) Bind(l *record.Layout) (engine.Bound, error) {
	b := &binder{layout: l, worker: &worker{mapping: m, plan: noPlan, topics: m.topics, scratch: make([]byte, 0, 64)}}
	c := m.config
	b.worker.onKey = c.onKey()
	b.when(c.When)
	if c.onKey() {
		b.key(c.Key)
	} else {
		b.value(c.Value)
	}
	b.keep(c.Keep)
	b.remove(c.Remove)
	b.rename(c.Rename)
	for i, a := range c.Set {
		b.set(i, a)
	}
	if c.onKey() {
		b.value(c.Value)
	} else {
		b.key(c.Key)
	}
	b.removeHeaders(c.RemoveHeaders)
	for _, h := range c.Headers {
		b.header(h)
	}
	for _, h := range c.AddHeaders {
		b.addHeader(h)
	}
	b.topic(c.Topic)
	b.timestamp(c.Timestamp)
	if b.err != nil {
		return engine.Bound{}, b.err
	}
	return engine.Bound{Step: b.worker.step}, nil
}

// worker is the working copy of one map.
type worker struct {
	*mapping
	onKey bool
	plan  *plan          // of the record at hand
	in    engine.Schemas // that it is of

	when    engine.Program // nil: always
	evals   []eval
	results []record.Value // of evals, by index
	checks  []func() error
	edits   []func(r *record.Record) error
	commits []func(r *record.Record)
	topics  map[string]bool
	names   transform.Interner
	scratch []byte // header values of the current record
}

type eval struct {
	option  string // for errors: "set.total"
	program engine.Program
}

// step evaluates everything before it changes anything, so that expressions
// see the record as it came in.
func (w *worker) step(r *record.Record) (bool, error) {
	if w.when != nil {
		ok, err := w.when.Test(r)
		if err != nil {
			return false, fmt.Errorf("when: %w", err)
		}
		if !ok {
			return true, nil
		}
	}
	for i := range w.evals {
		v, err := w.evals[i].program.Eval(r)
		if err != nil {
			return false, fmt.Errorf("%s: %w", w.evals[i].option, err)
		}
		w.results[i] = v
	}
	if in := (engine.Schemas{Key: r.Key.Schema(), Value: r.Value.Schema()}); in != w.in {
		w.in, w.plan = in, w.plans.of(w.config, in)
	}
	w.scratch = w.scratch[:0]
	for _, check := range w.checks {
		if err := check(); err != nil {
			return false, err
		}
	}
	if err := w.edit(r); err != nil {
		return false, err
	}
	for _, commit := range w.commits {
		commit(r)
	}
	return true, nil
}

// edit changes the value and then the key. If one of the changes fails, all
// are taken back: the errors edge gets the record as it came in.
func (w *worker) edit(r *record.Record) error {
	if len(w.edits) == 0 {
		return nil
	}
	r.Value.Mark()
	if w.onKey {
		r.Key.Mark()
	}
	for _, edit := range w.edits {
		if err := edit(r); err != nil {
			r.Value.Rollback()
			if w.onKey {
				r.Key.Rollback()
			}
			return err
		}
	}
	return nil
}
