package expr

import (
	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/engine/record"
)

type (
	valueFn func(m *machine) record.Value
	boolFn  func(m *machine) bool
)

// code is what a node became. All of it is shared by the workers.
type code struct {
	// val is always set.
	val valueFn
	// test is set if the node gives a bool or fails.
	test boolFn

	// isConst: the result is k.
	isConst bool
	k       record.Value
	// isSlot: the node is the reference slot.
	isSlot bool
	slot   int
}

// builder turns a checked tree into closures.
type builder struct {
	r *resolver
	s *Source
}

// program builds the root.
func (b *builder) program(n ast.Node) code {
	return b.island(n)
}
