package expr

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// vmProgram is a part of an expression on expr's VM. References are functions
// without arguments that read the machine, so the program belongs to it.
type vmProgram struct {
	prog *vm.Program
	vm   vm.VM
	is   *island
}

// compileIsland is called with s.mu held.
func (s *Source) compileIsland(is *island, m *machine) (*vmProgram, error) {
	c := s.env.config()
	for i, f := range s.refs {
		c.Functions[f.fn] = f.function(func(...any) (any, error) { return m.boxed(i) })
	}
	prog, err := compiler.Compile(&parser.Tree{Node: is.node, Source: s.src}, c)
	if err != nil {
		return nil, errors.New(firstLine(err.Error()))
	}
	return &vmProgram{prog: prog, is: is, vm: vm.VM{MemoryBudget: limits.ExprMemory}}, nil
}

// runIsland evaluates an island. Its result is exactly what the VM gives.
func (m *machine) runIsland(i int) any {
	if m.err != nil {
		return nil
	}
	p := m.islands[i]
	v, err := p.vm.Run(p.prog, nil)
	if err != nil {
		if m.err == nil {
			m.err = vmError(err, p.is)
		}
		return nil
	}
	return v
}

// vmError says in one line what went wrong on the VM.
func vmError(err error, is *island) error {
	var fe *file.Error
	if !errors.As(err, &fe) {
		return err
	}
	text, ok := is.places[fe.Location]
	if !ok {
		text = is.text
	}
	if fe.Prev != nil && !strings.HasPrefix(fe.Prev.Error(), "runtime error") && !isTypeAssertion(fe.Prev) {
		return fmt.Errorf("%w: %s", fe.Prev, text)
	}
	return fmt.Errorf("%s: %s", runtimeMessage(fe.Message), text)
}

func isTypeAssertion(err error) bool {
	var t interface{ RuntimeError() }
	return errors.As(err, &t)
}

// operation reads "string > int".
func operation(s string) (l, op, r string, ok bool) {
	f := strings.Fields(s)
	if len(f) != 3 || f[0] == "cannot" {
		return "", "", "", false
	}
	return f[0], f[1], f[2], true
}

// opMessage says that an operator does not take two types.
func opMessage(op, l, r string) string {
	switch op {
	case "<", ">", "<=", ">=":
		return fmt.Sprintf("cannot compare %s with %s", l, r)
	case "+":
		return fmt.Sprintf("cannot add %s and %s", l, r)
	case "-":
		return fmt.Sprintf("cannot subtract %s from %s", r, l)
	case "*":
		return fmt.Sprintf("cannot multiply %s by %s", l, r)
	case "/", "%":
		return fmt.Sprintf("cannot divide %s by %s", l, r)
	}
	return fmt.Sprintf("cannot apply %s to %s and %s", op, l, r)
}

// island makes node a part that runs on the VM.
func (b *builder) island(n ast.Node) code {
	i := len(b.s.islands)
	is := island{text: b.text(n), places: b.places(n)}
	b.forVM(&n)
	is.node = n
	b.s.islands = append(b.s.islands, is)
	return code{island: true, val: func(m *machine) record.Value {
		v := m.runIsland(i)
		if m.err != nil {
			return record.NullValue()
		}
		out, err := fromAny(v)
		if err != nil {
			m.fail(fmt.Errorf("%w: %s", err, m.islands[i].is.text))
		}
		return out
	}}
}

// places returns the text of every node below n by its location.
func (b *builder) places(n ast.Node) map[file.Location]string {
	out := map[file.Location]string{}
	var look func(n ast.Node)
	look = func(n ast.Node) {
		if _, ok := out[n.Location()]; !ok {
			out[n.Location()] = b.text(n)
		}
		for _, c := range children(n) {
			if c != nil {
				look(c)
			}
		}
	}
	look(n)
	return out
}

// fromAny turns what the VM returns into a Value, maps with keys of any type
// included, if all keys are text: groupBy and fromPairs make these.
func fromAny(v any) (record.Value, error) {
	out, err := record.FromAny(v)
	if err == nil {
		return out, nil
	}
	plain, perr := plain(v, 0)
	if perr != nil {
		return record.NullValue(), perr
	}
	return record.FromAny(plain)
}

func plain(v any, depth int) (any, error) {
	if depth > limits.JSONDepth {
		return nil, errors.New("the result is nested too deeply")
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Map:
		out := make(map[string]any, rv.Len())
		for it := rv.MapRange(); it.Next(); {
			k, ok := it.Key().Interface().(string)
			if !ok {
				return nil, fmt.Errorf("the result has a member whose name is %s instead of text", typeName(it.Key().Interface()))
			}
			e, err := plain(it.Value().Interface(), depth+1)
			if err != nil {
				return nil, err
			}
			out[k] = e
		}
		return out, nil
	case reflect.Slice, reflect.Array:
		if b, ok := v.([]byte); ok {
			return b, nil
		}
		out := make([]any, rv.Len())
		for i := range out {
			e, err := plain(rv.Index(i).Interface(), depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = e
		}
		return out, nil
	}
	if _, err := record.FromAny(v); err != nil {
		return nil, fmt.Errorf("the result is %s, which a record cannot hold", typeName(v))
	}
	return v, nil
}

// text is the source text of a node, for errors.
func (b *builder) text(n ast.Node) string {
	if t, ok := b.r.texts[n]; ok {
		return t
	}
	if f := b.r.refOf(n); f != nil {
		return f.label
	}
	if name, ok := b.r.inlined[n]; ok {
		return "function " + name
	}
	s := b.r.pos.spanOf(n)
	if s.to > s.from {
		return excerpt(b.r.pos.text[s.from:s.to])
	}
	return strconv.Quote(n.String())
}
