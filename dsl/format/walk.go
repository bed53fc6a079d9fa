package format

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/engine"
)

// maxMistakes bounds what is said of one file: the place of each is counted
// from its beginning.
const maxMistakes = 20

// literals walks over the texts of a file that hold expressions.
type literals struct {
	*formatter
	src   []byte
	edits []edit
	diags hcl.Diagnostics
	visit func(l *literals, text *dsl.Literal, template bool)
}

type specKey struct {
	kind engine.Kind
	typ  string
}

// spec describes a component, nil for one that nobody knows.
func (f *formatter) spec(kind engine.Kind, typ string) *engine.Spec {
	key := specKey{kind, typ}
	if s, ok := f.specs[key]; ok {
		return s
	}
	var c engine.Component
	switch kind {
	case engine.KindInput:
		c = f.reg.Inputs[typ].Component
	case engine.KindProcessor:
		c = f.reg.Processors[typ].Component
	case engine.KindOutput:
		c = f.reg.Outputs[typ].Component
	case engine.KindConverter:
		c = f.reg.Converters[typ].Component
	case engine.KindConnection:
		c = f.reg.Connections[typ].Component
	}
	var s *engine.Spec
	if c.Defaults != nil {
		var err error
		if s, err = engine.Describe(c.Defaults()); err != nil {
			panic(fmt.Sprintf("format: %s %q: %v", kind, typ, err)) // as in dsl: a bug of the component
		}
	}
	f.specs[key] = s
	return s
}

// file visits the blocks of the top level. Elements outside of a pipeline are
// a mistake in a config, but what the docs show.
func (l *literals) file(body *hclsyntax.Body) {
	for _, b := range body.Blocks {
		switch b.Type {
		case "pipeline":
			for _, e := range b.Body.Blocks {
				l.element(e)
			}
		case "connection":
			l.component(engine.KindConnection, b)
		case "function":
			if result := b.Body.Attributes["result"]; result != nil {
				l.value(result.Expr, false)
			}
		default:
			l.element(b)
		}
	}
}

func (l *literals) element(b *hclsyntax.Block) {
	kind := engine.Kind(b.Type)
	if !slices.Contains([]engine.Kind{engine.KindInput, engine.KindProcessor, engine.KindOutput}, kind) {
		return
	}
	l.component(kind, b)
	if kind == engine.KindProcessor {
		return
	}
	for _, c := range b.Body.Blocks {
		if c.Type == "key" || c.Type == "value" || c.Type == "header_values" {
			l.component(engine.KindConverter, c)
		}
	}
}

func (l *literals) component(kind engine.Kind, b *hclsyntax.Block) {
	if len(b.Labels) == 0 {
		return
	}
	if s := l.spec(kind, b.Labels[0]); s != nil {
		l.options(b.Body, s)
	}
}

func (l *literals) options(body *hclsyntax.Body, s *engine.Spec) {
	for _, a := range body.Attributes {
		o := s.Option(a.Name)
		switch {
		case o == nil:
		case strings.HasSuffix(o.Type, "expression"):
			l.value(a.Expr, false)
		case strings.HasSuffix(o.Type, "template"):
			l.value(a.Expr, true)
		}
	}
	for _, b := range body.Blocks {
		if o := s.Option(b.Type); o != nil && o.Block != nil {
			l.options(b.Body, o.Block)
		}
	}
}

// value visits a text, or the texts of a list or object that is written out.
func (l *literals) value(e hclsyntax.Expression, template bool) {
	switch x := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		l.value(x.Expression, template)
	case *hclsyntax.TupleConsExpr:
		for _, item := range x.Exprs {
			l.value(item, template)
		}
	case *hclsyntax.ObjectConsExpr:
		for _, item := range x.Items {
			l.value(item.ValueExpr, template)
		}
	default:
		if text, ok := dsl.LiteralText(l.src, e); ok && len(l.diags) < maxMistakes {
			l.visit(l, text, template)
		}
	}
}
