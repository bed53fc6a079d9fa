package explain

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The marks of a terminal.
const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	cyan   = "\x1b[36m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

const (
	// labelColumn is how wide labels are, widestLabel how wide those of an
	// element may make them.
	labelColumn, widestLabel = 12, 24
	// minWidth keeps lines readable in a very narrow window.
	minWidth = 40
)

// sheet is text that is laid out.
type sheet struct {
	b      strings.Builder
	width  int
	color  bool
	indent string // in front of every line
	labels int    // columns of a label
}

func (s *sheet) paint(mark, text string) string {
	if !s.color || text == "" {
		return text
	}
	return mark + text + reset
}

func (s *sheet) line(text string) {
	s.b.WriteString(strings.TrimRight(s.paint(dim, s.indent)+text, " "))
	s.b.WriteByte('\n')
}

func (s *sheet) blank() {
	s.b.WriteString(s.paint(dim, strings.TrimRight(s.indent, " ")) + "\n")
}

func (s *sheet) section(title string, body func()) {
	s.blank()
	s.line(s.paint(bold, title))
	body()
}

// rule draws the edge of a stage. It reports whether there was room for the
// detail.
func (s *sheet) rule(corner, title, detail string) bool {
	text, used := s.paint(dim, corner), columns(corner)
	fits := used+columns(title+" · "+detail) <= s.room()
	if title != "" {
		text += s.paint(bold, title) + " "
		used += columns(title) + 1
	}
	if detail != "" && fits {
		text += s.paint(dim, "· "+detail+" ")
		used += columns("· " + detail + " ")
	}
	s.line(text + s.paint(dim, strings.Repeat("─", max(s.room()-used, 0))))
	return fits
}

// room is the width within the indent.
func (s *sheet) room() int {
	if s.width <= 0 {
		return 78 - columns(s.indent)
	}
	return max(s.width, minWidth) - columns(s.indent)
}

// row writes a label and a text that is wrapped behind it.
func (s *sheet) row(label, text string) { s.marked("", label, text) }

func (s *sheet) marked(mark, label, text string) {
	lead := "  " + plain(label)
	if w := columns(lead); w < s.labels+2 {
		lead += strings.Repeat(" ", s.labels+2-w)
	} else {
		lead += " "
	}
	hang := strings.Repeat(" ", s.labels+2)
	if columns(lead) > max(s.labels+2, s.room()/2) {
		for _, l := range s.wrap(label, 2, 2) { // the text goes below
			s.line("  " + s.paint(dim, l))
		}
		lead = hang
	}
	for i, l := range s.wrap(text, columns(lead), len(hang)) {
		switch {
		case i == 0 && mark != "":
			s.line(s.paint(mark, lead) + l)
		case i == 0:
			s.line(s.paint(dim, lead) + l)
		default:
			s.line(hang + l)
		}
	}
}

// wrapped writes a line that may be painted already; what is too long goes on
// below.
func (s *sheet) wrapped(text, hang string) {
	if s.width <= 0 || columns(text) <= s.room() {
		s.line(text)
		return
	}
	head, tail, _ := strings.Cut(text, "  ")
	if columns(head) <= s.room() {
		s.line(head)
	} else {
		for _, l := range s.wrap(stripped(head), 0, 0) {
			s.line(l)
		}
	}
	tail = strings.TrimSpace(stripped(tail))
	if tail == "" {
		return
	}
	for _, l := range s.wrap(tail, len(hang), len(hang)) {
		s.line(hang + s.paint(dim, l))
	}
}

// wrap breaks a text at spaces, and a word that is too long where it must be.
// Lines of the text stay lines, less what all of them are indented by.
func (s *sheet) wrap(text string, firstAt, restAt int) []string {
	var lines []string
	room := func() int {
		if s.width <= 0 {
			return 1 << 30
		}
		at := restAt
		if len(lines) == 0 {
			at = firstAt
		}
		return max(s.room()-at, 16)
	}
	for _, l := range dedent(text) {
		lead := l[:len(l)-len(strings.TrimLeft(l, " "))]
		line := lead
		if columns(l) <= room() {
			lines = append(lines, l) // as it is: spaces may be part of a text
			continue
		}
		for word := range strings.FieldsSeq(l) {
			for {
				gap := ""
				if line != lead {
					gap = " "
				}
				if columns(line)+columns(gap)+columns(word) <= room() {
					line += gap + word
					break
				}
				if line != lead {
					lines, line = append(lines, line), lead
					continue
				}
				head, tail := cut(word, max(room()-columns(lead), 8))
				lines, line, word = append(lines, lead+head), lead, tail
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// dedent returns the lines of a text with their own indentation only, control
// characters made visible.
func dedent(text string) []string {
	lines := strings.Split(strings.ReplaceAll(strings.Trim(text, "\n"), "\t", "  "), "\n")
	least := -1
	for i, l := range lines {
		lines[i] = plain(l)
		if n := len(lines[i]) - len(strings.TrimLeft(lines[i], " ")); i > 0 && strings.TrimSpace(l) != "" && (least < 0 || n < least) {
			least = n
		}
	}
	for i := range lines {
		if n := len(lines[i]) - len(strings.TrimLeft(lines[i], " ")); i > 0 && least > 0 {
			lines[i] = lines[i][min(n, least):]
		}
	}
	return lines
}

// plain makes control characters visible.
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != '\u200d', r == utf8.RuneError:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// cut cuts a word after n columns.
func cut(word string, n int) (head, tail string) {
	used := 0
	for i, r := range word {
		if used += runeColumns(r); used > n && i > 0 {
			return word[:i], word[i:]
		}
	}
	return word, ""
}

// columns counts what a terminal shows; marks take none.
func columns(s string) int {
	n := 0
	for _, r := range stripped(s) {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana), r >= 0xff01 && r <= 0xff60, r >= 0x1f300 && r <= 0x1faff:
		return 2
	}
	return 1
}

var marks = strings.NewReplacer(bold, "", dim, "", cyan, "", yellow, "", reset, "")

func stripped(s string) string { return marks.Replace(s) }
