// Package insertheader is the processor insert_header: it adds a header with a
// fixed value.
package insertheader

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of insert_header.
type Config struct {
	transform.Filtered
	Header  string `flow:"header,required" doc:"The name of the header." example:"\"source\""`
	Value   string `flow:"value,required" doc:"Its value, as it is." example:"\"orders\""`
	Replace bool   `flow:"replace" doc:"Removes headers of that name first. Without it they stay, and the new one is the last."`
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{} }

// Validate finds a header without a name.
func (c *Config) Validate() []engine.Problem {
	if c.Header == "" {
		return []engine.Problem{{Option: "header", Summary: "header is empty", Detail: `Give it a name: header = "source"`}}
	}
	return nil
}

// equal is the processor as a map.
func (c *Config) equal() []string {
	option := "add_headers"
	if c.Replace {
		option = "headers"
	}
	return []string{c.Map("", transform.Pairs(option, c.Header, transform.Text(c.Value)))}
}
