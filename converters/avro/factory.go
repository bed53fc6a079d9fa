package avroconv

import (
	"fmt"

	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/engine/schema"
)

// Factory describes avro.
func Factory() engine.ConverterFactory {
	return engine.ConverterFactory{
		Component: engine.Component{
			Type:        "avro",
			Summary:     "Values are Avro binary data, with a schema registry or with a given schema.",
			Description: description,
			Defaults:    func() any { return Defaults() },
			Examples:    examples(),
		},
		New: newConverter,
	}
}

const description = `Reading: the schema is that of the record's id, which the registry is asked for once. The data stays as it is; expressions read single fields out of it. ` +
	`Every type of Avro keeps its meaning: decimals all their digits, instants their nanoseconds. Branches of a union are called by their types, as in Avro's JSON, unless the schema says otherwise in ` + "`flow.branch`" + `, as those that flow writes do. While the registry is away, records of known schemas go on and others wait. ` +
	`A record whose id the registry does not know, or whose data does not fit its schema, is an error of that record.

Writing: each schema that records have is registered once under the subject, unless ` + "`use_latest`, `schema_id` or `schema`" + ` say with which one to write. What an expression changes, changes the schema: ` +
	`a new field is optional, so that the registry takes the new version where compatibility is backward. A schema that the registry refuses as incompatible is an error of its records, which says which field is the reason. ` +
	`JSON without a schema needs one of the three.

With ` + "`wire = \"header\"`" + ` the schema's GUID is in the header ` + "`__value_schema_id` or `__key_schema_id`" + `, and the data has no prefix.

A record without value (a tombstone) stays one in both directions.`

func examples() []engine.Example {
	return []engine.Example{
		registered.Example("avro"),
		{Title: "JSON lines to Avro of a given schema", HCL: `pipeline "people" {
  input "stdin" "in" {}

  output "stdout" "out" {
    value "avro" {
      schema  = "{\"type\":\"record\",\"name\":\"Person\",\"fields\":[{\"name\":\"name\",\"type\":\"string\"}]}"
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
	given, reader *avro.Encoding
	from          avro.FromOptions
	codecs        *registered.Reader[*codec]
}

func newConverter(config any, env engine.Env) (engine.Converter, error) {
	c := config.(*Config)
	client, err := registered.NewClient(c.Options, env)
	if err != nil {
		return nil, err
	}
	conv := &converter{Client: client, config: c, from: c.from()}
	conv.codecs = registered.NewReader(client, registered.Format{Name: "Avro data", Looks: looks}, conv.prepare)
	if conv.given, err = c.encoding(c.Schema); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	if conv.reader, err = c.encoding(c.ReaderSchema); err != nil {
		return nil, fmt.Errorf("reader_schema: %w", err)
	}
	return conv, nil
}

// encoding is that of the schema of an option; nil without.
func (c *Config) encoding(o engine.SchemaOption) (*avro.Encoding, error) {
	s, err := c.avro(o)
	if err != nil || s == nil {
		return nil, err
	}
	return avro.NewEncoding(s)
}

var _ engine.Typed = (*converter)(nil)

// Decodes implements engine.Typed. With a registry each record that is read says
// which schema it is of, and the given one is what is written.
func (c *converter) Decodes() *schema.Schema {
	switch {
	case c.reader != nil:
		return c.reader.Schema()
	case c.given != nil && (c.Conn == nil || c.Form() == registered.None):
		return c.given.Schema()
	}
	return nil
}

// Encodes implements engine.Typed. What a registry has is known in a run only.
func (c *converter) Encodes() *schema.Schema {
	if c.given == nil || c.FromRegistry() {
		return nil
	}
	return c.given.Schema()
}

// unknown stands for Avro data whose schema only the record tells.
type unknown struct{}

func (unknown) Name() string { return "avro" }

func (unknown) Index(*record.Doc, []byte) error { return errUnknown }

func (unknown) AppendJSON(dst, _ []byte) ([]byte, error) { return dst, errUnknown }

var errUnknown = fmt.Errorf("Avro data without its schema") //nolint:staticcheck // a name

func (c *converter) Decoded() record.Encoding {
	switch {
	case c.reader != nil:
		return c.reader
	case c.given != nil && c.Conn == nil:
		return c.given
	}
	return unknown{}
}
