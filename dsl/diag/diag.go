// Package diag prints diagnostics for people: place, what is wrong, the
// source with carets under the exact range, and what to do.
package diag

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/apparentlymart/go-textseg/v15/textseg"
	"github.com/hashicorp/hcl/v2"
	"golang.org/x/text/width"

	"github.com/flowrecords/flow/dsl/rules"
)

const (
	linesBefore = 2
	linesAfter  = 1
	// minWidth keeps a snippet readable in a very narrow window.
	minWidth = 40
)

// WriteText prints diagnostics in their order, each as
//
//	file:line:column: error: summary [FL1101]
//
//	  12 |   output "kafka" "paid" {
//	  13 |     topik = "orders"
//	     |     ^^^^^
//	  14 |   }
//
//	  What to do.
//
// files are the sources for the snippets; without one there is none. Text is
// wrapped at columns (0: not at all), snippets are cut there. Control
// characters of a source are never sent to the terminal.
func WriteText(w io.Writer, files map[string]*hcl.File, diags hcl.Diagnostics, color bool, columns int) error {
	if columns > 0 && columns < minWidth {
		columns = minWidth
	}
	var b bytes.Buffer
	p := printer{b: &b, color: color, columns: columns, lines: make(map[*hcl.File][][]byte)}
	for i, d := range diags {
		if i > 0 {
			b.WriteByte('\n')
		}
		p.diagnostic(files, d)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// Summary is the closing line: "2 errors and 1 warning". It is empty without
// diagnostics.
func Summary(diags hcl.Diagnostics) string {
	errors := 0
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			errors++
		}
	}
	warnings := len(diags) - errors
	switch {
	case errors > 0 && warnings > 0:
		return count(errors, "error") + " and " + count(warnings, "warning")
	case errors > 0:
		return count(errors, "error")
	case warnings > 0:
		return count(warnings, "warning")
	}
	return ""
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

type printer struct {
	b       *bytes.Buffer
	color   bool
	columns int
	lines   map[*hcl.File][][]byte // of the files seen so far
}

// The colours of a terminal.
const (
	bold   = "1"
	dim    = "2"
	red    = "1;31"
	yellow = "1;33"
)

func (p *printer) paint(code, s string) string {
	if !p.color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *printer) diagnostic(files map[string]*hcl.File, d *hcl.Diagnostic) {
	severity, code := "error", red
	if d.Severity == hcl.DiagWarning {
		severity, code = "warning", yellow
	}
	if d.Subject != nil {
		fmt.Fprintf(p.b, "%s: ", p.paint(bold, fmt.Sprintf("%s:%d:%d", clean(d.Subject.Filename), d.Subject.Start.Line, d.Subject.Start.Column)))
	}
	fmt.Fprintf(p.b, "%s %s", p.paint(code, severity+":"), p.paint(bold, clean(d.Summary)))
	if id := rules.Of(d).Rule; id != "" {
		fmt.Fprintf(p.b, " %s", p.paint(dim, "["+string(id)+"]"))
	}
	p.b.WriteByte('\n')
	if d.Subject != nil {
		if f := files[d.Subject.Filename]; f != nil && len(f.Bytes) > 0 {
			if p.lines[f] == nil {
				p.lines[f] = bytes.Split(f.Bytes, []byte("\n"))
			}
			p.snippet(p.lines[f], *d.Subject, code)
		}
	}
	if d.Detail != "" {
		p.b.WriteByte('\n')
		for line := range strings.SplitSeq(strings.TrimRight(d.Detail, "\n"), "\n") {
			p.wrap(clean(line))
		}
	}
}

// wrap prints a paragraph, indented by two.
func (p *printer) wrap(text string) {
	line := "  "
	for _, word := range strings.Fields(text) {
		if p.columns > 0 && line != "  " && cells(line)+1+cells(word) > p.columns {
			p.b.WriteString(line + "\n")
			line = "  "
		}
		if line != "  " {
			line += " "
		}
		line += word
	}
	if line != "  " {
		p.b.WriteString(line + "\n")
	}
}

// snippet prints the lines around a range, with carets under it.
func (p *printer) snippet(lines [][]byte, r hcl.Range, code string) {
	first, last := max(0, r.Start.Line-1-linesBefore), min(len(lines)-1, r.Start.Line-1+linesAfter)
	if r.Start.Line < 1 || r.Start.Line > len(lines) {
		return
	}
	for last > r.Start.Line-1 && len(bytes.TrimSpace(lines[last])) == 0 {
		last-- // an empty line at the end says nothing
	}
	for first < r.Start.Line-1 && len(bytes.TrimSpace(lines[first])) == 0 {
		first++
	}
	digits := len(strconv.Itoa(last + 1))
	p.b.WriteByte('\n')
	for n := first; n <= last; n++ {
		line := bytes.TrimSuffix(lines[n], []byte("\r"))
		gutter := fmt.Sprintf("  %*d | ", digits, n+1)
		if n != r.Start.Line-1 {
			text, _ := cut(display(line), p.room(gutter), 0)
			p.b.WriteString(p.paint(dim, gutter) + strings.TrimRight(text, " ") + "\n")
			continue
		}
		p.marked(line, gutter, r, code)
	}
}

func (p *printer) room(gutter string) int {
	if p.columns == 0 {
		return 0
	}
	return max(p.columns-len(gutter), minWidth/2)
}

// marked prints the line at fault and the carets below it.
func (p *printer) marked(line []byte, gutter string, r hcl.Range, code string) {
	from := columnOffset(line, r.Start.Column)
	to := len(line)
	if r.End.Line == r.Start.Line {
		to = min(columnOffset(line, r.End.Column), len(line))
	}
	before, marked := display(line[:from]), display(line[from:max(from, to)])
	text, skipped := cut(display(line), p.room(gutter), cells(before)+cells(marked))
	p.b.WriteString(p.paint(dim, gutter) + strings.TrimRight(text, " ") + "\n")
	pad := max(cells(before)-skipped, 0)
	carets := max(cells(strings.TrimRight(marked, " ")), 1)
	if room := p.room(gutter); room > 0 {
		carets = max(min(carets, room-pad), 1)
	}
	blank := strings.Repeat(" ", len(gutter)-2) + "| "
	p.b.WriteString(p.paint(dim, blank) + strings.Repeat(" ", pad) + p.paint(code, strings.Repeat("^", carets)) + "\n")
}

// columnOffset is the byte of a column, which counts characters as people see
// them, from 1.
func columnOffset(line []byte, column int) int {
	offset := 0
	for c := 1; c < column && offset < len(line); c++ {
		n, _, err := textseg.ScanGraphemeClusters(line[offset:], true)
		if err != nil || n == 0 {
			break
		}
		offset += n
	}
	return offset
}

// tab is what a tab of the source becomes: carets must stand under their text
// whatever the terminal makes of a tab.
const tab = "  "

// display makes a line safe to print.
func display(line []byte) string {
	var b strings.Builder
	for len(line) > 0 {
		r, n := utf8.DecodeRune(line)
		switch {
		case r == '\t':
			b.WriteString(tab)
		case r == utf8.RuneError && n == 1, !printable(r):
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r)
		}
		line = line[n:]
	}
	return b.String()
}

