package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/flowrecords/flow/dsl/reference"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/doctor"
)

// The marks of the states: one column each.
var doctorMarks = map[engine.CheckStatus]struct{ mark, color string }{
	engine.CheckOK:      {"✓", "\x1b[32m"},
	engine.CheckUnknown: {"?", "\x1b[2m"},
	engine.CheckWarning: {"!", "\x1b[33m"},
	engine.CheckFailure: {"✗", "\x1b[31m"},
}

// writeDoctor writes a report for people: a heading for each subject, a line
// for each check, what to do below it, and a count at the end.
func writeDoctor(w io.Writer, rep *doctor.Report, width int, color bool) error {
	paint := func(mark, text string) string {
		if !color || text == "" {
			return text
		}
		return mark + text + "\x1b[0m"
	}
	var b strings.Builder
	pipeline := ""
	for i, s := range rep.Subjects {
		if i > 0 {
			b.WriteByte('\n')
		}
		if s.Pipeline != pipeline {
			pipeline = s.Pipeline
			b.WriteString(paint("\x1b[1m", "pipeline "+visible(pipeline)) + "\n")
		}
		b.WriteString(paint("\x1b[36m", visible(s.Address)) + "\n")
		for _, c := range s.Checks {
			m := doctorMarks[c.Status]
			text := visible(c.What)
			if c.Detail != "" {
				text += ": " + visible(c.Detail)
			}
			lead := "  " + paint(m.color, m.mark) + " "
			for _, l := range wrapped(text, width-4) {
				b.WriteString(lead + l + "\n")
				lead = "    "
			}
			if c.Status == engine.CheckOK {
				continue
			}
			lead = "    " + paint("\x1b[2m", "→ ")
			for _, l := range wrapped(visible(c.Remedy), width-6) {
				b.WriteString(lead + l + "\n")
				lead = "      "
			}
		}
		if len(s.Checks) == 0 {
			b.WriteString("  nothing to look at\n")
		}
	}
	if len(rep.Subjects) > 0 {
		b.WriteByte('\n')
	}
	b.WriteString(doctorSummary(rep) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func doctorSummary(rep *doctor.Report) string {
	n := rep.Counts()
	if len(rep.Subjects) == 0 {
		return "Nothing of this config reaches outside the process."
	}
	parts := []string{fmt.Sprintf("%d ok", n[engine.CheckOK])}
	if k := n[engine.CheckUnknown]; k > 0 {
		parts = append(parts, fmt.Sprintf("%d unknown", k))
	}
	if k := n[engine.CheckWarning]; k > 0 {
		parts = append(parts, plural(k, "warning"))
	}
	if k := n[engine.CheckFailure]; k > 0 {
		parts = append(parts, plural(k, "failure"))
	}
	return strings.Join(parts, ", ") + "."
}

// wrapped breaks a text at spaces, and a word that is wider than a line where
// it must be.
func wrapped(text string, width int) []string {
	width = max(width, 16)
	var lines []string
	for _, l := range reference.Wrap(text, width) {
		for r := []rune(l); ; r = r[width:] {
			if len(r) <= width {
				lines = append(lines, string(r))
				break
			}
			lines = append(lines, string(r[:width]))
		}
	}
	return lines
}

// visible replaces what would move a terminal: servers and file names are not
// to be trusted.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return '·'
		}
		return r
	}, s)
}
