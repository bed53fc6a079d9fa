// Package avroconv is the converter between Avro's binary data and values.
package avroconv

import (
	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record/avro"
)

// Config holds the options of avro.
type Config struct {
	registered.Options

	Schema       engine.SchemaOption `flow:"schema" notation:"avro type" doc:"The schema: a schema block, or Avro's JSON text. Without a registry it is that of all records; with one it is what records are written as." example:"file(\"order.avsc\")"`
	ReaderSchema engine.SchemaOption `flow:"reader_schema" notation:"avro type" doc:"The schema as which all records are read: a schema block, or Avro's JSON text. They are read so, whatever they were written with: by the rules of Avro's schema resolution. All records then have the same schema." example:"file(\"order-v2.avsc\")"`
	Strict       bool                `flow:"strict" doc:"Checks every value when it is read, also those that nothing touches."`

	Lenient          bool   `flow:"lenient" doc:"When records are written with a schema that is not their own: leaves out members that it lacks, rounds digits that it does not keep, writes the default for a null that it does not allow, text for other scalars, and a branch of a union under another name. Otherwise these are errors of the record."`
	RecordName       string `flow:"record_name" doc:"Full name of a record whose schema has none. Empty: io.confluent.connect.avro.ConnectDefault, as Kafka Connect names it." example:"\"shop.Order\""`
	Connect          bool   `flow:"connect_compatible" doc:"Writes into schemas the properties from which Kafka Connect's Avro converter reads its own names and logical types."`
	Untyped          string `flow:"untyped" oneof:"error json" doc:"What becomes of a field whose type is not known, since it was set to an array or object without schema: json writes it as a string of JSON text."`
	DecimalPrecision int    `flow:"decimal_precision" unit:"digits" min:"1" max:"1000" doc:"Precision of decimals that say none. Kafka Connect writes 64, which Spark and BigQuery refuse."`
	ScrubNames       bool   `flow:"scrub_names" doc:"Replaces characters that Avro does not allow in names by underscores. Otherwise such a name is an error."`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{Options: registered.Defaults(), Untyped: "error", DecimalPrecision: avro.DefaultPrecision}
}

// Validate reports every mistake, each at its option.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	ps = append(ps, c.Problems(!c.Schema.IsZero(), !c.ReaderSchema.IsZero(), "Avro data cannot be read or written without its schema. Give registry = connection.registry.NAME, or schema = file(\"NAME.avsc\").")...)
	w, err := c.avro(c.Schema)
	if err != nil {
		add("schema", "Avro cannot carry the schema", "Correct the option schema: "+err.Error()+".")
	}
	r, err := c.avro(c.ReaderSchema)
	if err != nil {
		add("reader_schema", "Avro cannot carry the schema", "Correct the option reader_schema: "+err.Error()+".")
	}
	if w != nil && r != nil && len(ps) == 0 {
		if _, err := avro.NewResolver(w, r); err != nil {
			add("reader_schema", "records cannot be read so", "Correct reader_schema: "+err.Error()+".")
		}
	}
	return ps
}

// from says how schemas become those of Avro.
func (c *Config) from() avro.FromOptions {
	return avro.FromOptions{Name: c.RecordName, Connect: c.Connect, Untyped: c.Untyped == "json", Precision: c.DecimalPrecision, Scrub: c.ScrubNames}
}

// avro returns the schema of an option as one of Avro; nil without.
func (c *Config) avro(o engine.SchemaOption) (*avro.Schema, error) {
	switch {
	case o.IsZero():
		return nil, nil
	case o.Notation == engine.NotationAvro:
		return avro.Parse([]byte(o.Text))
	}
	return avro.FromSchema(o.Schema, c.from())
}
