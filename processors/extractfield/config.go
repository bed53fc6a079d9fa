// Package extractfield is the processor extract_field: it replaces a value or
// key by one of its fields.
package extractfield

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
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

func (c *Config) equal() []string {
	if c.ReplaceNull || c.Missing == "connect" {
		return nil // a map does not know whether there is a schema
	}
	root, ref := c.Ref(nil), c.Ref(c.Field.Path)
	if c.Missing == "null" {
		return []string{c.Map(root+" != nil", c.Whole(fmt.Sprintf("has(%s) ? %s : nil", ref, ref)))}
	}
	return []string{c.Map(root+" != nil", c.Whole(fmt.Sprintf("has(%s) ? %s : throw(%s)", ref, ref, transform.Text("there is no "+c.Field.Path.String()))))}
}
