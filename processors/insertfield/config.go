// Package insertfield is the processor insert_field: it adds what is known of a
// record, or a fixed text, to its value or key.
package insertfield

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of insert_field.
type Config struct {
	transform.Common
	Topic       engine.PathOption `flow:"topic_field" doc:"Where the topic goes." example:"\"source.topic\""`
	Partition   engine.PathOption `flow:"partition_field" doc:"Where the number of the partition goes." example:"\"source.partition\""`
	Offset      engine.PathOption `flow:"offset_field" doc:"Where the offset goes." example:"\"source.offset\""`
	Timestamp   engine.PathOption `flow:"timestamp_field" doc:"Where the timestamp goes: a timestamp, which JSON without a schema writes as RFC 3339." example:"\"created_at\""`
	Static      engine.PathOption `flow:"static_field" doc:"Where static_value goes." example:"\"source.system\""`
	StaticValue string            `flow:"static_value" doc:"The text of static_field." example:"\"shop\""`
	Required    []string          `flow:"required" oneof:"topic partition offset timestamp static" doc:"Which of the fields are not optional in the schema. With one of these a record that lacks what is inserted is an error."`
	Existing    string            `flow:"existing" oneof:"replace keep connect" doc:"What happens to a field that is there. replace: it gets the new value. keep: it stays as it is. connect: as in Kafka Connect, it is replaced without a schema and an error with one."`
	Connect     bool              `flow:"connect" doc:"Writes, as Kafka Connect's InsertField, the timestamp without a schema as milliseconds since 1970."`
	transform.Nulls
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{Common: transform.Common{On: transform.OnValue}, Existing: "replace"}
}

// Validate finds an insertion of nothing and fields that are the same.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	if c.StaticValue != "" && len(c.Static.Path) == 0 {
		ps = append(ps, engine.Problem{Option: "static_value", Summary: "static_value without static_field", Detail: "Say where it goes: static_field = \"source\""})
	}
	inserts := c.inserts()
	if len(inserts) == 0 && len(ps) == 0 {
		ps = append(ps, engine.Problem{Summary: "insert_field inserts nothing", Detail: "Give at least one of topic_field, partition_field, offset_field, timestamp_field and static_field."})
	}
	seen := make(map[string]string)
	for _, in := range inserts {
		p := in.path.String()
		if other := seen[p]; other != "" {
			ps = append(ps, engine.Problem{Option: in.what + "_field", Summary: fmt.Sprintf("%s_field and %s_field are the same", other, in.what), Detail: "Only one of them could stay."})
		}
		seen[p] = in.what
	}
	return ps
}

// insert is one field.
type insert struct {
	what     string
	path     record.Path
	required bool
}

func (c *Config) inserts() []insert {
	var out []insert
	for _, in := range []insert{{what: "topic", path: c.Topic.Path}, {what: "partition", path: c.Partition.Path}, {what: "offset", path: c.Offset.Path}, {what: "timestamp", path: c.Timestamp.Path}, {what: "static", path: c.Static.Path}} {
		if len(in.path) == 0 {
			continue
		}
		for _, name := range c.Required {
			in.required = in.required || name == in.what
		}
		out = append(out, in)
	}
	return out
}

func (c *Config) changes() engine.Changes {
	var paths []record.Path
	for _, in := range c.inserts() {
		paths = append(paths, in.path)
	}
	return c.Changes(nil, paths, nil)
}

// equal is the processor as a map.
func (c *Config) equal() []string {
	var pairs []string
	for _, in := range c.inserts() {
		pairs = append(pairs, in.path.String(), c.expression(in))
	}
	return []string{c.Members(c.NotNull(), append(c.First(&c.Common), transform.Pairs("set", pairs...))...)}
}

// expression is what goes into a field.
func (c *Config) expression(in insert) string {
	text, there := in.what, ""
	switch in.what {
	case "static":
		text = transform.Text(c.StaticValue)
	case "partition":
		text = "cast(partition, 'int32')"
	case "topic":
		there = "topic != ''"
	case "timestamp":
		if there = "timestamp != nil"; c.Connect {
			text = fmt.Sprintf("(%s ? truncateTime(timestamp, duration('1ms')) : toUnixMilli(timestamp))", c.Typed())
		}
	}
	switch {
	case there != "" && in.required:
		text = fmt.Sprintf("%s ? %s : throw('it has no %s')", there, text, in.what)
	case there != "":
		text = fmt.Sprintf("%s ? %s : %s ? nil : nothing()", there, text, c.Typed())
	}
	ref := c.Ref(in.path)
	switch c.Existing {
	case "keep":
		return fmt.Sprintf("has(%s) ? nothing() : %s", ref, text)
	case "connect":
		return fmt.Sprintf("schemaType(%s) != nil ? throw(%s) : %s", ref, transform.Text("the schema has a field "+in.path.String()+" already"), text)
	}
	return text
}
