// Package jsonschemaconv is the converter between JSON that a JSON Schema
// describes and values.
package jsonschemaconv

import (
	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/jsonschema"
)

// Config holds the options of json_schema.
type Config struct {
	registered.Options

	Schema       engine.SchemaOption `flow:"schema" notation:"json_schema type" doc:"The schema: a schema block, or the text of a JSON Schema. Without a registry it is that of all records; with one it is what records are written as." example:"file(\"order.schema.json\")"`
	ReaderSchema engine.SchemaOption `flow:"reader_schema" notation:"json_schema type" doc:"The schema as which all records are read: a schema block, or the text of a JSON Schema. They are read so, whatever they were written with: fields are found by name, a missing one is its default or null. All records then have the same schema." example:"file(\"order-v2.schema.json\")"`

	Validation bool   `flow:"validate" doc:"Checks values against every keyword of their schema when they are read and when they are written: pattern, minimum, if and all others, and formats. Without it types, enums and required members are checked."`
	Additional string `flow:"additional_properties" oneof:"error drop" doc:"What reading makes of a member that the properties of its object do not list, also where the schema allows it: a record has fields of its schema only."`
	Lenient    bool   `flow:"lenient" doc:"Reads what can mean only one thing: a number or boolean in quotes, 1.0 for an integer, dates and times as text or number. When records are written with a schema that is not their own, reads them so, too, and leaves out members that it lacks. Writes a value of a union also where JSON does not tell it from one of an earlier branch, as which it is then read. Otherwise these are errors of the record."`

	Decimal string `flow:"decimal" oneof:"number base64" doc:"How decimals are written: as numbers with all their digits, or as base64 of their bytes, which is Kafka Connect's default although the schema says number. Both are read."`
	Connect bool   `flow:"connect_compatible" doc:"Writes dates, times and timestamps of milliseconds as numbers, as Kafka Connect's JSON Schema converter does and reads. Otherwise they are texts of the formats date and date-time."`
	Open    bool   `flow:"open_objects" doc:"Lets schemas that are made for records allow more members than they list, as Kafka Connect's do. A registry then refuses a new optional field where compatibility is backward: old data may have had anything under its name."`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{Options: registered.Defaults(), Additional: "error", Decimal: "number"}
}

// Validate reports every mistake, each at its option.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	ps = append(ps, c.Problems(!c.Schema.IsZero(), !c.ReaderSchema.IsZero(), "Give registry = connection.registry.NAME, or schema = file(\"NAME.schema.json\"). JSON without a schema is value \"json\".")...)
	if c.Validation && c.Decimal == "base64" {
		add("decimal", "decimals that are not of their schema", `A schema says of a decimal that it is a number, so that base64 would not pass. Leave decimal out, or set validate = false.`)
	}
	given, err := c.text(c.Schema)
	if err != nil {
		add("schema", "schema cannot be used", "Correct the option schema: "+err.Error()+".")
	}
	reader, err := c.text(c.ReaderSchema)
	if err != nil {
		add("reader_schema", "schema cannot be used", "Correct the option reader_schema: "+err.Error()+".")
	}
	if given != nil && c.Validation {
		if _, err := newValidator(given); err != nil {
			add("schema", "values cannot be checked against the schema", "Correct the option schema: "+err.Error()+".")
		}
	}
	if given != nil && reader != nil {
		if _, err := jsonschema.Plan(given.model, reader.model); err != nil {
			add("reader_schema", "records cannot be read so", "Correct reader_schema: "+err.Error()+".")
		}
	}
	return ps
}

func (c *Config) payload() jsonschema.Options {
	return jsonschema.Options{KeepNulls: true, Lenient: c.Lenient, Drop: c.Additional == "drop", Base64: c.Decimal == "base64"}
}

// text returns the schema of an option as a JSON Schema; nil without.
func (c *Config) text(o engine.SchemaOption) (*text, error) {
	switch {
	case o.IsZero():
		return nil, nil
	case o.Notation == engine.NotationJSONSchema:
		return &text{text: o.Text, schema: o.Schema, model: o.Schema}, nil
	}
	return c.textOf(o.Schema)
}

// textOf makes a JSON Schema.
func (c *Config) textOf(s *schema.Schema) (*text, error) {
	styled := c.style().Of(s)
	b, err := jsonschema.Append(nil, styled)
	return &text{text: string(b), schema: styled, model: s}, err
}

func (c *Config) style() jsonschema.Style {
	return jsonschema.Style{Formats: !c.Connect, Closed: !c.Open}
}
