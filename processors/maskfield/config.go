// Package maskfield is the processor mask_field: it replaces fields by empty
// values or by a fixed one.
package maskfield

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of mask_field.
type Config struct {
	transform.Common
	Fields  []engine.PathOption `flow:"fields,required" doc:"Paths of the fields. One that is not there is left out, a null stays null." example:"[\"card\", \"customer.email\"]"`
	With    string              `flow:"replacement" doc:"What stands in place of texts and numbers; for a number it must be one. A bool, a time, an array or an object is then an error of the record. Without it a field becomes the empty value of its type: 0, false, an empty text, array or object, 1970 for times." example:"\"****\""`
	Connect bool                `flow:"connect" doc:"Does as Kafka Connect's MaskField: without a schema a missing field becomes null, bytes are an error, and so is a null record."`
	transform.Nulls
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{Common: transform.Common{On: transform.OnValue}} }

// Validate finds an empty list.
func (c *Config) Validate() []engine.Problem {
	if len(c.Fields) == 0 {
		return []engine.Problem{{Option: "fields", Summary: "fields is empty", Detail: `Name at least one: fields = ["card"]`}}
	}
	var ps []engine.Problem
	for i, f := range c.Fields {
		if len(f.Path) == 0 {
			ps = append(ps, engine.Problem{Option: fmt.Sprintf("fields[%d]", i), Summary: "path is empty", Detail: "Write the path of a field. To empty the whole value use a map."})
		}
	}
	return ps
}

func (c *Config) changes() engine.Changes {
	paths := transform.Paths(c.Fields)
	return c.Changes(paths, paths, nil)
}

// equal is the processor as a map.
func (c *Config) equal() []string {
	arguments, connect := "", ""
	if c.With != "" || c.Connect {
		arguments = ", " + transform.Text(c.With)
	}
	if c.Connect {
		arguments += ", 'connect'"
		connect = transform.Require(c.NotNull(), "it is null, so it has no fields")
	}
	text := c.SetFields(&c.Common, connect, transform.Paths(c.Fields), func(_ int, ref string) string { return "blank(" + ref + arguments + ")" })
	return []string{text}
}
