// Package schemametadata is the processor set_schema_metadata: it changes name,
// version and the like of a schema.
package schemametadata

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of set_schema_metadata.
type Config struct {
	transform.Common
	Name       string            `flow:"schema_name" doc:"The new name of the schema." example:"\"shop.Order\""`
	Version    int               `flow:"schema_version" unit:"" min:"0" max:"2147483647" doc:"Its new version."`
	About      string            `flow:"schema_doc" doc:"Its new documentation." example:"\"An order of the shop.\""`
	Parameters map[string]string `flow:"schema_parameters" doc:"Parameters to set; others stay." example:"{ owner = \"shop\" }"`
	Connect    bool              `flow:"connect" doc:"Refuses, as Kafka Connect's SetSchemaMetadata, any schema but that of an object."`
	transform.Nulls
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{Common: transform.Common{On: transform.OnValue}} }

// Validate finds a change of nothing.
func (c *Config) Validate() []engine.Problem {
	if c.Name == "" && c.Version == 0 && c.About == "" && len(c.Parameters) == 0 {
		return []engine.Problem{{Summary: "set_schema_metadata changes nothing", Detail: "Give at least one of schema_name, schema_version, schema_doc and schema_parameters."}}
	}
	return nil
}

// equal is the processor as a map.
func (c *Config) equal() []string {
	condition := c.NotNull() + " && " + transform.Require(c.Typed(), "it has no schema to change")
	if c.Connect {
		condition += " && " + transform.Require("schemaType("+c.Ref(nil)+") == 'struct'", "its schema is not that of an object")
	}
	var about []string
	if c.Name != "" {
		about = append(about, "name: "+transform.Text(c.Name))
	}
	if c.Version != 0 {
		about = append(about, "version: "+strconv.Itoa(c.Version))
	}
	if c.About != "" {
		about = append(about, "doc: "+transform.Text(c.About))
	}
	if len(c.Parameters) > 0 {
		var set []string
		for _, name := range slices.Sorted(maps.Keys(c.Parameters)) {
			set = append(set, transform.Member(name)+": "+transform.Text(c.Parameters[name]))
		}
		about = append(about, "parameters: {"+strings.Join(set, ", ")+"}")
	}
	return []string{c.Members(condition, c.Whole("withSchema("+c.Read(c.Ref(nil))+", {"+strings.Join(about, ", ")+"})"))}
}
