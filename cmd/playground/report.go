package playground

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/flowrecords/flow/dsl/diag"
	"github.com/flowrecords/flow/dsl/expr"
)

// report says what goes wrong, on standard error.
type report struct {
	w     io.Writer
	style Style
	// scrub takes secrets out of what is said.
	scrub func(string) string
	// said is whether something was printed before, which a blank line parts.
	said *bool
}

// problems prints all mistakes of an expression.
func (r *report) problems(where, text string, problems []expr.Problem) {
	for _, p := range problems {
		r.mistake(diag.Mistake{Where: where, Summary: lowerFirst(p.Summary), Detail: p.Detail, Text: text, Offset: p.Offset, Length: p.Length})
	}
}

func (r *report) mistake(m diag.Mistake) {
	if *r.said {
		fmt.Fprintln(r.w)
	}
	*r.said = true
	_ = diag.WriteMistake(r.w, m, r.style.Color, r.style.Width)
}

// failed prints the error of a record: the place in the expression, if it is
// known, and the record. detail may be empty.
func (r *report) failed(where, text string, err error, rec *Record, detail string) {
	m := diag.Mistake{Where: where, Summary: r.scrub(err.Error()), Text: text, Offset: -1, Detail: detail}
	if offset, length, summary, ok := placeOf(text, err.Error()); ok {
		m.Offset, m.Length, m.Summary = offset, length, r.scrub(summary)
	}
	r.mistake(m)
	if rec == nil {
		return
	}
	if line := r.line(rec); line != "" {
		fmt.Fprintf(r.w, "\n  %s %s\n", r.style.paint(colorDim, "record:"), line)
	}
}

// line is a record in one line as wide as the terminal.
func (r *report) line(rec *Record) string {
	b, err := rec.value().AppendJSON(nil)
	if err != nil {
		b = rec.Value
	}
	return clip(plain(excerpt(b)), r.room(len("  record: ")))
}

// room is the columns that are left beside n.
func (r *report) room(n int) int {
	if r.style.Width <= 0 {
		return 1 << 20
	}
	return max(r.style.Width-n, 20)
}

// bad prints what is no record.
func (r *report) bad(b *BadRecord) {
	r.mistake(diag.Mistake{Where: fmt.Sprintf("record %d", b.Number), Summary: b.Err.Error(), Offset: -1})
	if b.Text != "" {
		fmt.Fprintf(r.w, "\n  %s %s\n", r.style.paint(colorDim, "record:"), clip(plain(b.Text), r.room(len("  record: "))))
	}
}

// placeOf finds the part of an expression that an error of a record is about.
// Errors quote it at their end, begin with the path that is at fault, or with
// the function. It is for people only: what is not certain has no place.
func placeOf(text, msg string) (offset, length int, summary string, ok bool) {
	if text == "" {
		return 0, 0, "", false
	}
	n := normalise(text)
	for i := 0; ; {
		j := strings.Index(msg[i:], ": ")
		if j < 0 {
			break
		}
		i += j + 2
		part, cut := strings.CutSuffix(msg[i:], "...")
		if from, to, found := n.find(part, true); found && (cut || part != "") {
			return from, to - from, msg[:i-2], true
		}
	}
	word, _, _ := strings.Cut(msg, " ")
	if strings.ContainsAny(word, ".[") || word == "value" || word == "key" {
		if from, to, found := n.find(word, false); found {
			return from, to - from, msg, true
		}
	}
	if name, isCall := strings.CutSuffix(word, ":"); isCall && isIdentifier(name) {
		if from, _, found := n.find(name+"(", true); found {
			return from, len(name), msg, true
		}
	}
	return 0, 0, "", false
}

// normal is a text in which each run of white space is one space, as errors
// quote it.
type normal struct {
	text string
	at   []int // the byte of the text for each byte
}

func normalise(text string) normal {
	var b strings.Builder
	var at []int
	space := false
	for i := range len(text) {
		c := text[i]
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			space = b.Len() > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			at = append(at, i-1)
			space = false
		}
		b.WriteByte(c)
		at = append(at, i)
	}
	return normal{b.String(), at}
}

// find returns where part stands in the text as a whole word; with once it
// must stand there only once.
func (n normal) find(part string, once bool) (from, to int, ok bool) {
	if part == "" {
		return 0, 0, false
	}
	for i := 0; i+len(part) <= len(n.text); i++ {
		if n.text[i:i+len(part)] != part || !n.word(i, i+len(part)) {
			continue
		}
		if ok {
			return 0, 0, false
		}
		from, to, ok = n.at[i], n.at[i+len(part)-1]+1, true
		if !once {
			break
		}
	}
	return from, to, ok
}

// word reports that the range does not begin or end within a name or number.
func (n normal) word(from, to int) bool {
	return (from == 0 || !nameByte(n.text[from]) || !nameByte(n.text[from-1]) && n.text[from-1] != '.') &&
		(to == len(n.text) || !nameByte(n.text[to-1]) || !nameByte(n.text[to]))
}

func nameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		if !nameByte(s[i]) || i == 0 && s[0] >= '0' && s[0] <= '9' {
			return false
		}
	}
	return s != ""
}

func lowerFirst(s string) string {
	if len(s) > 1 && unicode.IsUpper(rune(s[0])) && !unicode.IsUpper(rune(s[1])) {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// clip cuts a line to width columns.
func clip(s string, width int) string {
	if r := []rune(s); len(r) > width && width > 3 {
		return string(r[:width-3]) + "..."
	}
	return s
}

// panicked turns a panic of a component into an error of the record, as the
// engine does.
func panicked(p any) error {
	if err, ok := p.(error); ok {
		return fmt.Errorf("panic: %w", err)
	}
	return errors.New("panic: " + fmt.Sprint(p))
}
