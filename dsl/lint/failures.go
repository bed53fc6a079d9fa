package lint

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// errorsUnread finds a service that the first bad record stops. A pipeline
// that ends by itself is watched by whoever started it, and stopping is then
// a good answer; so only inputs without an end count, and only expressions
// that some record can make fail.
func (k *checker) errorsUnread(w *wiring) {
	if !slices.ContainsFunc(w.inputs(), func(e *Element) bool { return !e.Bounded && e.outside() }) {
		return
	}
	read := make(map[string]bool)
	for _, e := range w.Elements {
		for _, f := range e.From {
			if f.Name == engine.ErrorsPort {
				read[f.Element] = true
			}
		}
	}
	if read[""] {
		return
	}
	side := w.failed()
	for _, e := range w.processors() {
		if read[e.Address()] || side[e] {
			continue
		}
		for _, t := range e.Texts {
			n, s := mayFail(t)
			if n == nil {
				continue
			}
			k.report(rules.ErrorsUnread, w.Block.LabelRanges[0], "the first bad record stops this pipeline",
				"It has no end, nobody reads its errors, and %s can fail: %s at %s. Add an output for failed records: output \"TYPE\" \"failed\" { from = [errors] ... }", e.short(), quoted(s.Text(n)), where(t.place(s, n)))
			return
		}
	}
}

// outside reports whether an input's records come from another system, so
// that they can be anything.
func (e *Element) outside() bool {
	return len(e.Streams) > 0 || len(e.Files) > 0 || e.Group != "" || e.Delivery.Positions != "" || e.Delivery.Once != ""
}

// mayFail returns the first part of a text that fails for a record without
// the fields that it wants.
func mayFail(t *Text) (ast.Node, *expr.Syntax) {
	for _, s := range t.Syntax {
		var found ast.Node
		w := &walker{}
		w.walk(s.Root, nil, func(n, _ ast.Node) {
			if found == nil && fragile(n) {
				found = n
			}
		})
		if found != nil {
			return found, s
		}
	}
	return nil, nil
}

// fragile reports whether a node needs the value of a path to be there.
func fragile(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryNode:
		switch n.Operator {
		case "+", "-", "*", "/", "%", "**", "^", "<", ">", "<=", ">=", "matches", "contains", "startsWith", "endsWith":
			return isPath(n.Left) || isPath(n.Right)
		}
	case *ast.SliceNode:
		return isPath(n.Node)
	}
	name, args := called(n)
	return name != "" && !tolerant(name) && slices.ContainsFunc(args, isPath)
}

// tolerant reports whether a function takes a null.
func tolerant(name string) bool {
	switch name {
	case "has", "hasKey", "coalesce", "default", "type", "string", "isEmpty", "isJSON", "isUUID", "toJSON", "formatJSON", "equalFold", "get", "getPath":
		return true
	}
	return false
}

// isPath reports whether a node is a member of the record's documents or a
// header: what may be missing.
func isPath(n ast.Node) bool {
	m, ok := n.(*ast.MemberNode)
	if !ok || m.Method {
		return false
	}
	switch of := m.Node.(type) {
	case *ast.IdentifierNode:
		return of.Value == "value" || of.Value == "key" || of.Value == "headers" || of.Value == "meta"
	case *ast.MemberNode:
		return isPath(of)
	case *ast.ChainNode:
		return isPath(of.Node)
	}
	return false
}

// errorsBack finds failed records of all elements that come among the good
// ones. Who names the element whose errors he reads means them: an archive
// takes what an input could not read, a step that failed may be passed by.
func (k *checker) errorsBack(w *wiring) {
	side := w.failed()
	for _, e := range w.Elements {
		if side[e] || len(e.From) != len(e.Places) {
			continue
		}
		for i, f := range e.From {
			switch from := w.byAddress[f.Element]; {
			case f.Element == "" && f.Name == engine.ErrorsPort:
				k.report(rules.ErrorsBack, e.Places[i], "failed records are read together with good ones",
					"%s reads both, so what could not be processed goes where the results go, as it was before the step that failed. Give failed records an output of their own, or bring them into shape first with a processor that reads them.", e.short())
			case side[from] && w.allErrors(from):
				k.report(rules.ErrorsBack, e.Places[i], "errors lead back into the pipeline",
					"%s handles the errors of all elements, and %s reads it together with good records. What stands behind a reader of errors is left out of errors, so a record that fails there stops the pipeline, a good one too. Handle the errors of one element, from = [processor.NAME.errors], or give them an output of their own.", from.short(), e.short())
			}
		}
	}
}

// errorsDropped finds a pipeline that loses failed records of every kind.
func (k *checker) errorsDropped(w *wiring) {
	for _, e := range w.outputs() {
		if !e.Delivery.Discards || len(e.From) != len(e.Places) {
			continue
		}
		for i, f := range e.From {
			if f.Element == "" && f.Name == engine.ErrorsPort {
				k.report(rules.ErrorsDropped, e.Places[i], "every failed record is thrown away",
					"Whatever fails, also for a reason that nobody thought of, is gone without a trace but a count. Write failed records somewhere, and drop those of one element, from = [processor.NAME.errors], where that is meant.")
			}
		}
	}
}

// readsBack finds outputs that write what their own pipeline reads.
func (k *checker) readsBack(w *wiring) {
	side := w.failed()
	for _, e := range w.outputs() {
		for _, in := range w.from(e) {
			if !overlap(e.Streams, in.Streams) {
				continue
			}
			switch at := valueRange(&e.Part, e.destination()); {
			case side[e]:
				k.report(rules.ErrorsReadBack, at, "failed records are read again",
					"%s reads what this output writes, so a record that fails comes back, fails again, and goes round for ever. Write failed records elsewhere.", in.short())
			case w.straight(e):
				k.report(rules.ReadsItsOutput, at, "output writes what the pipeline reads",
					"%s reads it and nothing on the way leaves a record out, so each record goes round for ever. Write to another place.", in.short())
			}
		}
	}
}

// straight reports whether every record that comes in goes on to e, as far as
// the processors say.
func (w *wiring) straight(e *Element) bool {
	seen := make(map[*Element]bool)
	var look func(x *Element) bool
	look = func(x *Element) bool {
		if x == nil || seen[x] {
			return true
		}
		seen[x] = true
		if x.Kind == engine.KindProcessor && (x.conditional() || len(x.Ports) > 0 || x.Effect == nil || !x.OK) {
			return false
		}
		return !slices.ContainsFunc(x.From, func(f engine.Port) bool { return !look(w.byAddress[f.Element]) })
	}
	return look(e)
}
