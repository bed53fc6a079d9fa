package lint

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// declarations checks what stands outside of pipelines.
func (k *checker) declarations() {
	used := k.used()
	for _, d := range k.config.Declarations {
		k.secretDefaults(d)
		if d.Text != nil {
			if k.config.Whole {
				k.parameters(d)
			}
			for _, s := range d.Text.Syntax {
				k.nodes(d.Text, s)
			}
		}
		if d.Part != nil {
			for _, t := range d.Part.Texts {
				for _, s := range t.Syntax {
					k.nodes(t, s)
				}
			}
		}
		if k.config.Whole && !used[d.Address] {
			k.unused(d)
		}
	}
}

// used are the addresses of what the pipelines reach.
func (k *checker) used() map[string]bool {
	used := make(map[string]bool)
	byAddress := make(map[string]*Declaration)
	for _, d := range k.config.Declarations {
		byAddress[d.Address] = d
	}
	var mark func(address string)
	mark = func(address string) {
		if used[address] {
			return
		}
		used[address] = true
		if d := byAddress[address]; d != nil {
			for _, u := range d.Uses {
				mark(u)
			}
		}
		if address == "var" || address == "local" {
			for _, d := range k.config.Declarations {
				if strings.HasPrefix(d.Address, address+".") {
					mark(d.Address)
				}
			}
		}
	}
	for _, u := range k.config.Uses {
		mark(u)
	}
	return used
}

var unusedRules = map[string]struct {
	id   rules.ID
	what string
}{
	"variable":   {rules.UnusedVariable, "Nothing refers to var.%s. Remove the block and whatever gives it a value, or use it."},
	"local":      {rules.UnusedLocal, "Nothing that runs refers to local.%s. Remove it, or use it."},
	"function":   {rules.UnusedFunction, "Nothing that runs calls %s. Remove the block, or call it."},
	"connection": {rules.UnusedConnection, "No element uses connection.%s. Remove the block, or use it."},
	"schema":     {rules.UnusedSchema, "No option and no other schema refers to schema.%s. Remove the block, or use it: schema = schema.%[1]s"},
}

func (k *checker) unused(d *Declaration) {
	u, ok := unusedRules[d.Kind]
	if !ok {
		return
	}
	name := d.Name
	if d.Kind == "connection" {
		name = strings.TrimPrefix(d.Address, "connection.")
	}
	k.report(u.id, d.At, fmt.Sprintf("%s %q is not used", d.Kind, d.Name), u.what, name)
	// A value that is given from outside to a variable would become an error,
	// and so would another unused declaration that refers to this one.
	if d.Kind != "variable" && !slices.ContainsFunc(k.config.Declarations, func(x *Declaration) bool {
		return slices.Contains(x.Uses, d.Address)
	}) {
		k.fix(k.withComment(k.removed(d.Range))...)
	}
}

// withComment widens the removal of a declaration to the comment right above
// it, and to the empty line behind it.
func (k *checker) withComment(edits []rules.Edit) []rules.Edit {
	if len(edits) != 1 {
		return edits
	}
	r := &edits[0].Range
	src := k.config.Sources[r.Filename]
	start := r.Start
	for start.Byte > 0 {
		begin := bytes.LastIndexByte(src[:start.Byte-1], '\n') + 1
		line := strings.TrimSpace(string(src[begin:start.Byte]))
		if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "//") {
			break
		}
		start = hcl.Pos{Line: start.Line - 1, Column: 1, Byte: begin}
	}
	if start.Byte > 0 || r.Start.Byte == 0 {
		r.Start = start // a comment at the top is that of the file
	}
	if end := r.End.Byte; end < len(src) && src[end] == '\n' {
		r.End = hcl.Pos{Line: r.End.Line + 1, Column: 1, Byte: end + 1}
	}
	return edits
}

// parameters finds those of a function that its result does not use.
func (k *checker) parameters(d *Declaration) {
	for i, name := range d.Params {
		used := len(d.Text.Syntax) == 0
		for _, s := range d.Text.Syntax {
			used = used || contains(s.Root, func(n ast.Node) bool { id, ok := n.(*ast.IdentifierNode); return ok && id.Value == name })
		}
		if !used && i < len(d.ParamRanges) {
			k.report(rules.UnusedParameter, d.ParamRanges[i], fmt.Sprintf("parameter %q is not used", name), "The result does not depend on it. Remove it here and from the calls, or use it.")
		}
	}
}

