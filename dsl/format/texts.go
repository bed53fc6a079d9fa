package format

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/expr/exprfmt"
)

// indentStep is HCL's.
const indentStep = 2

// quoted lays out a text in quotes, and the holes of a template in a heredoc,
// whose lines are its meaning and stay where they are.
func (l *literals) quoted(t *dsl.Literal, template bool) {
	if t.Heredoc() && !template {
		return
	}
	whole := t.Whole()
	written := string(l.src[whole.Start.Byte:whole.End.Byte])
	var inner string
	var problems []expr.Problem
	if template {
		inner, problems = l.holes(t)
	} else {
		var pieces []exprfmt.Piece
		pieces, problems = l.print.Print(t.Text(), exprfmt.OneLine)
		inner = spell(t, 0, pieces)
	}
	if l.reported(t, problems) {
		return
	}
	if t.Heredoc() {
		if inner == t.Written(0, len(t.Text())) {
			return
		}
		l.replace(t, template, strings.Replace(written, t.Written(0, len(t.Text())), inner, 1))
		return
	}
	l.replace(t, template, `"`+inner+`"`)
}

// indented lays out an expression in a heredoc: its lines one step further in
// than the line that the heredoc begins in.
func (l *literals) indented(t *dsl.Literal, template bool) {
	if !t.Heredoc() || template {
		return
	}
	pieces, problems := l.print.Print(t.Text(), exprfmt.Lines)
	if l.reported(t, problems) || len(pieces) == 1 && pieces[0].To == len(t.Text()) && strings.Contains(strings.TrimSpace(t.Text()), "\n") {
		return
	}
	whole := t.Whole()
	written := l.src[whole.Start.Byte:whole.End.Byte]
	first := bytes.IndexByte(written, '\n')
	last := bytes.LastIndexByte(bytes.TrimRight(written, "\n"), '\n')
	if first < 0 || last < first {
		return
	}
	lead := lineIndent(l.src, whole.Start.Byte)
	var b strings.Builder
	b.Write(bytes.TrimRight(written[:first], " \t\r"))
	b.WriteByte('\n')
	for line := range strings.SplitSeq(spell(t, 0, pieces), "\n") {
		if line != "" {
			b.WriteString(strings.Repeat(" ", lead+indentStep) + line)
		}
		b.WriteByte('\n')
	}
	end := written[last+1:]
	if bytes.HasPrefix(written, []byte("<<-")) {
		b.WriteString(strings.Repeat(" ", lead))
		end = bytes.TrimLeft(end, " \t")
	}
	b.Write(end)
	l.replace(t, false, b.String())
}

// lineIndent is the white space at the beginning of a line.
func lineIndent(src []byte, at int) int {
	line := src[bytes.LastIndexByte(src[:at], '\n')+1 : at]
	return len(line) - len(bytes.TrimLeft(line, " "))
}

// reported reports problems, and whether there were any.
func (l *literals) reported(t *dsl.Literal, problems []expr.Problem) bool {
	for _, p := range problems {
		l.diags = append(l.diags, t.Mistake(p))
	}
	return len(problems) > 0
}

// holes lays out the holes of a template and returns its text as it is to be
// written.
func (l *literals) holes(t *dsl.Literal) (string, []expr.Problem) {
	text := t.Text()
	holes, problems := expr.TemplateHoles(text)
	var b strings.Builder
	end := 0
	for _, h := range holes {
		hole := text[h.From:h.To]
		pieces, ps := l.print.Print(hole, exprfmt.OneLine)
		for _, p := range ps {
			p.Offset += h.From
			problems = append(problems, p)
		}
		// In a heredoc the lines of a hole decide on the indent of the others.
		if len(ps) > 0 || strings.Contains(exprfmt.Join(pieces, hole), "\n") || t.Heredoc() && strings.Contains(hole, "\n") {
			continue
		}
		spelt := strings.TrimSpace(spell(t, h.From, pieces))
		b.WriteString(t.Written(end, h.From) + " " + spelt + " ")
		end = h.To
	}
	b.WriteString(t.Written(end, len(text)))
	return b.String(), problems
}

// spell writes pieces of the text from offset on as they stand in the file:
// what is not new keeps its escapes.
func spell(t *dsl.Literal, offset int, pieces []exprfmt.Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(escape(p.Text, !t.Heredoc()))
		b.WriteString(t.Written(offset+p.From, offset+p.To))
	}
	return b.String()
}

var escapes = strings.NewReplacer("${", "$${", "%{", "%%{")

var quotedEscapes = strings.NewReplacer("${", "$${", "%{", "%%{", `\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

// escape writes new text. It holds no other control characters.
func escape(s string, quoted bool) string {
	if quoted {
		return quotedEscapes.Replace(s)
	}
	return escapes.Replace(s)
}

// replace notes an edit if the string reads as it should in HCL and holds the
// expressions that it held.
func (l *literals) replace(t *dsl.Literal, template bool, written string) {
	whole := t.Whole()
	if written == string(l.src[whole.Start.Byte:whole.End.Byte]) || !l.means(t.Text(), template, written) {
		return
	}
	l.edits = append(l.edits, edit{whole.Start.Byte, whole.End.Byte, written})
}

// means reports whether a string of HCL holds the expression, or the template,
// that text is.
func (l *literals) means(text string, template bool, written string) bool {
	src := []byte(fmt.Sprintf("x = %s\n", written))
	file, diags := hclsyntax.ParseConfig(src, l.name, hcl.InitialPos)
	if diags.HasErrors() {
		return false
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok || len(body.Attributes) != 1 || len(body.Blocks) != 0 || body.Attributes["x"] == nil {
		return false
	}
	now, ok := dsl.LiteralText(src, body.Attributes["x"].Expr)
	if !ok {
		return false
	}
	if !template {
		return l.print.Equal(text, now.Text())
	}
	return l.sameTemplate(text, now.Text())
}

func (l *literals) sameTemplate(a, b string) bool {
	before, problems := expr.TemplateHoles(a)
	after, more := expr.TemplateHoles(b)
	if len(problems)+len(more) > 0 || len(before) != len(after) {
		return false
	}
	endA, endB := 0, 0
	for i := range before {
		x, y := before[i], after[i]
		if a[endA:x.From] != b[endB:y.From] || !l.print.Equal(a[x.From:x.To], b[y.From:y.To]) {
			return false
		}
		endA, endB = x.To, y.To
	}
	return a[endA:] == b[endB:]
}
