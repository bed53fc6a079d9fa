package jsonconv

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
)

// Takes implements engine.Taker.
func (c *converter) Takes(s *schema.Schema) []engine.Problem {
	if s.Vague() {
		return nil
	}
	as := s
	if c.given != nil {
		if as = c.given; s != as {
			if _, err := c.plans.of(s, as); err != nil {
				return []engine.Problem{{Option: "schema", Summary: "the records do not fit the schema", Detail: "They cannot be converted to it: " + err.Error() + "."}}
			}
		}
	}
	if c.config.Form == formEnvelope {
		if _, err := connect.AppendSchema(nil, as, c.options); err != nil {
			return []engine.Problem{{Option: "form", Summary: "an envelope cannot carry the records", Detail: "Their schema cannot be written: " + err.Error() + "."}}
		}
	}
	return c.foreign(as)
}

// foreign are the types that Kafka Connect does not have, where these are
// refused.
func (c *converter) foreign(s *schema.Schema) []engine.Problem {
	if c.config.Form == formPlain || c.config.Foreign != "error" {
		return nil
	}
	var ps []engine.Problem
	for _, e := range connect.Foreign(s) {
		what := e.Path
		if what == "" {
			what = "the whole"
		}
		ps = append(ps, engine.Problem{Option: "foreign", Summary: what + " is of a type that Kafka Connect does not have", Detail: "It would be written as a plain type: " + e.Msg + ". Cast it before, or leave out foreign = \"error\"."})
	}
	return ps
}
