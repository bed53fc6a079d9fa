package mapping

import (
	"fmt"
	"sync"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// maxPlans bounds how many schemas a map remembers.
const maxPlans = 1024

// plan says of which types the results of a map are for records of one schema,
// so that all of them have one schema afterwards. A nil type depends on the
// result itself.
type plan struct {
	value, key *schema.Schema
	set        []*schema.Schema
}

var noPlan = &plan{}

// of is the type that assignment number i has.
func (p *plan) of(i int) *schema.Schema {
	if p.set == nil {
		return nil
	}
	return p.set[i]
}

// plans are shared by the workers, so that a schema behind the map is one
// pointer in all.
type plans struct {
	mu   sync.Mutex // guards seen
	seen map[engine.Schemas]*plan
}

func (k *plans) of(c *Config, in engine.Schemas) *plan {
	k.mu.Lock()
	defer k.mu.Unlock()
	p := k.seen[in]
	if p == nil {
		if k.seen == nil || len(k.seen) >= maxPlans {
			k.seen = make(map[engine.Schemas]*plan)
		}
		p = c.plan(in)
		k.seen[in] = p
	}
	return p
}

// plan is that of records of these types. Records without a schema stay without.
func (c *Config) plan(in engine.Schemas) *plan {
	p := &plan{}
	if in.Value == nil && (in.Key == nil || !c.onKey()) {
		return p
	}
	if !c.Value.IsZero() && in.Value != nil {
		p.value = whole(engine.ResultOf(c.Value, in))
	}
	if !c.Key.IsZero() && (in.Key != nil || !c.onKey()) {
		p.key = whole(engine.ResultOf(c.Key, in))
	}
	part := in.Value
	if c.onKey() {
		part = in.Key
	}
	s := c.edited(p, part)
	for _, a := range c.Set {
		t := engine.ResultOf(a.Expr, in)
		if s != nil {
			t = settled(record.TypeAt(s, a.Path), t, engine.NamesType(a.Expr))
			s = either(s, record.SchemaSetAs(s, a.Path, orUnknown(t)), a.Expr)
		} else {
			t = nil
		}
		p.set = append(p.set, t)
	}
	return p
}

// settled is the type of a field of type cur that is set to results of type t,
// which named says to be the one that the expression asks for.
func settled(cur, t *schema.Schema, named bool) *schema.Schema {
	switch {
	case !named || t == nil || t.Type == schema.Any || cur != nil && cur.Type == schema.Any:
		return record.Settled(cur, t)
	case cur == nil || cur.Optional:
		return t.AsOptional()
	}
	return t
}

// whole is the type of a result that becomes the whole, whatever that was.
func whole(t *schema.Schema) *schema.Schema {
	if t == nil || t.Type == schema.Any {
		return nil
	}
	return t
}

func orUnknown(t *schema.Schema) *schema.Schema {
	if t == nil {
		return schema.Unknown
	}
	return t
}

// replaced is the part whose members are changed as value or key make it.
func (c *Config) replaced(p *plan, s *schema.Schema) *schema.Schema {
	switch {
	case c.onKey() && !c.Key.IsZero():
		return either(s, p.key, c.Key)
	case !c.onKey() && !c.Value.IsZero():
		return either(s, p.value, c.Value)
	}
	return s
}

// edited is the schema of that part before fields are set.
func (c *Config) edited(p *plan, s *schema.Schema) *schema.Schema {
	s = c.replaced(p, s)
	if s != nil && len(c.Keep) > 0 {
		s = record.SchemaKeep(s, transform.Paths(c.Keep))
	}
	for i := 0; s != nil && i < len(c.Remove); i++ {
		if path := c.Remove[i].Path; len(path) > 0 {
			s = record.SchemaDelete(s, path)
		} else {
			s = nil
		}
	}
	return transform.Renamed(s, c.Rename)
}

// schemas says what a map makes of records of these types, and what of the
// options cannot be meant for them.
func (c *Config) schemas(in engine.Schemas) (engine.Schemas, []engine.Problem) {
	p, out := c.plan(in), in
	part := &out.Value
	if c.onKey() {
		part = &out.Key
		if !c.Value.IsZero() {
			out.Value = either(in.Value, p.value, c.Value)
		}
	}
	if !c.Key.IsZero() {
		out.Key = either(in.Key, keyOf(p, in), c.Key)
	}
	var problems []engine.Problem
	if *part != nil {
		var edited *schema.Schema
		edited, problems = c.missing(p, *part)
		*part = edited
		for i, a := range c.Set {
			problems = append(problems, transform.Unsettable(transform.Entry("set", a.Path.String()), edited, a.Path)...)
			if *part != nil {
				*part = either(*part, record.SchemaSetAs(*part, a.Path, orUnknown(p.of(i))), a.Expr)
			}
		}
	}
	return (&transform.Filtered{When: c.When}).Known(in, out), problems
}

// either is what is known of a part that an expression makes anew, or leaves as
// it is where it has no result.
func either(was, made *schema.Schema, e engine.Expression) *schema.Schema {
	switch {
	case !engine.MayBeNothing(e):
		return made
	case was == nil || made == nil:
		return nil
	}
	return schema.Join(was, made)
}

// keyOf is the key that an expression makes.
func keyOf(p *plan, in engine.Schemas) *schema.Schema {
	if p.key != nil && in.Key == nil && transform.IsText(p.key) {
		return nil
	}
	return p.key
}

// missing finds the fields that keep, remove and rename name and that are not
// there, and returns the schema behind these.
func (c *Config) missing(p *plan, s *schema.Schema) (*schema.Schema, []engine.Problem) {
	var problems []engine.Problem
	s = c.replaced(p, s)
	for i, k := range c.Keep {
		problems = append(problems, transform.Missing(transform.Item("keep", i), s, k.Path)...)
	}
	if len(c.Keep) > 0 && s != nil && s.Type != schema.Struct && s.Type != schema.Any {
		problems = append(problems, engine.Problem{Option: "keep", Summary: "the " + c.part() + " has no fields", Detail: fmt.Sprintf("It is of type %s.", s.Type)})
	}
	step := func(one Config) { // the same edits as those of a run, one by one
		if s != nil {
			s = one.edited(p, s)
		}
	}
	if len(c.Keep) > 0 {
		step(Config{Keep: c.Keep})
	}
	for i := range c.Remove {
		problems = append(problems, transform.Missing(transform.Item("remove", i), s, c.Remove[i].Path)...)
		step(Config{Remove: c.Remove[i : i+1]})
	}
	for _, rn := range c.Rename {
		problems = append(problems, transform.Missing(transform.Entry("rename", rn.From.String()), s, rn.From)...)
	}
	step(Config{Rename: c.Rename})
	return s, problems
}
