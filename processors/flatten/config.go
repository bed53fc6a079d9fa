// Package flatten is the processor that lifts nested fields to the top.
package flatten

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/flat"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of flatten.
type Config struct {
	transform.Common
	Delimiter string `flow:"delimiter" doc:"What stands between the names." example:"\"_\""`
	Connect   bool   `flow:"connect" doc:"Does as Kafka Connect's Flatten: an empty nested object disappears, of two fields of one name the later one stays where there is no schema, and a map in a schema is an error."`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{Common: transform.Common{On: transform.OnValue}, Delimiter: "."}
}

func (c *Config) options() flat.Options {
	return flat.Options{Delimiter: c.Delimiter, Connect: c.Connect}
}

func (c *Config) changes() engine.Changes { return c.Replaces(record.Path{}) }

// equal is the processor as a map.
func (c *Config) equal() []string {
	mode := ""
	if c.Connect {
		mode = ", 'connect'"
	}
	return []string{c.Members(c.NotNull(), c.Whole(fmt.Sprintf("flattenObject(%s, %s%s)", c.Ref(nil), transform.Text(c.Delimiter), mode)))}
}
