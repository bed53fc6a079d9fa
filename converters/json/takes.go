package jsonconv

import (
	"strings"

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
				return misfits(s, as)
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

// here names the two sides as they are where records are written.
var here = strings.NewReplacer("the writer", "the record", "the reader", "the schema")

// misfits are the reasons why records of s cannot be converted to a schema. What
// these advise to do is for schemas that change in time.
func misfits(s, to *schema.Schema) []engine.Problem {
	var ps []engine.Problem
	for _, e := range schema.Compatible(to, s) {
		what := "the whole"
		if e.Path != "" {
			what = e.Path
		}
		why, _, _ := strings.Cut(here.Replace(e.Msg), ": ")
		ps = append(ps, engine.Problem{Option: "schema", Summary: what + " does not fit the schema", Detail: "Here " + why + ". Convert or set it before, as with cast or map, or change the schema of the output."})
	}
	return ps
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
