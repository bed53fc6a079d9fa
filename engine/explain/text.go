package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine"
)

// TextOptions are how WriteText lays out.
type TextOptions struct {
	// Width in columns at which lines are wrapped; 0: not at all.
	Width int
	// Color marks up for a terminal.
	Color bool
}

// WriteText writes a plan for people: the elements in the order of the flow
// with the stages drawn around them, then what is promised and what bounds it.
// No control character of a config reaches the terminal.
func WriteText(w io.Writer, plan *Plan, o TextOptions) error {
	s := &sheet{width: o.Width, color: o.Color, labels: labelColumn}
	for i := range plan.Pipelines {
		if i > 0 {
			s.blank()
		}
		s.pipeline(&plan.Pipelines[i])
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}

func (s *sheet) pipeline(p *Pipeline) {
	s.wrapped(s.paint(bold, "pipeline "+plain(p.Name))+s.paint(dim, "  "+strings.Join(headline(p), ", ")), "  ")
	s.flow(p)
	s.section("Delivery", func() { s.delivery(p) })
	s.section("Errors", func() { s.errors(p) })
	s.section("Run", func() { s.runs(p) })
	s.section("Bounds", func() { s.bounds(p) })
}

// headline is the pipeline in four words.
func headline(p *Pipeline) []string {
	words := []string{strings.ReplaceAll(p.Delivery.Mode, "_", " ")}
	if !p.Delivery.Kept {
		words[0] += " (weakened)"
	}
	if p.Order == "none" {
		words = append(words, "in any order")
	} else {
		words = append(words, "in order")
	}
	if p.Bounded {
		return append(words, "ends by itself")
	}
	return append(words, "runs for ever")
}

// flow draws elements and, around those that share a loop, their stage.
func (s *sheet) flow(p *Pipeline) {
	drawn := make(map[int]bool)
	alone := func(stage int) bool { return stage > 0 && len(p.Stages[stage-1].Elements) == 0 }
	for i := range p.Elements {
		e := &p.Elements[i]
		switch {
		case e.Kind != string(engine.KindProcessor):
			s.blank()
			s.element(p, e)
			if alone(e.Stage) {
				s.stage(p, &p.Stages[e.Stage-1])
			}
		case !drawn[e.Stage]:
			drawn[e.Stage] = true
			s.stage(p, &p.Stages[e.Stage-1])
		}
	}
}

// stage draws a stage with its elements.
func (s *sheet) stage(p *Pipeline, st *Stage) {
	s.blank()
	fits := s.rule("┌ ", fmt.Sprintf("stage %d", st.Number), workersText(st))
	s.indent = "│ "
	if !fits {
		s.row("run by", workersText(st))
	}
	if st.Decodes != "" {
		s.row("decodes", st.Decodes)
	}
	for i, address := range st.Elements {
		if i > 0 || st.Decodes != "" {
			s.blank()
		}
		at := slices.IndexFunc(p.Elements, func(e Element) bool { return e.Address == address })
		s.element(p, &p.Elements[at])
	}
	s.blank()
	for _, r := range stageRows(st) {
		s.row(r[0], r[1])
	}
	s.indent = ""
	s.rule("└", "", "")
}

func workersText(st *Stage) string {
	switch {
	case st.Serial:
		return "1 worker, since it must see all records"
	case st.Workers == 1:
		return "1 worker"
	case st.PerCPU:
		return fmt.Sprintf("%d workers, one for each CPU", st.Workers)
	}
	return fmt.Sprintf("%d workers", st.Workers)
}

func stageRows(st *Stage) [][2]string {
	var rows [][2]string
	add := func(label, text string) {
		if text != "" {
			rows = append(rows, [2]string{label, text})
		}
	}
	switch {
	case len(st.Whole) > 0:
		add("reads", "the whole value, since "+list(st.Whole)+" asks for it"+besides(st.Reads))
	case len(st.Reads) > 0:
		add("reads", strings.Join(st.Reads, ", "))
	case len(st.Elements) > 0:
		add("reads", "nothing of a record")
	}
	changeRows(&st.Changes, add)
	switch {
	case len(st.Elements) == 0:
		add("bytes", "are converted in place")
	case st.Changes.ReadOnly:
		add("bytes", "pass through, none is copied")
	default:
		add("bytes", "are copied into batches of the stage, with the changes")
	}
	return rows
}

// besides lists what is read beside the value.
func besides(reads []string) string {
	rest := slices.DeleteFunc(slices.Clone(reads), func(r string) bool { return r == "value" })
	if len(rest) == 0 {
		return ""
	}
	return "; and " + strings.Join(rest, ", ")
}

func changeRows(c *Changes, add func(label, text string)) {
	add("writes", strings.Join(c.Writes, ", "))
	add("removes", strings.Join(c.Removes, ", "))
	add("keeps", strings.Join(c.Keeps, ", "))
	var moves []string
	for _, m := range c.Moves {
		moves = append(moves, m.From+" to "+m.To)
	}
	add("renames", strings.Join(moves, ", "))
	if !c.Known {
		add("changes", "of some element are not known")
	}
}

// element writes an element with its options.
func (s *sheet) element(p *Pipeline, e *Element) {
	head := s.paint(cyan, plain(e.Address))
	if from := s.from(p, e); from != "" {
		head += s.paint(dim, "  ← "+from)
	}
	s.wrapped(head, "    ")
	defer func() { s.labels = labelColumn }()
	for _, o := range e.Options {
		s.labels = min(max(s.labels, columns(plain(optionName(o)))+2), min(widestLabel, max(s.room()/3, labelColumn)))
	}
	for _, o := range e.Options {
		s.row(optionName(o), o.Text)
	}
	for i, text := range e.Equal {
		label := "same as"
		if i > 0 {
			label = "then"
		}
		s.row(label, strings.NewReplacer("{\n  ", "{ ", "\n  ", "; ", "\n", " ").Replace(text))
	}
	if text := conversionText(e); text != "" {
		s.row("records", text)
	}
	if e.Kind == string(engine.KindOutput) {
		if len(e.Reads) > 0 {
			s.row("reads", strings.Join(e.Reads, ", "))
		}
	}
}

func optionName(o Option) string {
	if o.Target != "" {
		return o.Name + " " + o.Target
	}
	return o.Name
}

// from says what an element reads, for those whose place does not show it:
// within a stage each reads the one above.
func (s *sheet) from(p *Pipeline, e *Element) string {
	if e.Stage > 0 && e.Kind == string(engine.KindProcessor) && p.Stages[e.Stage-1].Elements[0] != e.Address {
		return ""
	}
	var parts []string
	for _, f := range e.From {
		parts = append(parts, plain(portText(f)))
	}
	return strings.Join(parts, ", ")
}

func portText(f Port) string {
	switch {
	case f.Element == "":
		return "errors of all elements"
	case f.Port == engine.ErrorsPort:
		return "errors of " + f.Element
	case f.Port != "":
		return f.Element + "." + f.Port
	}
	return f.Element
}

func conversionText(e *Element) string {
	var text func(*Conversion) string
	var none string
	switch e.Kind {
	case string(engine.KindInput):
		text, none = decodeText, "come as bytes"
		if e.Container != "" {
			none = fmt.Sprintf("come from %s files, with their schema", e.Container)
		}
	case string(engine.KindOutput):
		if e.Confirms != nil && e.Confirms.Discards {
			return "are thrown away"
		}
		text, none = encodeText, "are written as they are"
		if e.Container != "" {
			none = fmt.Sprintf("are written to %s files, by their schema", e.Container)
		}
	default:
		return ""
	}
	out := none
	if e.Value.Converter != "" || e.Key.Converter != "" || e.Value.Rewrites || e.Key.Rewrites {
		out = fmt.Sprintf("value %s, key %s", text(e.Value), text(e.Key))
	}
	if e.HeaderValues != nil {
		out += ", headers " + text(e.HeaderValues)
	}
	return out
}

func decodeText(c *Conversion) string {
	switch {
	case c.Converter == "":
		return "as bytes"
	case c.Rewrites && c.Converter == c.Encoding:
		return fmt.Sprintf("from %s (all of it checked)", c.Converter)
	case c.Rewrites:
		return fmt.Sprintf("from %s (decoded to %s)", c.Converter, c.Encoding)
	}
	return fmt.Sprintf("from %s (read in place)", c.Converter)
}

func encodeText(c *Conversion) string {
	switch {
	case c.Converter == "" && c.Rewrites:
		return "to " + c.Encoding + " of its schema (no converter is set)"
	case c.Converter == "":
		return "as it is"
	case c.Rewrites:
		return "to " + c.Converter + " (encoded)"
	}
	return "to " + c.Converter + " (as it is)"
}
