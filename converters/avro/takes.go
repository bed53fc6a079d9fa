package avroconv

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/engine/schema"
)

// Takes implements engine.Taker.
func (c *converter) Takes(s *schema.Schema) []engine.Problem {
	switch {
	case s.Vague() || c.FromRegistry():
		return nil
	case c.given != nil:
		_, err := avro.NewWriter(c.given.Avro(), s, avro.WriterOptions{Lenient: c.config.Lenient})
		if err == nil {
			return nil
		}
		return []engine.Problem{{Option: "schema", Summary: "the records do not fit the schema", Detail: "They cannot be written with it: " + err.Error() + "."}}
	}
	own, err := avro.FromSchema(s, c.from)
	if err == nil {
		_, err = avro.NewWriter(own, s, avro.WriterOptions{Lenient: c.config.Lenient})
	}
	if err == nil {
		return nil
	}
	p := engine.Problem{Summary: "Avro cannot carry the records", Detail: "They cannot be written: " + err.Error() + "."}
	// The option that lets it pass is the one to name.
	untyped, scrub := c.from, c.from
	untyped.Untyped, scrub.Scrub = true, true
	if _, err := avro.FromSchema(s, untyped); err == nil {
		p.Detail += " Set the field to something of a known type, or write it as JSON text with untyped = \"json\"."
	} else if _, err := avro.FromSchema(s, scrub); err == nil {
		p.Detail += " Rename it, or let scrub_names = true replace what is not allowed."
	}
	return []engine.Problem{p}
}
