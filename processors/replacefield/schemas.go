package replacefield

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// bare is s without the default of the whole, whose members would not be those
// of the schema.
func bare(s *schema.Schema) *schema.Schema {
	if s.Default == nil {
		return s
	}
	c := s.Clone()
	c.Default = nil
	return c
}

func (c *Config) schemas(in engine.Schemas) (engine.Schemas, []engine.Problem) {
	return c.Common.Schemas(in, func(s *schema.Schema) (*schema.Schema, []engine.Problem) {
		var problems []engine.Problem
		if c.Connect {
			if rn := c.clash(s); rn != nil {
				problems = append(problems, engine.Problem{Option: transform.Entry("renames", rn.From.String()), Summary: fmt.Sprintf("there is a field %s already", rn.To), Detail: "Drop it with exclude, or choose another name."})
			}
		}
		for i, p := range c.Include {
			problems = append(problems, transform.Missing(transform.Item("include", i), s, p.Path)...)
		}
		for i, p := range c.Exclude {
			problems = append(problems, transform.Missing(transform.Item("exclude", i), s, p.Path)...)
		}
		out := bare(s)
		if len(c.Include) > 0 {
			out = record.SchemaKeep(out, transform.Paths(c.Include))
		}
		for _, p := range c.Exclude {
			if out != nil {
				out = record.SchemaDelete(out, p.Path)
			}
		}
		if out == nil {
			return nil, problems
		}
		for _, rn := range c.Renames {
			problems = append(problems, transform.Missing(transform.Entry("renames", rn.From.String()), out, rn.From)...)
		}
		return transform.Renamed(out, c.Renames), problems
	})
}
