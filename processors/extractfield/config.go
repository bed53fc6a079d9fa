// Package extractfield is the processor extract_field: it replaces a value or
// key by one of its fields.
package extractfield

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of extract_field.
type Config struct {
	transform.Common
	Field   engine.PathOption `flow:"field,required" doc:"The path of the field: customer.email nests, [\"a.b\"] is one name with a dot." example:"\"customer.email\""`
	Missing string            `flow:"missing" oneof:"error null connect" doc:"What a field that is not there means. error: an error of the record. null: a null, which as a value is a tombstone. connect: as in Kafka Connect, a null without a schema and an error with one that has no such field."`
	transform.Nulls
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{Common: transform.Common{On: transform.OnValue}, Missing: "error"}
}

// Validate finds a path of nothing.
func (c *Config) Validate() []engine.Problem {
	if len(c.Field.Path) == 0 {
		return []engine.Problem{{Option: "field", Summary: "field is empty", Detail: `Write the path of a field, such as: field = "customer.email"`}}
	}
	return nil
}

// equal is the extraction as a map.
func (c *Config) equal() []string {
	path := c.Field.Path
	ref := c.Ref(path)
	condition, missing := c.NotNull(), "throw("+transform.Text("there is no "+path.String())+")"
	switch c.Missing {
	case "null":
		missing = "nil"
	case "connect":
		for i := range path {
			above := c.Ref(path[:i])
			condition += " && " + transform.Require("(schemaType("+above+") ?? 'any') in ['any', 'struct']", where(path[:i])+" is no object in the schema")
		}
		missing = fmt.Sprintf("%s ? %s : %s", c.Gap(path), missing, c.optional(path))
	}
	return []string{c.Members(condition, c.Whole(fmt.Sprintf("has(%s) ? %s : %s", ref, c.Read(ref), missing)))}
}

// optional reads a path on which a part may be null or not there.
func (c *Config) optional(path record.Path) string {
	text := c.Ref(nil)
	for _, step := range path {
		text += "?." + record.Path{step}.String()
	}
	return text
}
