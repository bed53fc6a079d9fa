package jsonschemaconv

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/jsonschema"
)

// Takes implements engine.Taker.
func (c *converter) Takes(s *schema.Schema) []engine.Problem {
	if s.Vague() || c.FromRegistry() || c.config.Lenient {
		return nil
	}
	if c.given != nil {
		if _, err := jsonschema.Plan(s, c.given.model); err != nil {
			return []engine.Problem{{Option: "schema", Summary: "the records do not fit the schema", Detail: "They cannot be written with it: " + err.Error() + "."}}
		}
		return nil
	}
	if _, err := c.config.textOf(s); err != nil {
		return []engine.Problem{{Summary: "JSON Schema cannot carry the records", Detail: "Their schema cannot be written: " + err.Error() + "."}}
	}
	var ps []engine.Problem
	for _, e := range jsonschema.Ambiguous(c.config.style().Of(s)) {
		ps = append(ps, engine.Problem{Summary: e.Path + " cannot be told from another branch", Detail: "JSON does not say of which branch of a union a value is: " + e.Msg + ". Make the field a struct or one plain type before, or write it so all the same with lenient = true."})
	}
	return ps
}
