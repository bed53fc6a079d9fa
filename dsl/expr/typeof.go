package expr

import (
	"fmt"
	"reflect"
)

// TypeOf returns the type of an expression's result in the words of the
// language, as the checker finds it without a record: "any" where that
// depends on the record.
func (e *Env) TypeOf(text string) (word string, problems []Problem) {
	defer func() {
		if p := recover(); p != nil {
			word, problems = "", []Problem{{Length: len(text), Summary: "The expression cannot be compiled", Detail: sentence(fmt.Sprint(p))}}
		}
	}()
	if _, problems = e.compile(text, WantAny); len(problems) > 0 {
		return "", problems
	}
	r, tree, problems := e.front(text)
	if len(problems) > 0 {
		return "", problems
	}
	tree.Node = r.node(tree.Node)
	c := e.config()
	for _, f := range r.refs {
		c.Functions[f.fn] = f.function(unbound)
	}
	typ, problems := r.check(tree, c)
	if len(problems) > 0 {
		return "", tidy(problems)
	}
	if f := r.refOf(tree.Node); f != nil && f.kind == refTimestamp {
		return "time or nil", nil
	}
	if v, ok := literal(tree.Node); ok {
		return typeName(v), nil
	}
	if typ == nil || typ.Kind() == reflect.Interface || loosen(tree.Node) {
		return "any", nil
	}
	return goTypeName(typ), nil
}
