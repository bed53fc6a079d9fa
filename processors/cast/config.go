// Package cast is the processor that changes the types of fields.
package cast

import (
	"fmt"
	"maps"
	"slices"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of cast.
type Config struct {
	transform.Common
	Fields  map[string]string `flow:"fields" doc:"Types by path: int8, int16, int32, int64, float32, float64, bool (or boolean) and string. A field that is not there is left out, a null stays null." example:"{ amount = \"float64\", \"customer.age\" = \"int32\" }"`
	Type    string            `flow:"type" doc:"Instead of fields: the type of the whole value or key, one of the same." example:"\"string\""`
	Connect bool              `flow:"connect" doc:"Casts in every detail as Kafka Connect's Cast: integers that do not fit wrap around, floats stop at the end of the range, any text but true is false, floats and times are written as Java does, and without a schema a missing field becomes null."`
	transform.Nulls
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{Common: transform.Common{On: transform.OnValue}} }

// Validate finds types that do not exist and a cast of nothing.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	switch {
	case len(c.Fields) == 0 && c.Type == "":
		ps = append(ps, engine.Problem{Summary: "cast changes nothing", Detail: `Give the types of fields, such as: fields = { amount = "float64" }, or type for the whole value.`})
	case len(c.Fields) > 0 && c.Type != "":
		ps = append(ps, engine.Problem{Option: "type", Summary: "type with fields", Detail: "type is that of the whole value, which then has no fields. Remove one of the two."})
	}
	if _, ok := cast.Parse(c.Type); !ok && c.Type != "" {
		ps = append(ps, engine.Problem{Option: "type", Summary: fmt.Sprintf("unknown type %q", c.Type), Detail: "A type is one of " + cast.Names + "."})
	}
	for _, text := range slices.Sorted(maps.Keys(c.Fields)) {
		path, err := record.ParsePath(text)
		if err != nil {
			ps = append(ps, engine.Problem{Option: "fields", Summary: fmt.Sprintf("invalid path %q", text), Detail: "In fields, " + err.Error() + "."})
		} else if len(path) == 0 {
			ps = append(ps, engine.Problem{Option: "fields", Summary: "fields names the whole value", Detail: "Use the option type for the whole value."})
		}
		if _, ok := cast.Parse(c.Fields[text]); !ok {
			ps = append(ps, engine.Problem{Option: "fields", Summary: fmt.Sprintf("unknown type %q", c.Fields[text]), Detail: "A type is one of " + cast.Names + "."})
		}
	}
	return ps
}

// field is one cast.
type field struct {
	path record.Path
	to   cast.Type
	text string // of the path, as it was given
}

// fields are all casts in the order of their paths.
func (c *Config) fields() []field {
	if c.Type != "" {
		to, _ := cast.Parse(c.Type)
		return []field{{to: to}}
	}
	var out []field
	for _, text := range slices.Sorted(maps.Keys(c.Fields)) {
		path, _ := record.ParsePath(text)
		to, _ := cast.Parse(c.Fields[text])
		out = append(out, field{path, to, text})
	}
	return out
}

func (c *Config) changes() engine.Changes {
	if c.Type != "" {
		return c.Replaces(record.Path{})
	}
	var paths []record.Path
	for _, f := range c.fields() {
		paths = append(paths, f.path)
	}
	return c.Changes(paths, paths, nil)
}

// equal is the cast as a map.
func (c *Config) equal() []string {
	connect := ""
	if c.Connect {
		connect = c.NotNull()
	}
	fields := c.fields()
	expression := func(i int, ref string) string {
		mode := ""
		if c.Connect {
			mode = ", 'connect'"
		}
		return fmt.Sprintf("cast(%s, '%s'%s)", ref, fields[i].to, mode)
	}
	if c.Type != "" {
		there := c.There(&c.Common, nil)
		if c.Connect {
			there = c.NotNull() // a null stays one, whatever default it has
		}
		return []string{c.Members(there, c.Whole(expression(0, c.Read(c.Ref(nil)))))}
	}
	paths := make([]record.Path, len(fields))
	for i, f := range fields {
		paths[i] = f.path
	}
	return []string{c.SetFields(&c.Common, connect, paths, expression)}
}
