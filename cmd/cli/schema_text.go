package cli

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/schema"
)

// schemaText writes schemas for people: whole ones where they begin, and behind
// that what each element changes, or with full all of them.
func schemaText(steps []schemaStep, full bool, width int) []byte {
	w := &schemaWriter{full: full, width: width}
	pipeline := ""
	for i, s := range steps {
		if i > 0 {
			w.b.WriteByte('\n')
		}
		if s.pipeline != pipeline {
			pipeline = s.pipeline
			w.line("", "pipeline "+pipeline)
			w.b.WriteByte('\n')
		}
		w.element(s)
	}
	return []byte(w.b.String())
}

type schemaWriter struct {
	b     strings.Builder
	full  bool
	width int
}

func (w *schemaWriter) element(s schemaStep) {
	w.line("", s.Address()+"  "+s.Where)
	ty := &s.Types
	first := s.Kind == engine.KindInput
	key := w.part("key", ty.In.Key, ty.Out.Key, w.why(s, ty.WhyKey), first)
	value := w.part("value", ty.In.Value, ty.Out.Value, w.why(s, ty.WhyValue), first)
	if !key && !value {
		w.line("  ", "unchanged")
	}
}

// why is the reason as it reads below the element: one that it has from others
// names where it comes from.
func (w *schemaWriter) why(s schemaStep, why string) string {
	own, more := strings.CutPrefix(why, s.Address()+": ")
	if more || why == "" {
		return ": " + own
	}
	from, _, _ := strings.Cut(why, ": ")
	return ", as behind " + from
}

// part writes the schema of keys or values, unless it is as before. It reports
// whether it wrote something.
func (w *schemaWriter) part(name string, in, out *schema.Schema, why string, first bool) bool {
	switch {
	case out == nil:
		if !first && in == nil && !w.full && strings.HasPrefix(why, ",") && name == "key" {
			return false // said where it began
		}
		w.line("  ", name+": not known"+why)
	case first || w.full || in == nil:
		w.whole(name, out)
	default:
		changes := schema.Diff(in, out)
		switch {
		case len(changes) == 0:
			return false
		case in.Type != out.Type || in.Type == schema.Struct && !slices.ContainsFunc(out.Fields, func(f schema.Field) bool { return in.Field(f.Name) != nil }):
			w.whole(name, out) // nothing is where it was
			return true
		}
		w.line("  ", name+":")
		for line := range strings.Lines(schema.DiffText(changes)) {
			w.line("    ", strings.TrimSuffix(line, "\n"))
		}
	}
	return true
}

func (w *schemaWriter) whole(name string, s *schema.Schema) {
	for i, line := range strings.Split(strings.TrimSuffix(s.Text(), "\n"), "\n") {
		if i == 0 {
			line = name + ": " + line
		}
		text := strings.TrimLeft(line, " ")
		w.line("  "+line[:len(line)-len(text)], text)
	}
}

// line writes text behind an indentation, wrapped at the width between words.
// What is wrapped stands further to the right.
func (w *schemaWriter) line(indent, text string) {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return utf8.RuneError // nothing of a config controls a terminal
		}
		return r
	}, text)
	at, gap := len(indent), ""
	w.b.WriteString(indent)
	for i, word := range strings.Split(text, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case n == 0: // one more space
			gap += " "
			continue
		case w.width > 0 && at+1+len(gap)+n > w.width:
			fmt.Fprintf(&w.b, "\n%s    ", indent)
			at = len(indent) + 4
		default:
			w.b.WriteString(" " + gap)
			at += 1 + len(gap)
		}
		gap = ""
		w.b.WriteString(word)
		at += n
	}
	w.b.WriteByte('\n')
}
