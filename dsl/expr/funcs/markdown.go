package funcs

import (
	"strings"
)

// Markdown returns the documentation of every function, grouped, for
// docs/functions.md.
func Markdown() string {
	all := All()
	var b strings.Builder
	b.WriteString(`# Functions of expressions

What an expression may call. Functions marked *language* are those of the expression language itself, all others are flow's own.

Where the text does not say otherwise, a null or missing argument is an error of the record, and so is an argument of another type: nothing is guessed.
` + "Use `default(x, fallback)` or `x ?? fallback` where a member may be missing. The operator `|` passes its left side as first argument: `value.name | trim() | upper()`." + `

Integers have 64 bits and are exact: what does not fit is an error of the record, never another number. A text that a function makes is at most 16 MiB long. Examples show the result as JSON, where times are text in RFC 3339,
durations text such as 1h30m0s and bytes base64; ` + "`value`" + ` is the record shown with it. For functions that read the clock or randomness the result is one of many.

`)
	group := ""
	for _, f := range all {
		if f.Group != group {
			group = f.Group
			b.WriteString("- [" + group + "](#" + anchor(group) + "): ")
			first := true
			for _, g := range all {
				if g.Group != group {
					continue
				}
				if !first {
					b.WriteString(", ")
				}
				first = false
				b.WriteString("[" + g.Name + "](#" + anchor(g.Name) + ")")
			}
			b.WriteString("\n")
		}
	}
	group = ""
	for _, f := range all {
		if f.Group != group {
			group = f.Group
			b.WriteString("\n## " + group + "\n")
		}
		writeFunc(&b, f)
	}
	return b.String()
}

// anchor is the link target of a heading.
func anchor(heading string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(heading), ",", ""), " ", "-")
}

func writeFunc(b *strings.Builder, f Func) {
	b.WriteString("\n### " + f.Name + "\n\n`" + Signature(f) + "`")
	if f.Builtin {
		b.WriteString(" *language*")
	}
	b.WriteString("\n\n" + f.Doc + "\n")
	if len(f.Params) > 0 {
		b.WriteString("\n")
	}
	for _, prm := range f.Params {
		b.WriteString("- `" + prm.Name + "`: " + prm.Doc + "\n")
	}
	b.WriteString("\n```\n")
	for _, e := range f.Examples {
		if e.Input != "" {
			b.WriteString("value = " + e.Input + "\n")
		}
		b.WriteString(e.Expr + "\n")
		if e.Err != "" {
			b.WriteString("  error: " + e.Err + "\n")
		} else {
			b.WriteString("  " + e.Want + "\n")
		}
	}
	b.WriteString("```\n")
}

// Signature returns a function's name, parameters and result as one line:
// formatTime(t time, layout string, [zone string]) string.
func Signature(f Func) string {
	var b strings.Builder
	b.WriteString(f.Name + "(")
	for i, prm := range f.Params {
		if i > 0 {
			b.WriteString(", ")
		}
		word := prm.Name + " " + strings.ReplaceAll(prm.Type, "|", " or ")
		switch {
		case f.Variadic && i == len(f.Params)-1:
			word += "..."
		case prm.Optional:
			word = "[" + word + "]"
		}
		b.WriteString(word)
	}
	b.WriteString(") " + strings.ReplaceAll(f.Result, "|", " or "))
	return b.String()
}
