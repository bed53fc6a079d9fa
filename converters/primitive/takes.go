package primitiveconv

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/schema"
)

// Takes implements engine.Taker. A number of a wider type may fit or not: each
// one is looked at when it is written.
func (c *converter) Takes(s *schema.Schema) []engine.Problem {
	to := c.kind.schema.Type
	fits := s.Type == to || s.Type == schema.Any
	switch {
	case to.IsInt():
		fits = fits || s.Type.IsInt()
	case to == schema.Float32 || to == schema.Float64:
		fits = fits || s.Type.IsNumber() && s.Type != schema.Decimal
	}
	if fits {
		return nil
	}
	return []engine.Problem{{Option: "type", Summary: fmt.Sprintf("the records are no %s", c.name), Detail: fmt.Sprintf("They are of type %s: convert them before, as with a cast processor, or use another converter.", s.Type)}}
}
