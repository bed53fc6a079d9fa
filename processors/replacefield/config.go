// Package replacefield is the processor replace_field: it drops, keeps and
// renames fields.
package replacefield

import (
	"fmt"
	"slices"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of replace_field.
type Config struct {
	transform.Common
	Exclude []engine.PathOption `flow:"exclude" doc:"Paths of fields to drop. It wins over include." example:"[\"internal\", \"customer.card\"]"`
	Include []engine.PathOption `flow:"include" doc:"Paths of fields to keep; all others are dropped." example:"[\"id\", \"amount\"]"`
	Renames engine.Renames      `flow:"renames" doc:"Fields to rename or move, old = new; all at once, so that two can change places. A field that has the new name already is replaced." example:"{ order_id = \"id\" }"`
	Connect bool                `flow:"connect" doc:"Refuses, as Kafka Connect's ReplaceField, a new name that another field of the schema has."`
	transform.Nulls
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{Common: transform.Common{On: transform.OnValue}} }

// Validate finds what cannot be meant.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	if len(c.Exclude) == 0 && len(c.Include) == 0 && len(c.Renames) == 0 {
		ps = append(ps, engine.Problem{Summary: "replace_field changes nothing", Detail: "Give at least one of exclude, include and renames."})
	}
	for name, list := range map[string][]engine.PathOption{"exclude": c.Exclude, "include": c.Include} {
		for i, p := range list {
			if len(p.Path) == 0 {
				ps = append(ps, engine.Problem{Option: fmt.Sprintf("%s[%d]", name, i), Summary: "path is empty", Detail: "Write the path of a field."})
			}
		}
	}
	to := make(map[string]string)
	for _, r := range c.Renames {
		from, name := r.From.String(), r.To.String()
		switch other, twice := to[name]; {
		case len(r.From) == 0 || len(r.To) == 0:
			ps = append(ps, engine.Problem{Option: "renames", Summary: "renames names the whole value", Detail: "Use extract_field to make a field the whole, hoist_field for the other way round."})
		case from == name:
			ps = append(ps, engine.Problem{Option: "renames", Summary: fmt.Sprintf("%s is renamed to itself", from), Detail: "Remove this line."})
		case twice:
			ps = append(ps, engine.Problem{Option: "renames", Summary: fmt.Sprintf("two fields are renamed to %s", name), Detail: fmt.Sprintf("They are %s and %s, and only one could stay.", other, from)})
		}
		to[name] = from
	}
	return ps
}

func (c *Config) changes() engine.Changes {
	if c.Key() {
		return engine.Changes{Key: true}
	}
	ch := engine.Changes{Removes: transform.Paths(c.Exclude), Moves: c.Renames}
	if len(c.Include) > 0 {
		ch.Keeps = transform.Paths(c.Include)
	}
	return ch
}

// equal is the processor as a map.
func (c *Config) equal() []string {
	condition, options := "", c.First(&c.Common)
	if c.ReplaceNull || c.Connect {
		condition = c.NotNull()
	}
	if c.Connect {
		condition += " && " + transform.Require("isObject("+c.Ref(nil)+")", "it is not an object")
		for _, rn := range c.Renames {
			if c.stays(rn.To) {
				clash := fmt.Sprintf("schemaType(%s) == nil || schemaType(%s) == nil", c.Ref(rn.To), c.Ref(rn.From))
				condition += " && " + transform.Require(clash, fmt.Sprintf("the schema has a field %s already", rn.To))
			}
		}
	}
	if len(c.Include) > 0 {
		options = append(options, transform.List("keep", transform.Texts(transform.Paths(c.Include))))
	}
	if len(c.Exclude) > 0 {
		options = append(options, transform.List("remove", transform.Texts(transform.Paths(c.Exclude))))
	}
	if len(c.Renames) > 0 {
		var pairs []string
		for _, r := range c.Renames {
			pairs = append(pairs, r.From.String(), r.To.String())
		}
		options = append(options, transform.Pairs("rename", pairs...))
	}
	return []string{c.Members(condition, options...)}
}

// stays reports a name that the other options leave to the field that has it.
func (c *Config) stays(to record.Path) bool {
	is := func(p engine.PathOption) bool { return slices.Equal(p.Path, to) }
	return !slices.ContainsFunc(c.Exclude, is) && (len(c.Include) == 0 || slices.ContainsFunc(c.Include, is)) &&
		!slices.ContainsFunc(c.Renames, func(rn engine.Rename) bool { return slices.Equal(rn.From, to) })
}
