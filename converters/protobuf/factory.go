package protobufconv

import (
	"fmt"

	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Factory describes protobuf.
func Factory() engine.ConverterFactory {
	return engine.ConverterFactory{
		Component: engine.Component{
			Type:        "protobuf",
			Summary:     "Values are Protobuf binary data, with a schema registry or with a given schema.",
			Description: description,
			Defaults:    func() any { return Defaults() },
			Examples:    examples(),
		},
		New: newConverter,
	}
}

const description = `Reading: the schema is that of the record's id, which the registry is asked for once, with what it imports; the record says which of its messages it is. The data stays as it is; expressions read single fields out of it. ` +
	`proto2, proto3 and editions are read. A field with presence is null when it is not there, unless it declares a default, and one without is its zero. A oneof is a field of its name: an object whose only member is the field that is there, so that ` + "`value.payment.card`" + ` is the field ` + "`card`" + ` of the oneof ` + "`payment`" + `. ` +
	`Timestamps, durations, dates, times of the day, wrappers, ` + "`Struct`, `Value`" + ` and Confluent's decimals are what they stand for. A number that an open enum has no name for is its digits as text. While the registry is away, records of known schemas go on and others wait.

Writing: each schema that records have is registered once under the subject, unless ` + "`use_latest`, `schema_id` or `schema`" + ` say with which one to write. Records that nothing has changed keep the text of their schema and its references. What an expression changes, changes the schema: ` +
	`a new field gets the next free number, all others keep theirs. What Protobuf has no type for is kept in the option ` + "`confluent.field_meta`" + `, from which it comes back; an array within an array, or one that may be null, gets a message around it. ` +
	`A schema that the registry refuses as incompatible is an error of its records, which says which field is the reason. JSON without a schema needs one of the three options and may be Protobuf's own JSON.

Fields that the schema does not know stay in records that are only edited, and are lost where a record is turned into another schema or format.

With ` + "`wire = \"header\"`" + ` the schema's GUID and the message are in the header ` + "`__value_schema_id` or `__key_schema_id`" + `, and the data has no prefix.

A record without value (a tombstone) stays one in both directions.`

func examples() []engine.Example {
	return []engine.Example{
		registered.Example("protobuf"),
		{Title: "JSON to Protobuf of a given schema", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "people" {
  input "stdin" "in" {}

  output "kafka" "people" {
    connection = connection.kafka.main
    topic      = "people"

    value "protobuf" {
      schema  = "syntax = \"proto3\"; package shop; message Person { string name = 1; int32 age = 2; }"
      message = "shop.Person"
      lenient = true
    }
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
	conv.codecs = registered.NewReader(client, registered.Format{Name: "Protobuf data", Middle: indexLength, Looks: looks}, conv.prepare)
	if conv.given, err = c.text(c.Schema, c.Message); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	if conv.reader, err = c.text(c.ReaderSchema, c.ReaderMessage); err != nil {
		return nil, fmt.Errorf("reader_schema: %w", err)
	}
	return conv, nil
}

var _ engine.Typed = (*converter)(nil)

// Decodes implements engine.Typed. With a registry each record that is read says
// which schema it is of, and the given one is what is written.
func (c *converter) Decodes() *schema.Schema {
	switch {
	case c.reader != nil:
		return c.reader.enc.Schema()
	case c.given != nil && (c.Conn == nil || c.Form() == registered.None):
		return c.given.enc.Schema()
	}
	return nil
}

// Encodes implements engine.Typed. What a registry has is known in a run only.
func (c *converter) Encodes() *schema.Schema {
	if c.given == nil || c.FromRegistry() {
		return nil
	}
	return c.given.enc.Schema()
}

// unknown stands for Protobuf data whose schema only the record tells.
type unknown struct{}

func (unknown) Name() string { return "protobuf" }

func (unknown) Index(*record.Doc, []byte) error { return errUnknown }

func (unknown) AppendJSON(dst, _ []byte) ([]byte, error) { return dst, errUnknown }

var errUnknown = fmt.Errorf("Protobuf data without its schema") //nolint:staticcheck // a name

func (c *converter) Decoded() record.Encoding {
	switch {
	case c.reader != nil:
		return c.reader.enc
	case c.given != nil && c.Conn == nil:
		return c.given.enc
	}
	return unknown{}
}
