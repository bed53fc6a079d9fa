package playground

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Load points r at x, whose bytes must stay as they are until the next load.
func (x *Record) Load(r *record.Record) { x.load(r) }

// Shown is the value as it is shown to people.
func (x *Record) Shown() record.Value { return x.value() }

// ShownKey is the key as it is shown to people.
func (x *Record) ShownKey() record.Value { return x.key() }

// RunAt takes one record into an element: a processor, or behind an input, as
// if it had read it. It reports false for an element that is neither.
func (c *Chain) RunAt(address string, x Record, yield func(Outcome)) bool {
	if n := c.nodes[address]; n != nil {
		c.step(n, x, yield)
		return true
	}
	if !c.inputs[address] {
		return false
	}
	c.deliver(engine.Port{Element: address}, x, yield)
	return true
}
