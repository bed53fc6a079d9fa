package csvconv

import (
	"fmt"
	"slices"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Takes implements engine.Taker.
func (c *converter) Takes(s *schema.Schema) []engine.Problem {
	names := c.columns.Names()
	if s.Type == schema.Any {
		return nil
	}
	if s.Type != schema.Struct {
		return []engine.Problem{{Summary: "CSV cannot carry the records", Detail: fmt.Sprintf("They are of type %s, and a row is made of the fields of an object.", s.Type)}}
	}
	// column is the option's element of that name, where it is written out.
	column := func(name string) string {
		if c.named != "columns" {
			return c.named
		}
		return fmt.Sprintf("columns[%d]", slices.Index(names, name))
	}
	var ps []engine.Problem
	for i := range s.Fields {
		f := &s.Fields[i]
		at := schema.FieldStep(f.Name)
		switch {
		case f.Schema == schema.Unknown: // it may not even be there
		case !slices.Contains(names, f.Name):
			if !c.write.IgnoreUnknown {
				ps = append(ps, engine.Problem{Option: c.named, Summary: at + " is no column", Detail: "Every record is refused for it. Add it to " + c.named + ", remove it before, or leave it out with extra = \"ignore\"."})
			}
		case f.Schema.Type.IsComplex() && !c.json:
			ps = append(ps, engine.Problem{Option: column(f.Name), Summary: at + " is no plain value", Detail: fmt.Sprintf("It is of type %s, and a field of CSV holds one plain value. Take out what is needed with flatten or a map, or write its JSON text with nested = \"json\".", f.Schema.Type)})
		}
	}
	for _, name := range names {
		if s.FieldIndex(name) < 0 {
			ps = append(ps, engine.Problem{Option: column(name), Summary: "unknown field " + schema.FieldStep(name), Detail: "The column would always be a null. Remove it, or correct its name.", Missing: record.Path{{Name: name}}})
		}
	}
	return ps
}
