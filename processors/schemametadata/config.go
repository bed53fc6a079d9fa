// Package schemametadata is the processor set_schema_metadata: it changes name,
// version and the like of a schema.
package schemametadata

import (
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
