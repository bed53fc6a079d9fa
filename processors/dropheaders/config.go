// Package dropheaders is the processor drop_headers: it removes headers.
package dropheaders

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of drop_headers.
type Config struct {
	transform.Filtered
	Headers []string `flow:"headers,required" doc:"The names of the headers to remove." example:"[\"trace-id\"]"`
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{} }

// Validate finds an empty list.
func (c *Config) Validate() []engine.Problem {
	if len(c.Headers) == 0 {
		return []engine.Problem{{Option: "headers", Summary: "headers is empty", Detail: `Name at least one: headers = ["trace-id"]`}}
	}
	return nil
}

func (c *Config) equal() []string {
	return []string{c.Map("", transform.List("remove_headers", c.Headers))}
}
