package expr

import (
	"fmt"
	"strconv"

	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/engine/record"
)

type refKind uint8

const (
	refValue refKind = iota
	refKey
	refHeader
	refHeaders
	refMeta
	refMetaAll
	refTopic
	refPartition
	refOffset
	refTimestamp
	refTombstone
	// refNothing is nothing(): there is no result.
	refNothing
	// refParam stands for a parameter while the body of a function is checked.
	refParam
)

// ref is something of the record that an expression reads. In the tree it is
// a call without arguments, so that the VM never sees a map and the closures
// find it by name.
type ref struct {
	kind refKind
	// path and steps of refValue and refKey.
	path  record.Path
	steps []chainStep
	// name of refHeader and refMeta.
	name string
	// has asks whether the path is there instead of what it holds.
	has bool
	// got: the last step is that of get, which takes a path that leads nowhere.
	got bool
	// calls are functions of what the path holds, the innermost first.
	calls []pathCall
	// written: what the path holds is written into a literal at once, as the text
	// that it has in typed JSON.
	written bool
	// label is how the expression writes it.
	label string
	// fn is the name of the call.
	fn string
}

// pathCall is a call of the library whose first argument is a path, with the
// constants that stand behind it.
type pathCall struct {
	f    *library
	args []any
}

// derived reports that the reference is more than a path.
func (f *ref) derived() bool { return f.has || f.got || f.written || len(f.calls) > 0 }

// chainStep is the optional chaining of one step of a path: with opt, a null before
// the step makes the whole chain null, which ends before the step number end.
type chainStep struct {
	opt bool
	end int
}

func (f *ref) document() bool { return f.kind == refValue || f.kind == refKey }

// joins reports that a path below the reference is one longer path.
func (f *ref) joins() bool { return !f.derived() && (f.document() || f.kind == refParam) }

// identity is equal for references that read the same.
func (f *ref) identity() string {
	id := strconv.Itoa(int(f.kind)) + " " + f.name + f.path.String()
	for _, s := range f.steps {
		if s.opt {
			id += "?" + strconv.Itoa(s.end)
		} else {
			id += "."
		}
	}
	if f.has {
		id += "!"
	}
	if f.got {
		id += "~"
	}
	if f.written {
		id += "="
	}
	for _, c := range f.calls {
		id += fmt.Sprintf(" %s%q", c.f.Name, c.args)
	}
	return id
}

// rootNames are the names of the record.
func rootNames() []string {
	return []string{"value", "key", "headers", "topic", "partition", "offset", "timestamp", "meta"}
}

func isRoot(name string) bool {
	switch name {
	case "value", "key", "headers", "topic", "partition", "offset", "timestamp", "meta":
		return true
	}
	return false
}

// chain is a member access with constant properties down to a name.
type chain struct {
	root  *ast.IdentifierNode
	path  record.Path
	steps []chainStep
	props []ast.Node
}

// chainOf takes a node apart. literal gives the constant of a property, after
// names were resolved. It returns false for anything but a constant path.
func chainOf(n ast.Node, literal func(ast.Node) (any, bool)) (chain, bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return chain{root: n}, true
	case *ast.ChainNode:
		c, ok := chainOf(n.Node, literal)
		if !ok {
			return c, false
		}
		// Steps that no inner chain has closed end here.
		for i := range c.steps {
			if c.steps[i].opt && c.steps[i].end == 0 {
				c.steps[i].end = len(c.steps)
			}
		}
		return c, true
	case *ast.MemberNode:
		if n.Method {
			return chain{}, false
		}
		c, ok := chainOf(n.Node, literal)
		if !ok {
			return c, false
		}
		v, ok := literal(n.Property)
		if !ok {
			return c, false
		}
		var s record.Step
		switch v := v.(type) {
		case string:
			s.Name = v
		case int:
			s.Index, s.IsIndex = v, true
		default:
			return c, false
		}
		c.path = append(c.path, s)
		c.steps = append(c.steps, chainStep{opt: n.Optional})
		c.props = append(c.props, n.Property)
		return c, true
	}
	return chain{}, false
}

// open reports a ?. whose end lies outside of the node that was taken apart.
func (c chain) open() bool {
	for _, s := range c.steps {
		if s.opt && s.end == 0 {
			return true
		}
	}
	return false
}

// label writes a chain as an expression does.
func (c chain) label() string {
	out := c.root.Value
	for i, s := range c.path {
		one := record.Path{s}.String()
		dot := one == "" || one[0] != '['
		switch {
		case c.steps[i].opt:
			out += "?."
		case dot:
			out += "."
		}
		out += one
	}
	return out
}
