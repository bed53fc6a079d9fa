package dsl

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// The functions of this file say how a mistake is corrected with certainty,
// and nothing where it is not certain. An edit adds and removes as little as
// it can: what stands in the file may be a secret, and edits are printed.

// around puts text before and behind a range.
func around(r hcl.Range, before, behind string) []rules.Edit {
	start, end := r, r
	start.End, end.Start = r.Start, r.End
	return []rules.Edit{{Range: start, Text: before}, {Range: end, Text: behind}}
}

// written is what stands in the file at a range.
func (l *loader) written(r hcl.Range) string {
	f := l.files[r.Filename]
	if f == nil || r.End.Byte > len(f.Bytes) || r.Start.Byte > r.End.Byte {
		return ""
	}
	return string(f.Bytes[r.Start.Byte:r.End.Byte])
}

// between is the range from the end of one to the start of another.
func between(a, b hcl.Range) hcl.Range {
	return hcl.Range{Filename: a.Filename, Start: a.End, End: b.Start}
}

// listed puts a lone value into brackets. A heredoc would need a line of its
// own for the closing one.
func (l *loader) listed(e hclsyntax.Expression) []rules.Edit {
	if strings.HasPrefix(l.written(e.Range()), "<<") {
		return nil
	}
	return around(e.Range(), "[", "]")
}

// optionToBlock takes the equals sign from NAME = { ... } when the members of
// the object can stand in a block as they are.
func (l *loader) optionToBlock(a *hclsyntax.Attribute, o *engine.Option) []rules.Edit {
	obj, ok := a.Expr.(*hclsyntax.ObjectConsExpr)
	if !ok || o.Block.Label != nil {
		return nil
	}
	edits := []rules.Edit{{Range: between(a.NameRange, obj.SrcRange), Text: " "}}
	brace := obj.SrcRange
	brace.Start.Byte = brace.End.Byte - 1
	for i, item := range obj.Items {
		if hcl.ExprAsKeyword(item.KeyExpr) == "" || strings.TrimSpace(l.written(between(item.KeyExpr.Range(), item.ValueExpr.Range()))) != "=" {
			return nil
		}
		next := brace
		if i+1 < len(obj.Items) {
			next = obj.Items[i+1].KeyExpr.Range()
		}
		gap := l.written(between(item.ValueExpr.Range(), next))
		if len(obj.Items) > 1 && !strings.Contains(gap, "\n") {
			return nil // options need lines of their own
		}
		if code, _, _ := strings.Cut(strings.ReplaceAll(gap, "//", "#"), "#"); strings.Contains(code, ",") {
			at := item.ValueExpr.Range().End.Byte + strings.Index(gap, ",")
			edits = append(edits, rules.Edit{Range: l.span(a.NameRange.Filename, at, at+1)})
		}
	}
	return edits
}

// blockToOption adds the equals sign to NAME { ... } where the option is an
// object, and its members could be nothing else.
func (l *loader) blockToOption(b *hclsyntax.Block, o *engine.Option) []rules.Edit {
	if !strings.HasPrefix(o.Type, "map of ") || len(b.Labels) > 0 || len(b.Body.Blocks) > 0 {
		return nil
	}
	at := b.OpenBraceRange
	at.End = at.Start
	return []rules.Edit{{Range: at, Text: "= "}}
}

// quoteExpression puts quotes around an expression that is one as it stands.
func (d *decoder) quoteExpression(r hcl.Range) []rules.Edit {
	text := d.written(r)
	if strings.ContainsAny(text, "'\\\n") || strings.Contains(text, "${") || strings.Contains(text, "%{") {
		return nil
	}
	if _, problems := d.env.Compile(strings.ReplaceAll(text, `"`, "'"), expr.WantAny); len(problems) > 0 {
		return nil
	}
	edits := around(r, `"`, `"`)
	for i := range len(text) {
		if text[i] == '"' {
			edits = append(edits, rules.Edit{Range: d.span(r.Filename, r.Start.Byte+i, r.Start.Byte+i+1), Text: "'"})
		}
	}
	return edits
}