// printable refuses what could change the terminal or the direction of text.
func printable(r rune) bool {
	return r == ' ' || unicode.IsPrint(r) || unicode.Is(unicode.Mn, r) || r == '\u200d' || r == '\ufe0f'
}

func clean(s string) string { return display([]byte(s)) }

// cells is how many columns of a terminal a text takes.
func cells(s string) int {
	n := 0
	for _, r := range s {
		switch k := width.LookupRune(r).Kind(); {
		case unicode.Is(unicode.Mn, r), r == '\u200d', r == '\ufe0f':
		case k == width.EastAsianWide, k == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// cut shortens a line to room columns so that column end is still seen, and
// returns how many columns it took away at the left.
func cut(s string, room, end int) (string, int) {
	if room <= 0 || cells(s) <= room {
		return s, 0
	}
	skip := 0
	if end > room-3 {
		skip = end - room/2
	}
	var b strings.Builder
	at, skipped := 0, 0
	if skip > 0 {
		b.WriteString("...")
	}
	for _, r := range s {
		w := cells(string(r))
		switch {
		case at < skip:
			skipped = at + w
		case at-skipped+cells("...")+w > room-3:
			b.WriteString("...")
			return b.String(), max(skipped-3, 0)
		default:
			b.WriteRune(r)
		}
		at += w
	}
	return b.String(), max(skipped-3, 0)
}
