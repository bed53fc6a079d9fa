// Package avroconv is the converter between Avro's binary data and values.
package avroconv

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record/avro"
)

// Config holds the options of avro.
type Config struct {
	Registry engine.ConnectionRef `flow:"registry" system:"registry" doc:"The registry that has the schemas. Records then say which one they are written with." example:"connection.registry.main"`
	Schema   string               `flow:"schema" doc:"Avro schema, as JSON text. Without a registry it is that of all records; with one it is what records are written as." example:"file(\"order.avsc\")"`

	ReaderSchema string `flow:"reader_schema" doc:"Avro schema, as JSON text, as which all records are read, whatever they were written with: by the rules of Avro's schema resolution. All records then have the same schema." example:"file(\"order-v2.avsc\")"`
	Strict       bool   `flow:"strict" doc:"Checks every value when it is read, also those that nothing touches."`

	Wire string `flow:"wire" oneof:"auto prefix header none" doc:"How a record says which schema it is written with: a prefix of 5 bytes with the schema's id, a header with its GUID, or not at all. auto is prefix with a registry and none without. Reading takes prefix and header alike."`

	Subject         string `flow:"subject" doc:"Subject under which schemas are when writing. Empty: by subject_strategy." example:"\"orders-value\""`
	SubjectStrategy string `flow:"subject_strategy" oneof:"topic record topic_record" doc:"What the subject is made of: topic is TOPIC-key or TOPIC-value, record the full name of the record, topic_record TOPIC-NAME."`
	AutoRegister    bool   `flow:"auto_register" doc:"Registers schemas that the subject does not have yet. Without it they must be there."`
	UseLatest       bool   `flow:"use_latest" doc:"Writes all records with the latest version of the subject."`
	SchemaID        int    `flow:"schema_id" unit:"" min:"0" doc:"Writes all records with the schema of this id. 0: none."`

	Lenient          bool   `flow:"lenient" doc:"When records are written with a schema that is not their own: leaves out members that it lacks, rounds digits that it does not keep, writes the default for a null that it does not allow, and text for other scalars. Otherwise these are errors of the record."`
	RecordName       string `flow:"record_name" doc:"Full name of a record whose schema has none. Empty: io.confluent.connect.avro.ConnectDefault, as Kafka Connect names it." example:"\"shop.Order\""`
	Connect          bool   `flow:"connect_compatible" doc:"Writes into schemas the properties from which Kafka Connect's Avro converter reads its own names and logical types."`
	Untyped          string `flow:"untyped" oneof:"error json" doc:"What becomes of a field whose type is not known, since it was set to an array or object without schema: json writes it as a string of JSON text."`
	DecimalPrecision int    `flow:"decimal_precision" unit:"digits" min:"1" max:"1000" doc:"Precision of decimals that say none. Kafka Connect writes 64, which Spark and BigQuery refuse."`
	ScrubNames       bool   `flow:"scrub_names" doc:"Replaces characters that Avro does not allow in names by underscores. Otherwise such a name is an error."`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{Wire: "auto", SubjectStrategy: "topic", AutoRegister: true, Untyped: "error", DecimalPrecision: avro.DefaultPrecision}
}

// Validate reports every mistake, each at its option.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	if c.Registry.Name == "" {
		if c.Schema == "" && c.ReaderSchema == "" {
			add("", "no schema", "Avro data cannot be read or written without its schema. Give registry = connection.registry.NAME, or schema = file(\"NAME.avsc\").")
		} else if c.Schema == "" {
			add("reader_schema", "reader_schema without a schema", "It is as what records are read; as what they were written tells a registry or the option schema.")
		}
		for _, o := range []struct {
			name string
			set  bool
		}{{"wire", c.Wire == "prefix" || c.Wire == "header"}, {"subject", c.Subject != ""}, {"use_latest", c.UseLatest}, {"schema_id", c.SchemaID != 0}} {
			if o.set {
				add(o.name, o.name+" is for a registry", "Name a registry: registry = connection.registry.NAME.")
			}
		}
	}
	count := 0
	for _, set := range []bool{c.UseLatest, c.SchemaID != 0, c.Schema != "" && c.Registry.Name != ""} {
		if set {
			count++
		}
	}
	if count > 1 {
		add("", "several schemas to write", "Records are written with use_latest, with schema_id or with schema. Give one of them, or none to write each record with its own schema.")
	}
	if c.Wire == "none" && c.Registry.Name != "" && c.Schema == "" && !c.UseLatest && c.SchemaID == 0 {
		add("wire", "records would not say what they are", `With wire = "none" all records are of one schema. Give schema, use_latest or schema_id.`)
	}
	for _, o := range []struct{ name, text string }{{"schema", c.Schema}, {"reader_schema", c.ReaderSchema}} {
		if o.text == "" {
			continue
		}
		if _, err := avro.Parse([]byte(o.text)); err != nil {
			add(o.name, "no Avro schema", "Correct the option "+o.name+": "+err.Error()+".")
		}
	}
	if c.Schema != "" && c.ReaderSchema != "" && len(ps) == 0 {
		w, _ := avro.Parse([]byte(c.Schema))
		r, _ := avro.Parse([]byte(c.ReaderSchema))
		if _, err := avro.NewResolver(w, r); err != nil {
			add("reader_schema", "records cannot be read so", "Correct reader_schema: "+err.Error()+".")
		}
	}
	return ps
}

// wire returns the form without auto.
func (c *Config) wire() string {
	switch {
	case c.Wire != "auto":
		return c.Wire
	case c.Registry.Name != "":
		return "prefix"
	}
	return "none"
}
