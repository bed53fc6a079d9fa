// Package route is the processor that sends records to named ports.
package route

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
)

// Config holds the options of route.
type Config struct {
	Mode  string `flow:"mode" oneof:"first all" doc:"first sends a record to the first case that holds, all to every one that holds."`
	Cases []Case `flow:"case,block" doc:"A port with its condition, in the order in which they are tried."`
}

// Case is one port.
type Case struct {
	Port string            `flow:",label" doc:"Name of the port: read it with from = [processor.NAME.PORT]."`
	When engine.Expression `flow:"when,required,bool" doc:"Sends the records for which this holds to the port." example:"\"value.country == 'KR'\""`
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{Mode: "first"} }

// Validate checks the ports.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	if len(c.Cases) == 0 {
		ps = append(ps, engine.Problem{
			Summary: "route has no case",
			Detail:  `Add at least one block such as: case "kr" { when = "value.country == 'KR'" }`,
		})
	}
	seen := make(map[string]bool, len(c.Cases))
	for i, k := range c.Cases {
		option := fmt.Sprintf("case[%d]", i)
		switch {
		case k.Port == engine.ErrorsPort:
			ps = append(ps, engine.Problem{
				Option:  option,
				Summary: `a port cannot be called "errors"`,
				Detail:  "Every element has an errors port of its own, for records that fail in it. Choose another name.",
			})
		case !validName(k.Port):
			ps = append(ps, engine.Problem{
				Option:  option,
				Summary: fmt.Sprintf("%q is no name for a port", k.Port),
				Detail:  "A port is read as processor.NAME.PORT: use letters, digits, _ and -, beginning with a letter.",
			})
		case seen[k.Port]:
			ps = append(ps, engine.Problem{
				Option:  option,
				Summary: fmt.Sprintf("two cases are called %q", k.Port),
				Detail:  "Join the conditions with ||, or choose another name.",
			})
		}
		seen[k.Port] = true
	}
	return ps
}

func validName(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r != '_' && r != '-' && (r < '0' || r > '9')) {
			return false
		}
	}
	return s != ""
}
