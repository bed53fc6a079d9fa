// Package protobufconv is the converter between Protobuf's binary data and
// values.
package protobufconv

import (
	"maps"
	"slices"

	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record/protobuf"
)

// Config holds the options of protobuf.
type Config struct {
	registered.Options

	Schema  engine.SchemaOption `flow:"schema" notation:"protobuf type" doc:"The schema: a schema block, or the text of a .proto file. Without a registry it is that of all records; with one it is what records are written as." example:"file(\"order.proto\")"`
	Message string              `flow:"message" doc:"Full name of the message that records are, within schema or within what the registry has. Empty: when reading with a registry the one that the record names, otherwise the first one of the file." example:"\"shop.Order\""`
	Imports map[string]string   `flow:"imports" doc:"Texts of the files that schema and reader_schema import, and of those that these import in turn, each under the path by which it is imported. Those of google/protobuf, google/type and confluent are known without it." example:"{ \"common/money.proto\" = file(\"common/money.proto\") }"`

	ReaderSchema  engine.SchemaOption `flow:"reader_schema" notation:"protobuf type" doc:"The schema as which all records are read: a schema block, or the text of a .proto file. Fields are found by their numbers. All records then have the same schema." example:"file(\"order-v2.proto\")"`
	ReaderMessage string              `flow:"reader_message" doc:"Full name of the message within reader_schema. Empty: the first one." example:"\"shop.Order\""`
	Strict        bool                `flow:"strict" doc:"Checks every value when it is read, also those that nothing touches."`

	Lenient    bool   `flow:"lenient" doc:"When records are written with a schema that is not their own: leaves out members that it lacks, cuts digits of times that it does not keep, writes the zero for a null that it does not allow, and text for other scalars. Otherwise these are errors of the record."`
	RecordName string `flow:"record_name" doc:"Full name of the message for records whose schema has none. Empty: Record." example:"\"shop.Order\""`
	Untyped    string `flow:"untyped" oneof:"error json value" doc:"What becomes of a field whose type is not known, since it was set to an array or object without schema: json writes it as a string of JSON text, value as google.protobuf.Value, whose numbers are all doubles."`
	ScrubNames bool   `flow:"scrub_names" doc:"Replaces characters that Protobuf does not allow in names by underscores. Otherwise such a name is an error."`
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{Options: registered.Defaults(), Untyped: "error"} }

// Validate reports every mistake, each at its option.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	if c.ReaderMessage != "" && c.ReaderSchema.IsZero() {
		add("reader_message", "reader_message without reader_schema", "It is a message within reader_schema. To choose one of schema or of the registry set message.")
	}
	ps = append(ps, c.Problems(!c.Schema.IsZero(), !c.ReaderSchema.IsZero(), "Protobuf data cannot be read or written without its schema. Give registry = connection.registry.NAME, or schema = file(\"NAME.proto\").")...)
	given, err := c.text(c.Schema, c.Message)
	if err != nil {
		add("schema", "schema cannot be used", "Correct the option schema: "+err.Error()+".")
	}
	reader, err := c.text(c.ReaderSchema, c.ReaderMessage)
	if err != nil {
		add("reader_schema", "schema cannot be used", "Correct the option reader_schema: "+err.Error()+".")
	}
	if path := c.unused(given, reader); path != "" {
		add("imports", "a file that nothing imports", "Neither schema nor reader_schema imports "+path+", nor does a file that they import. The names of imports are the paths that stand in import \"...\"; leave out what is not needed.")
	}
	if given != nil && reader != nil {
		if why := protobuf.Compatible(given.message, reader.message); len(why) > 0 {
			add("reader_schema", "records cannot be read so", "Correct reader_schema: "+why[0]+".")
		}
	}
	return ps
}

// unused returns one of imports that the schemas do not import; none if one of
// these cannot be used at all, which is the mistake then.
func (c *Config) unused(schemas ...*text) string {
	for i, o := range []engine.SchemaOption{c.Schema, c.ReaderSchema} {
		if schemas[i] == nil && !o.IsZero() {
			return ""
		}
	}
	for _, path := range slices.Sorted(maps.Keys(c.Imports)) {
		used := slices.ContainsFunc(schemas, func(t *text) bool { return t != nil && t.imports[path] != nil })
		if !used {
			return path
		}
	}
	return ""
}

// from says how schemas become messages.
func (c *Config) from() protobuf.FromOptions {
	o := protobuf.FromOptions{Name: c.RecordName, Scrub: c.ScrubNames}
	switch c.Untyped {
	case "json":
		o.Untyped = protobuf.UntypedJSON
	case "value":
		o.Untyped = protobuf.UntypedValue
	}
	return o
}

// text returns the schema of an option; nil without.
func (c *Config) text(o engine.SchemaOption, message string) (*text, error) {
	switch {
	case o.IsZero():
		return nil, nil
	case o.Schema == nil:
		return compile(o.Text, c.Imports, message)
	}
	m, err := protobuf.FromSchema(o.Schema, c.from())
	if err != nil {
		return nil, err
	}
	return newText(m.File, m, m.File.Text())
}
