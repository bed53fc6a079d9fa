package exprfmt

import "strings"

// indentWidth is what HCL's own layout indents by.
const indentWidth = 2

// writer puts items into lines.
type writer struct {
	items  []item
	text   string
	shape  Shape
	pieces []Piece
	// indent is that of the line being written.
	indent int
	// opened is, by the index of an opening bracket, the indent of its line.
	opened []int
	// last is the index of the last token that is no comment, -1 for none.
	last int
}

func write(items []item, text string, shape Shape) []Piece {
	w := &writer{items: items, text: text, shape: shape, opened: make([]int, len(items)), last: -1}
	for i := range items {
		if i > 0 {
			w.gap(i)
		}
		it := &items[i]
		switch {
		case it.comment:
			w.comment(it)
		default:
			w.pieces = append(w.pieces, tokenPieces(it, text)...)
			w.last = i
		}
		if it.role.opens() {
			w.opened[i] = w.indent
		}
	}
	return w.pieces
}

func (w *writer) add(text string) {
	if text != "" {
		w.pieces = append(w.pieces, Piece{Text: text})
	}
}

// gap writes what stands in front of an item.
func (w *writer) gap(i int) {
	before, it := &w.items[i-1], &w.items[i]
	forced := before.line(w.text)
	switch {
	case w.shape == OneLine && forced:
		w.add("\n")
	case w.shape == OneLine || it.breaks == 0 && !forced:
		if spaced(before, it) {
			w.add(" ")
		}
	default:
		w.add("\n")
		if it.breaks > 1 && !before.role.opens() && it.role != roleClose {
			w.add("\n")
		}
		w.indent = w.lineIndent(i)
		w.add(strings.Repeat(" ", w.indent))
	}
}

// lineIndent is the indent of a line that begins with an item: that of its
// bracket's line for a closing bracket, one step more within a bracket, and
// one more for a line that goes on with what the line before began.
func (w *writer) lineIndent(i int) int {
	it := &w.items[i]
	if it.role == roleClose {
		return w.opened[it.pair]
	}
	base := 0
	if it.in >= 0 {
		base = w.opened[it.in] + indentWidth
	}
	next := i
	for next < len(w.items) && w.items[next].comment {
		next++
	}
	switch {
	case w.last < 0, w.last == it.in, w.items[w.last].role == roleComma:
	case next == len(w.items), w.items[next].role == roleClose, w.items[next].value == "else" && w.items[next].role == roleWord:
	default:
		base += indentWidth
	}
	return base
}

func (w *writer) comment(it *item) {
	written := w.text[it.from:it.to]
	if w.shape == OneLine || !strings.Contains(written, "\n") {
		w.pieces = append(w.pieces, Piece{From: it.from, To: it.to})
		return
	}
	w.add(shift(written, w.indent))
}

// shift moves the lines of a comment behind its first so that the leftmost one
// stands at indent, one further if all begin with a star.
func shift(comment string, indent int) string {
	lines := strings.Split(comment, "\n")
	least, stars := -1, true
	for i, line := range lines[1:] {
		line = strings.TrimRight(line, " \t\r")
		lines[i+1] = line
		if line == "" {
			continue
		}
		if n, rest := leading(line); least < 0 || n < least {
			least, stars = n, stars && rest[0] == '*'
		} else {
			stars = stars && rest[0] == '*'
		}
	}
	if stars {
		indent++
	}
	lines[0] = strings.TrimRight(lines[0], " \t\r")
	for i, line := range lines[1:] {
		if line != "" {
			n, rest := leading(line)
			lines[i+1] = strings.Repeat(" ", n-least+indent) + rest
		}
	}
	return strings.Join(lines, "\n")
}

// leading counts the columns in front of a line's text; a tab is one step.
func leading(line string) (int, string) {
	n := 0
	for i := range len(line) {
		switch line[i] {
		case ' ':
			n++
		case '\t':
			n += indentWidth
		default:
			return n, line[i:]
		}
	}
	return n, ""
}
