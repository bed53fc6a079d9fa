package replacefield

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Factory describes replace_field.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "replace_field",
			Summary: "Drops, keeps and renames fields.",
			Description: "Fields are found by the names that they have when the record comes in: first `include` keeps, then `exclude` drops, then `renames` renames. " +
				"What is not touched keeps its bytes. A field that is not there is no error.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Other names, and nothing internal", HCL: `pipeline "orders" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "replace_field" "names" {
    exclude = ["internal"]
    renames = { order_id = "id", "customer.mail" = "email" }
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			return &processor{config: config.(*Config)}, nil
		},
		Changes: func(config any) engine.Changes { return config.(*Config).changes() },
		Equal:   func(config any) []string { return config.(*Config).equal() },
	}
}

type processor struct{ config *Config }

func (*processor) Ports() []string { return nil }

type rename struct{ from, to record.PathID }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	c, proj := p.config, p.config.Projection(l)
	w := &worker{processor: p, include: transform.IDs(proj, transform.Paths(c.Include)), exclude: transform.IDs(proj, transform.Paths(c.Exclude))}
	var back []rename
	for i, r := range c.Renames {
		from, to := proj.Add(r.From), proj.Add(r.To)
		if c.circular() {
			aside := proj.Add(hidden(i))
			back = append(back, rename{aside, to})
			to = aside
		}
		w.renames = append(w.renames, rename{from, to})
	}
	w.renames = append(w.renames, back...)
	return c.Bound(l, w.edit)
}

type worker struct {
	*processor
	include, exclude []record.PathID
	renames          []rename
}

func (w *worker) edit(r *record.Record) error {
	d := w.config.Doc(r)
	if d.IsNull() {
		return nil
	}
	return transform.Atomic(d, w.edits)
}

func (w *worker) edits(d *record.Doc) error {
	if len(w.include) > 0 {
		if err := d.Keep(w.include); err != nil {
			return fmt.Errorf("include: %w", err)
		}
	}
	for i, id := range w.exclude {
		if err := d.Delete(id); err != nil {
			return fmt.Errorf("exclude %s: %w", w.config.Exclude[i].Path, err)
		}
	}
	for i, rn := range w.renames {
		if err := d.Rename(rn.from, rn.to); err != nil {
			return fmt.Errorf("rename %s: %w", w.config.Renames[i%len(w.config.Renames)].From, err)
		}
	}
	return nil
}
