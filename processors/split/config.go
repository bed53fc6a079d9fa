// Package split is the processor that turns one record into many.
package split

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Config holds the options of split.
type Config struct {
	Path      engine.PathOption `flow:"path" doc:"The array whose elements become records. Without it the whole value." example:"\"items\""`
	Into      engine.PathOption `flow:"into" doc:"Keeps the rest of the record: each new record is the old one without path and with the element at this path; without path it is an object of this member alone. Without into the element alone is the new value." example:"\"item\""`
	Index     engine.PathOption `flow:"index" doc:"Sets the number of the element, from 0, at this path of each new record." example:"\"line\""`
	Delimiter string            `flow:"delimiter" doc:"Splits text instead of an array: the string between two parts. A last empty part is left out." example:"\"\\n\""`
	Empty     string            `flow:"empty" oneof:"drop error" doc:"What to do with a record that has nothing to split into: drop (counted) or error."`
	MaxParts  int               `flow:"max_parts" unit:"records" min:"1" max:"1000000" doc:"Most records that one may become; more is an error of the record."`
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{Empty: "drop", MaxParts: 100_000} }

// Validate checks what goes together.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	if c.Delimiter != "" && len(c.Index.Path) > 0 && len(c.Into.Path) == 0 {
		ps = append(ps, engine.Problem{
			Option:  "index",
			Summary: "index needs into",
			Detail:  "The parts of a text are texts and have no members. Give into, so that each part becomes a member of a record.",
		})
	}
	return ps
}

// changes says what a split of these options touches.
func (c *Config) changes() engine.Changes {
	ch := engine.Changes{Reads: []record.Path{c.Path.Path}}
	switch {
	case len(c.Into.Path) == 0, len(c.Path.Path) == 0:
		ch.WholeValue = true
	default:
		ch.Removes = append(ch.Removes, c.Path.Path)
		ch.Sets = append(ch.Sets, c.Into.Path)
	}
	if len(c.Index.Path) > 0 {
		ch.Sets = append(ch.Sets, c.Index.Path)
	}
	return ch
}
