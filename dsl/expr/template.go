package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Template is a checked template. It is safe for all goroutines.
type Template struct {
	text string
	// parts alternate: literal text in front of each hole, and at the end.
	parts []part
	// consts are the constants of all holes, also of those that became text.
	consts []string
}

type part struct {
	text string
	hole *Source // nil behind the last hole
	// encode: what the hole gives is percent-encoded (ForURL).
	encode bool
}

// Constants are var.x and local.x that the holes refer to.
func (t *Template) Constants() []string { return slices.Clone(t.consts) }

var (
	_ engine.TemplateSource = (*Template)(nil)
	_ engine.Reader         = (*Template)(nil)
)

// compileTemplate takes a text apart. Constant holes become literal text, so
// that {{ "{{" }} writes braces and a constant prefix counts as literal.
func (e *Env) compileTemplate(text string) (*Template, []Problem) {
	t := &Template{text: text}
	var problems []Problem
	var literal strings.Builder
	for rest := 0; ; {
		i := strings.Index(text[rest:], "{{")
		if i < 0 {
			literal.WriteString(text[rest:])
			break
		}
		literal.WriteString(text[rest : rest+i])
		open := rest + i
		end := holeEnd(text, open+2)
		if end < 0 {
			problems = append(problems, unclosedHole(open, len(text)))
			break
		}
		rest = end + 2
		s, ps := e.compile(text[open+2:end], WantAny)
		if len(ps) > 0 {
			for _, p := range ps {
				p.Offset += open + 2
				problems = append(problems, p)
			}
			continue
		}
		t.consts = append(t.consts, s.consts...)
		if v, ok := s.Constant(); ok {
			if why := notText(v); why != "" {
				problems = append(problems, span{open, rest}.problem(KindHole, "The hole is always "+why, "A template is filled with text, numbers, booleans or times."))
				continue
			}
			b, err := v.AppendText(nil)
			if err != nil {
				problems = append(problems, span{open, rest}.problem(KindHole, "The hole cannot be written", sentence(err.Error())))
				continue
			}
			literal.Write(b)
			continue
		}
		t.parts = append(t.parts, part{text: literal.String(), hole: s})
		literal.Reset()
	}
	if len(problems) > 0 {
		return nil, problems
	}
	t.parts = append(t.parts, part{text: literal.String()})
	return t, nil
}

// unclosedHole is the problem of a hole that begins at open in a text of end
// bytes.
func unclosedHole(open, end int) Problem {
	return span{open, end}.problem(KindHole, "The hole is not closed", `Close it with }}. To write two braces, write {{ "{{" }}.`)
}

// holeEnd returns where the }} is that closes a hole whose expression begins
// at i: not within text, not one that closes a map literal. -1: none.
func holeEnd(text string, i int) int {
	depth := 0
	for i < len(text) {
		switch text[i] {
		case '"', '\'', '`':
			i = skipString(text, i)
			continue
		case '{':
			depth++
		case '}':
			if depth == 0 {
				if strings.HasPrefix(text[i:], "}}") {
					return i
				}
				break
			}
			depth--
		}
		i++
	}
	return -1
}

// notText says why a value cannot fill a hole, or "".
func notText(v record.Value) string {
	switch k := v.Kind(); k {
	case record.Missing, record.Null, record.Array, record.Object:
		return kindName(k)
	}
	return ""
}

// Text is the template as written.
func (t *Template) Text() string { return t.text }

// Literal returns the text of a template without holes.
func (t *Template) Literal() (string, bool) {
	return t.parts[0].text, len(t.parts) == 1
}

// LiteralPrefix returns the text in front of the first hole.
func (t *Template) LiteralPrefix() string { return t.parts[0].text }

// Holes returns the expressions of the holes that depend on the record.
func (t *Template) Holes() []*Source {
	var out []*Source
	for _, p := range t.parts {
		if p.hole != nil {
			out = append(out, p.hole)
		}
	}
	return out
}

// Reads implements engine.Reader: what all holes read.
func (t *Template) Reads() engine.Reads {
	var r engine.Reads
	for _, hole := range t.Holes() {
		r.Add(hole.Reads())
	}
	return r
}

// OnlyTopic reports that the template is {{ topic }} and nothing else.
func (t *Template) OnlyTopic() bool {
	return len(t.parts) == 2 && t.parts[0].text == "" && t.parts[1].text == "" && t.parts[0].hole.OnlyTopic()
}

// Bind adds the paths that it reads to l and returns a program for one worker.
func (t *Template) Bind(l *record.Layout) (engine.TemplateProgram, error) {
	p := &templateProgram{t: t}
	for _, part := range t.parts {
		var hole *program
		if part.hole != nil {
			var err error
			if hole, err = part.hole.bind(l); err != nil {
				return nil, err
			}
		}
		p.holes = append(p.holes, hole)
	}
	return p, nil
}

type templateProgram struct {
	t     *Template
	holes []*program
}

// Append appends the text. A hole that is missing or null is an error of the
// record: a destination is never built from nothing.
func (p *templateProgram) Append(dst []byte, r *record.Record) ([]byte, error) {
	start := len(dst)
	for i, part := range p.t.parts {
		dst = append(dst, part.text...)
		if p.holes[i] == nil {
			continue
		}
		v, err := p.holes[i].Eval(r)
		if err != nil {
			return dst[:start], err
		}
		if why := notText(v); why != "" {
			return dst[:start], fmt.Errorf("{{%s}} is %s, not text", part.hole.text, why)
		}
		at := len(dst)
		if dst, err = v.AppendText(dst); err != nil {
			return dst[:start], fmt.Errorf("writing {{%s}}: %w", part.hole.text, err)
		}
		if part.encode {
			dst = percentEncode(dst, at)
		}
	}
	return dst, nil
}