// constant finds conditions without anything of the record or of the config:
// a switch by var.x or local.x is meant. It reports whether it found one.
func (k *checker) constant(e *Element, t *Text) bool {
	if !t.Spec.Bool || t.Source == nil || len(t.Source.Constants()) > 0 {
		return false
	}
	v, ok := t.Source.Constant()
	if !ok || v.Kind() != record.Bool {
		return false
	}
	detail := "It is never true. "
	if v.Bool() {
		detail = "It is true for every record. "
	}
	switch {
	case t.Spec.Required:
		detail += "Write a condition on the record, or take out what depends on it. A switch belongs into a variable: var.NAME."
	case v.Bool():
		detail += "Remove it."
	default:
		detail += "What depends on it can be removed. A switch belongs into a variable: var.NAME."
	}
	k.report(rules.ConstantCondition, t.Place(0, 1<<30), fmt.Sprintf("%s is always %t", optionName(t.Option), v.Bool()), "%s", detail)
	if v.Bool() && !t.Spec.Required {
		k.fix(k.removed(t.Attr)...)
	}
	return true
}

func optionName(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// itself finds what a map sets to what it is.
func (k *checker) itself(e *Element, t *Text) {
	if e.Kind != engine.KindProcessor || t.Source == nil || len(t.Syntax) != 1 || e.Effect == nil {
		return
	}
	root := t.Syntax[0].Root
	if id, ok := root.(*ast.IdentifierNode); ok && id.Value == t.Option && t.Key == "" {
		switch t.Option {
		case "value", "key", "topic", "timestamp":
			k.report(rules.SetToItself, t.place(t.Syntax[0], root), t.Option+" is set to itself", "It is that already. Remove the line.")
		}
		return
	}
	if len(t.Target) == 0 || e.Effect.WholeValue || len(e.Effect.Removes)+len(e.Effect.Moves) > 0 || e.Effect.Keeps != nil {
		return
	}
	doc, path, ok := pathOf(root)
	if ok && doc == "value" && slices.Equal(path, t.Target) {
		k.report(rules.SetToItself, t.place(t.Syntax[0], root), fmt.Sprintf("%s is set to itself", t.Target), "That only makes a null of it where it is missing. Remove the line; where the null is meant, say so: %s ?? nil", root)
	}
}

// pathOf takes a path expression apart; false for anything else.
func pathOf(n ast.Node) (doc string, path record.Path, ok bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value, nil, n.Value == "value" || n.Value == "key"
	case *ast.ChainNode:
		return pathOf(n.Node)
	case *ast.MemberNode:
		doc, path, ok = pathOf(n.Node)
		v, literal := expr.Literal(n.Property)
		if !ok || !literal || n.Method {
			return "", nil, false
		}
		switch v := v.(type) {
		case string:
			return doc, append(path, record.Step{Name: v}), true
		case int:
			return doc, append(path, record.Step{Index: v, IsIndex: true}), true
		}
	}
	return "", nil, false
}

// cases finds cases that an earlier one leaves nothing for.
func (k *checker) cases(e *Element) {
	if !e.FirstMatch {
		return
	}
	var before []*Text
	for _, t := range e.Texts {
		if !t.Spec.Bool || t.Source == nil || !t.Source.Deterministic() || len(t.Syntax) != 1 {
			continue
		}
		if _, constant := t.Source.Constant(); constant {
			continue
		}
		mine := testsOf(t.Syntax[0].Root)
		for _, b := range before {
			if covers(testsOf(b.Syntax[0].Root), mine) {
				k.report(rules.ShadowedCase, t.Place(0, 1<<30), "no record reaches this case", "An earlier case, %s at %s, takes all of them, since a record goes to the first that holds. Put this one in front of it, or remove it.",
					quoted(b.Source.Text()), where(b.Range))
				break
			}
		}
		before = append(before, t)
	}
}

// testsOf are the conditions of a conjunction.
func testsOf(n ast.Node) []test {
	var out []test
	for _, x := range chainOf(n, isAnd).operands {
		t, ok := testOf(x)
		if !ok {
			t = test{node: x, subject: x.String(), op: "==", values: []any{true}, self: true}
		}
		out = append(out, t)
	}
	return out
}

// covers reports whether wherever all of narrow hold, all of wide do.
func covers(wide, narrow []test) bool {
	return !slices.ContainsFunc(wide, func(w test) bool {
		return !slices.ContainsFunc(narrow, func(n test) bool { return n.subject == w.subject && implies(n, w) })
	})
}
