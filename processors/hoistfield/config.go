// Package hoistfield is the processor hoist_field: it wraps a value or key in
// an object.
package hoistfield

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of hoist_field.
type Config struct {
	transform.Common
	Field engine.PathOption `flow:"field,required" doc:"The field that the whole becomes; a path makes objects on the way." example:"\"line\""`
	Null  string            `flow:"null" oneof:"keep wrap" doc:"What becomes of a null. keep: it stays one, so a tombstone still deletes. wrap: an object with a null in it, as in Kafka Connect."`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{Common: transform.Common{On: transform.OnValue}, Null: "keep"}
}

// Validate finds paths that no object has.
func (c *Config) Validate() []engine.Problem {
	if len(c.Field.Path) == 0 {
		return []engine.Problem{{Option: "field", Summary: "field is empty", Detail: `Write the name of a field, such as: field = "line"`}}
	}
	for _, step := range c.Field.Path {
		if step.IsIndex {
			return []engine.Problem{{Option: "field", Summary: "field leads into an array", Detail: "The whole becomes a member of an object: write names only."}}
		}
	}
	return nil
}

func (c *Config) equal() []string {
	root := c.Ref(nil)
	text := root
	for i := len(c.Field.Path) - 1; i >= 0; i-- {
		text = "{" + transform.Member(c.Field.Path[i].Name) + ": " + text + "}"
	}
	if c.Null == "wrap" {
		return []string{c.Members("", c.Whole(text))}
	}
	return []string{c.Members(root+" != nil", c.Whole(text))}
}

// names are those of the objects, the outermost first.
func (c *Config) names() []string {
	var out []string
	for _, step := range c.Field.Path {
		out = append(out, step.Name)
	}
	return out
}

func (c *Config) changes() engine.Changes { return c.Replaces(record.Path{}) }
