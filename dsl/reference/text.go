package reference

import (
	"fmt"
	"strings"
)

// Style marks parts of a text for a terminal. Its zero value marks nothing.
type Style struct {
	// Bold marks headings and names; nil leaves them as they are.
	Bold func(string) string
}

func (s Style) bold(text string) string {
	if s.Bold == nil {
		return text
	}
	return s.Bold(text)
}

// Text describes an entry for a terminal of that width.
func Text(e *Entry, width int, style Style) string {
	w := &textWriter{width: max(width, 40), style: style}
	title := e.Kind + " " + e.Type
	since := "since " + e.Since
	if e.Group != "" {
		since = e.Group
	}
	gap := max(2, w.width-len([]rune(title))-len([]rune(since)))
	w.line(style.bold(title) + strings.Repeat(" ", gap) + since)
	w.line("")
	w.para("  ", e.Syntax)
	w.line("")
	if e.Kind != KindFunction {
		w.para("", e.Summary)
	}
	if e.Description != "" {
		if e.Kind != KindFunction {
			w.line("")
		}
		for _, l := range Plain(e.Description, w.width) {
			w.line(l)
		}
	}
	w.params(e.Params)
	w.options("OPTIONS", e.Options, e.Since)
	heading := "EVERY " + strings.ToUpper(e.Kind) + " HAS"
	if e.Kind == KindBlock {
		heading = "EVERY " + strings.ToUpper(e.Type) + " HAS"
	}
	w.options(heading, e.Common, e.Since)
	w.examples(e.Examples)
	return w.b.String()
}

type textWriter struct {
	b     strings.Builder
	width int
	style Style
}

func (w *textWriter) line(s string) { w.b.WriteString(strings.TrimRight(s, " ") + "\n") }

// para writes wrapped text, every line behind the indent.
func (w *textWriter) para(indent, text string) {
	for _, l := range Wrap(text, w.width-len(indent)) {
		w.line(indent + l)
	}
}

func (w *textWriter) heading(s string) {
	w.line("")
	w.line(w.style.bold(s))
}

func (w *textWriter) params(params []Param) {
	if len(params) == 0 {
		return
	}
	w.heading("PARAMETERS")
	for _, p := range params {
		facts := strings.ReplaceAll(p.Type, "|", " or ")
		if p.Optional {
			facts += ", optional"
		}
		if p.Variadic {
			facts += ", any number of times"
		}
		w.entry("  ", p.Name, facts, p.Doc)
	}
}

func (w *textWriter) options(title string, list []Option, since string) {
	if len(list) == 0 {
		return
	}
	w.heading(title)
	w.optionList(list, "  ", since)
}

func (w *textWriter) optionList(list []Option, indent, since string) {
	for i := range list {
		o := &list[i]
		if i > 0 && indent == "  " {
			w.line("")
		}
		w.entry(indent, o.use(), strings.Join(facts(o, since), ", "), inline(o.Doc))
		if o.Example != "" {
			w.line(fmt.Sprintf("%s    e.g. %s = %s", indent, o.Name, o.Example))
		}
		w.optionList(o.Options, indent+"    ", o.Since)
	}
}

// entry is a name with its facts on one line if they fit, and what it means
// below.
func (w *textWriter) entry(indent, name, facts, doc string) {
	head := indent + name + "  "
	room := w.width - len([]rune(head))
	if room < 24 { // a long name far to the right, in a narrow window
		w.line(indent + w.style.bold(name))
		w.para(indent+"  ", facts)
		w.para(indent+"    ", doc)
		return
	}
	lines := Wrap(facts, room)
	for i, l := range lines {
		if i == 0 {
			w.line(indent + w.style.bold(name) + "  " + l)
		} else {
			w.line(strings.Repeat(" ", len([]rune(head))) + l)
		}
	}
	if len(lines) == 0 {
		w.line(indent + w.style.bold(name))
	}
	w.para(indent+"    ", doc)
}

// facts are what an option is in few words, the type first; since is the
// version of what it belongs to.
func facts(o *Option, since string) []string {
	list := []string{TypeText(o)}
	if o.Required {
		list = append(list, "required")
	}
	if o.Default != "" {
		list = append(list, "default "+o.Default)
	}
	if b := bounds(o); b != "" {
		list = append(list, b)
	}
	if o.Repeated {
		list = append(list, "any number of times")
	}
	if o.Destination {
		list = append(list, "decides where data goes")
	}
	if o.Secret {
		list = append(list, "never shown")
	}
	if o.Since != since {
		list = append(list, "since "+o.Since)
	}
	return list
}

// TypeText is the type of an option for people: number of records, one of
// "a", "b".
func TypeText(o *Option) string {
	switch {
	case len(o.OneOf) > 0 && o.Type == "list of string":
		return `list of "` + strings.Join(o.OneOf, `", "`) + `"`
	case len(o.OneOf) > 0:
		return `"` + strings.Join(o.OneOf, `" or "`) + `"`
	case o.Result != "":
		return o.Type + " that gives a " + o.Result
	case strings.HasSuffix(o.Type, "number"):
		text := o.Type
		if o.Unit != "" {
			text += " of " + o.Unit
		}
		return text
	}
	return o.Type
}

func bounds(o *Option) string {
	switch {
	case o.Min == "" && o.Max == "":
		return ""
	case o.Max == "":
		return "at least " + o.Min
	case o.Min == "":
		return "at most " + o.Max
	}
	return o.Min + " to " + o.Max
}

func (w *textWriter) examples(list []Example) {
	if len(list) == 0 {
		return
	}
	if list[0].HCL == "" {
		w.heading("EXAMPLES")
	}
	for i := range list {
		x := &list[i]
		if x.HCL != "" {
			w.heading("EXAMPLE: " + x.Title)
			for l := range strings.SplitSeq(strings.TrimSpace(x.HCL), "\n") {
				w.line("  " + l)
			}
			continue
		}
		if i > 0 {
			w.line("")
		}
		if x.Value != "" {
			w.line("  value = " + x.Value)
		}
		w.line("  " + x.Expr)
		if x.Error != "" {
			w.line("    error: " + x.Error)
		} else {
			w.line("    " + x.Result)
		}
	}
}
