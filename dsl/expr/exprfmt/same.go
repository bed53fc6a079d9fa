package exprfmt

import (
	"reflect"

	"github.com/expr-lang/expr/ast"
)

// sameTree compares two trees but for the places of their nodes. A chain of
// comparisons shares its operands, so a pair of nodes is compared once.
func sameTree(a, b ast.Node) bool {
	c := comparison{}
	return c.equal(reflect.ValueOf(a), reflect.ValueOf(b))
}

type comparison map[[2]ast.Node]bool

func (c comparison) equal(a, b reflect.Value) bool {
	if a.IsValid() != b.IsValid() {
		return false
	}
	if !a.IsValid() {
		return true
	}
	if a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Interface:
		return c.equal(a.Elem(), b.Elem())
	case reflect.Pointer:
		return c.pointers(a, b)
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !c.equal(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range a.NumField() {
			// What a node embeds is its place and type.
			if f := a.Type().Field(i); f.IsExported() && !c.equal(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return a.Interface() == b.Interface()
}

func (c comparison) pointers(a, b reflect.Value) bool {
	if a.IsNil() || b.IsNil() {
		return a.IsNil() == b.IsNil()
	}
	x, isNode := a.Interface().(ast.Node)
	y, _ := b.Interface().(ast.Node)
	if !isNode {
		return c.equal(a.Elem(), b.Elem())
	}
	if c[[2]ast.Node{x, y}] {
		return true
	}
	if !c.equal(a.Elem(), b.Elem()) {
		return false
	}
	c[[2]ast.Node{x, y}] = true
	return true
}
