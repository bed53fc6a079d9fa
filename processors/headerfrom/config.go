// Package headerfrom is the processor header_from: it copies or moves fields
// into headers.
package headerfrom

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of header_from.
type Config struct {
	transform.Common
	Fields    []engine.PathOption `flow:"fields,required" doc:"Paths of the fields." example:"[\"id\", \"customer.country\"]"`
	Headers   []string            `flow:"headers,required" doc:"The header of each field, in the order of fields." example:"[\"order-id\", \"country\"]"`
	Operation string              `flow:"operation" oneof:"copy move" doc:"copy leaves the fields, move removes them."`
	Connect   bool                `flow:"connect" doc:"Does as Kafka Connect's HeaderFrom: without a schema a missing field becomes a header that is null, with one that has no such field it is an error, and so is a null record."`
	transform.Nulls
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{Common: transform.Common{On: transform.OnValue}, Operation: "copy"}
}

// Validate finds lists that do not go together.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	switch {
	case len(c.Fields) == 0:
		ps = append(ps, engine.Problem{Option: "fields", Summary: "fields is empty", Detail: `Name at least one field, and a header for it: fields = ["id"], headers = ["order-id"]`})
	case len(c.Fields) != len(c.Headers):
		ps = append(ps, engine.Problem{Option: "headers", Summary: "fields and headers differ in length", Detail: fmt.Sprintf("There are %d fields and %d headers: each field needs the name of its header, in the same place.", len(c.Fields), len(c.Headers))})
	}
	for i, f := range c.Fields {
		if len(f.Path) == 0 {
			ps = append(ps, engine.Problem{Option: fmt.Sprintf("fields[%d]", i), Summary: "path is empty", Detail: "Write the path of a field."})
		}
	}
	for i, h := range c.Headers {
		if h == "" {
			ps = append(ps, engine.Problem{Option: fmt.Sprintf("headers[%d]", i), Summary: "header is empty", Detail: "Give it a name."})
		}
	}
	return ps
}

func (c *Config) move() bool { return c.Operation == "move" }

func (c *Config) changes() engine.Changes {
	paths := transform.Paths(c.Fields)
	ch := engine.Changes{Headers: c.Headers}
	switch {
	case !c.Key():
		ch.Reads = paths
		if c.move() {
			ch.Removes = paths
		}
	case c.move():
		ch.Key = true
	}
	return ch
}

func (c *Config) schemas(in engine.Schemas) (engine.Schemas, []engine.Problem) {
	return c.Common.Schemas(in, func(s *schema.Schema) (*schema.Schema, []engine.Problem) {
		out := s
		var problems []engine.Problem
		for i, path := range c.paths() {
			problems = append(problems, transform.Missing(transform.Item("fields", i), s, path)...)
			if c.move() && out != nil {
				out = record.SchemaDelete(out, path)
			}
		}
		return out, problems
	})
}

// paths are the fields, in the order of headers.
func (c *Config) paths() []record.Path { return transform.Paths(c.Fields) }

// equal is the processor as a map, or as several where headers have one name.
func (c *Config) equal() []string {
	condition, mode := "", ""
	if c.Connect {
		condition, mode = transform.Require(c.NotNull(), "it is null, so it has no fields"), ", 'connect'"
	}
	var maps [][]string // pairs of each
	for i, path := range c.paths() {
		ref := c.Read(c.Ref(path))
		missing := "nothing()"
		if c.Connect {
			missing = fmt.Sprintf("%s ? throw(%s) : isObject(%s) ? nil : throw('it is not an object')", c.Gap(path), transform.Text("there is no "+path.String()), c.Ref(nil))
		}
		text := fmt.Sprintf("has(%s) ? (isTime(%[2]s) || isDuration(%[2]s) || isBytes(%[2]s) ? cast(%[2]s, 'string'%[3]s) : %[2]s) : %[4]s", c.Ref(path), ref, mode, missing)
		at := 0
		for j := range i {
			if c.Headers[j] == c.Headers[i] {
				at++
			}
		}
		if at == len(maps) {
			maps = append(maps, nil)
		}
		maps[at] = append(maps[at], c.Headers[i], text)
	}
	var out []string
	for i, pairs := range maps {
		options := []string{transform.Pairs("add_headers", pairs...)}
		if i == len(maps)-1 && c.move() {
			options = append(append(c.First(&c.Common), options...), transform.List("remove", transform.Texts(c.paths())))
		}
		out = append(out, c.Members(condition, options...))
	}
	return out
}