// unwrapInterpolation takes ${ } from a variable or local that stands in an
// expression outside of its texts.
func (d *decoder) unwrapInterpolation(whole, inner hclsyntax.Expression) []rules.Edit {
	t, ok := inner.(*hclsyntax.ScopeTraversalExpr)
	f := d.files[whole.Range().Filename]
	if !ok || f == nil || len(t.Traversal) < 2 || t.Traversal.RootName() != "var" && t.Traversal.RootName() != "local" {
		return nil
	}
	at := inner.Range()
	head := bytes.TrimRight(f.Bytes[whole.Range().Start.Byte:at.Start.Byte], " ")
	tail := bytes.TrimLeft(f.Bytes[at.End.Byte:], " ")
	if !bytes.HasSuffix(head, []byte("${")) || !bytes.HasPrefix(tail, []byte("}")) {
		return nil
	}
	for _, quote := range []string{"'", `\"`, "`"} {
		if bytes.Count(head, []byte(quote))%2 != 0 {
			return nil
		}
	}
	from := whole.Range().Start.Byte + len(head) - len("${")
	to := len(f.Bytes) - len(tail) + len("}")
	return []rules.Edit{{Range: d.span(at.Filename, from, at.Start.Byte)}, {Range: d.span(at.Filename, at.End.Byte, to)}}
}

// respell corrects what is written as in another language: = for ==, and the
// braces of a template around an expression.
func (d *decoder) respell(m *mapped, p expr.Problem) []rules.Edit {
	if p.Kind != expr.KindSyntax || p.Offset < 0 || p.Offset+p.Length > len(m.text) {
		return nil
	}
	compiles := func(text string) bool {
		_, problems := d.env.Compile(text, expr.WantAny)
		return len(problems) == 0
	}
	if m.text[p.Offset:p.Offset+p.Length] == "=" {
		at := m.at(p.Offset, p.Length)
		if at.End.Byte-at.Start.Byte != 1 || !compiles(m.text[:p.Offset]+"=="+m.text[p.Offset+1:]) {
			return nil
		}
		return []rules.Edit{{Range: at, Text: "=="}}
	}
	inner, open := strings.CutPrefix(strings.TrimSpace(m.text), "{{")
	inner, closed := strings.CutSuffix(inner, "}}")
	if !open || !closed || strings.Contains(inner, "{{") || !compiles(inner) {
		return nil
	}
	from, to := strings.Index(m.text, "{{"), strings.LastIndex(m.text, "}}")
	left, right := m.at(from, 2), m.at(to, 2)
	lead, rest := len(inner)-len(strings.TrimLeft(inner, " ")), len(inner)-len(strings.TrimRight(inner, " "))
	if left.End.Byte-left.Start.Byte != 2 || right.End.Byte-right.Start.Byte != 2 || lead+rest > len(inner) {
		return nil
	}
	return []rules.Edit{{Range: d.span(left.Filename, left.Start.Byte, left.End.Byte+lead)}, {Range: d.span(right.Filename, right.Start.Byte-rest, right.End.Byte)}}
}

// doubleQuotes turns the single quotes of a line that has two of them and
// nothing that would mean something else in double ones.
func doubleQuotes(src []byte, at hcl.Range) []rules.Edit {
	begin := bytes.LastIndexByte(src[:at.Start.Byte], '\n') + 1
	line, _, _ := bytes.Cut(src[begin:], []byte("\n"))
	if bytes.Count(line, []byte("'")) != 2 || bytes.ContainsAny(line, "\"\\`") || bytes.Contains(line, []byte("${")) || bytes.Contains(line, []byte("%{")) {
		return nil
	}
	var edits []rules.Edit
	for i, c := range line {
		if c == '\'' {
			r := hcl.Range{Filename: at.Filename, Start: posAt(src, begin+i), End: posAt(src, begin+i+1)}
			edits = append(edits, rules.Edit{Range: r, Text: `"`})
		}
	}
	return edits
}
