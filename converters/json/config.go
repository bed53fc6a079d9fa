// Package jsonconv is the converter between bytes that are JSON and values.
package jsonconv

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/schema/connect"
)

// The forms of JSON.
const (
	formPlain    = "plain"
	formEnvelope = "envelope"
	formPayload  = "payload"
)

// Config holds the options of json.
type Config struct {
	Strict bool   `flow:"strict" doc:"Checks every value when it is read, also those that no expression touches. Values with a schema always are."`
	Form   string `flow:"form" oneof:"plain envelope payload" doc:"plain is JSON. envelope is Kafka Connect's {\"schema\": ..., \"payload\": ...}, as its JsonConverter reads and writes it with schemas.enable. payload is the payload alone, as it writes it without."`

	Schema     engine.SchemaOption `flow:"schema" notation:"type connect" doc:"The schema of all values: a schema block, a type, or a schema of Kafka Connect's envelope. With form = \"envelope\" values of other schemas are converted to it by the rules of Avro's schema resolution; otherwise values read must be of it." example:"schema.order"`
	Schemaless string              `flow:"schemaless" oneof:"error null" doc:"What form = \"envelope\" writes for a value that has no schema: null writes \"schema\": null, as Kafka Connect does."`

	Decimal string `flow:"decimal" oneof:"number base64" doc:"How envelope and payload write decimals: as numbers with all their digits, or as base64 of their bytes, which is Kafka Connect's default. Both are read."`
	Foreign string `flow:"foreign" oneof:"plain error" doc:"What envelope and payload do with types that Kafka Connect does not have, such as uuid or a timestamp in microseconds. plain: they are plain types with parameters in the schema, from which flow reads them back exactly. error: they are errors of the record, and of the config where the schema is known."`
	Lenient bool   `flow:"lenient" doc:"Reads from envelope and payload what can mean only one thing: a number or boolean in quotes, 1.0 for an integer, dates and times as text, base64 without padding. Leaves out members that the schema does not have. Otherwise all of these are errors of the record."`
	Replace bool   `flow:"replace_null_with_default" doc:"Reads and writes a null as the default of its schema, if there is one, as Kafka Connect does by default. A member that is not there is its default anyway."`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{Form: formPlain, Schemaless: "error", Decimal: "number", Foreign: "plain"}
}

// Validate implements engine.Validator.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	def := Defaults()
	for _, o := range []struct {
		name, forms string
		set, good   bool
	}{
		{"schemaless", `form = "envelope"`, c.Schemaless != def.Schemaless, c.Form == formEnvelope},
		{"decimal", `form = "envelope" or "payload"`, c.Decimal != def.Decimal, c.Form != formPlain},
		{"foreign", `form = "envelope" or "payload"`, c.Foreign == "error", c.Form != formPlain},
		{"lenient", `form = "envelope" or "payload"`, c.Lenient, c.Form != formPlain},
		{"replace_null_with_default", `form = "envelope" or "payload"`, c.Replace, c.Form != formPlain},
	} {
		if o.set && !o.good {
			add(o.name, o.name+" is for "+o.forms, "Set "+o.forms+", or leave "+o.name+" out.")
		}
	}
	return ps
}

// options are those of Connect's payload.
func (c *Config) options() connect.Options {
	return connect.Options{Numeric: c.Decimal == "number", KeepNulls: !c.Replace, FillIn: true, Lenient: c.Lenient}
}
