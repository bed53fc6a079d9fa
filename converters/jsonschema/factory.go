package jsonschemaconv

import (
	"fmt"

	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Factory describes json_schema.
func Factory() engine.ConverterFactory {
	return engine.ConverterFactory{
		Component: engine.Component{
			Type:        "json_schema",
			Summary:     "Values are JSON texts that a JSON Schema describes, with a schema registry or with a given schema.",
			Description: description,
			Defaults:    func() any { return Defaults() },
			Examples:    examples(),
		},
		New: newConverter,
	}
}

const description = `Reading: the schema is that of the record's id, which the registry is asked for once, with what it refers to. It gives values their types: integers and numbers, the formats ` + "`date`, `date-time` and `uuid`" + `, enums, maps, unions of ` + "`oneOf` and `anyOf`" + `, and all of Kafka Connect's by its ` + "`connect.*`" + ` keywords. ` +
	`Drafts 4 to 2020-12 are read. A value that is not of its type is an error of the record; ` + "`validate`" + ` checks all other keywords, too. While the registry is away, records of known schemas go on and others wait.

Writing: each schema that records have is registered once under the subject, unless ` + "`use_latest`, `schema_id` or `schema`" + ` say with which one to write. Records that were read with this converter and the same registry and that nothing has changed keep the text of their schema and its references; for all others a schema of draft 7 is made, with ` + "`connect.*`" + ` and ` + "`flow.*`" + ` keywords from which every type comes back. ` +
	`Its objects take no members that they do not list, so that a registry takes a new optional field as compatible. A schema that the registry refuses as incompatible is an error of its records, which says why. JSON without a schema needs one of the three options.

Decimals are numbers with all their digits, bytes are base64, dates and times are texts, unless ` + "`connect_compatible`" + ` is set.

With ` + "`wire = \"header\"`" + ` the schema's GUID is in the header ` + "`__value_schema_id` or `__key_schema_id`" + `, and the data has no prefix.

A record without value (a tombstone) stays one in both directions.`

func examples() []engine.Example {
	return []engine.Example{
		registered.Example("json_schema"),
		{Title: "Let only lines pass that a JSON Schema takes", HCL: `pipeline "people" {
  input "stdin" "in" {
    value "json_schema" {
      schema   = "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"minLength\":1}},\"required\":[\"name\"]}"
      validate = true
    }
  }

  output "stdout" "out" {}

  output "file" "failed" {
    from   = [errors]
    path   = "failed.jsonl"
    format = "envelope"
  }
}
`},
	}
}

type converter struct {
	*registered.Client
	config *Config
	// given is the option schema, reader the option reader_schema; nil without.
	given, reader *text
	codecs        *registered.Reader[*codec]
}

func newConverter(config any, env engine.Env) (engine.Converter, error) {
	c := config.(*Config)
	client, err := registered.NewClient(c.Options, env)
	if err != nil {
		return nil, err
	}
	conv := &converter{Client: client, config: c}
	conv.codecs = registered.NewReader(client, registered.Format{Name: "JSON with a schema", Looks: looks}, conv.prepare)
	if conv.given, err = c.text(c.Schema); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	if conv.reader, err = c.text(c.ReaderSchema); err != nil {
		return nil, fmt.Errorf("reader_schema: %w", err)
	}
	return conv, nil
}

var _ engine.Typed = (*converter)(nil)

// Decodes implements engine.Typed. With a registry each record that is read says
// which schema it is of, and the given one is what is written.
func (c *converter) Decodes() *schema.Schema {
	if c.Conn != nil && c.Form() == registered.None && c.reader == nil && c.given != nil {
		return c.given.model
	}
	return record.SchemaOf(c.Decoded())
}

// Encodes implements engine.Typed. What a registry has is known in a run only.
func (c *converter) Encodes() *schema.Schema {
	if c.given == nil || c.FromRegistry() {
		return nil
	}
	return c.given.model
}

func (c *converter) Decoded() record.Encoding {
	switch {
	case c.reader != nil:
		return record.JSONOf(c.reader.model)
	case c.given != nil && c.Conn == nil:
		return record.JSONOf(c.given.model)
	}
	return record.JSON
}
