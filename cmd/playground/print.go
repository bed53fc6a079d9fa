package playground

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/record"
)

// Style is how results look.
type Style struct {
	// Pretty breaks what is wider than Width into lines; otherwise a result is
	// one line of JSON.
	Pretty bool
	Color  bool
	// Raw writes text without quotes and escapes.
	Raw bool
	// Width is the columns of a line, 80 if it is 0.
	Width int
}

// The colours of JSON and of what stands around it.
const (
	colorName   = "34;1"
	colorText   = "32"
	colorNumber = "36"
	colorWord   = "33" // true and false
	colorNull   = "90"
	colorBad    = "31;1"
	colorAdd    = "32"
	colorDel    = "31"
	colorChange = "33"
	colorDim    = "2"
	colorBold   = "1"
)

// paint colours s if colours are on.
func (s Style) paint(code, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Append appends a result and a newline.
func (s Style) Append(dst []byte, v record.Value) ([]byte, error) {
	if s.Raw {
		switch v.Kind() {
		case record.String, record.Bytes, record.Time, record.Duration:
			out, err := v.AppendText(dst)
			return append(out, '\n'), err
		}
	}
	if !s.Pretty && !s.Color {
		if v.IsNil() {
			return append(dst, "null\n"...), nil
		}
		text, err := v.AppendJSON(nil)
		if err != nil {
			return dst, err
		}
		if dst, err = record.Compact(dst, text); err != nil {
			return dst, err
		}
		return append(dst, '\n'), nil
	}
	f := form{style: s, width: s.Width, buf: dst}
	if f.width <= 0 {
		f.width = 80
	}
	text := []byte("null")
	if !v.IsNil() {
		var err error
		if text, err = v.AppendJSON(nil); err != nil {
			return dst, err
		}
	}
	f.value(record.RawJSON(text), 0)
	return append(f.buf, '\n'), f.err
}

// form lays out JSON.
type form struct {
	style Style
	width int
	buf   []byte
	used  int // columns of the line
	err   error
}

func (f *form) put(code, text string) {
	f.used += utf8.RuneCountInString(text)
	if code != "" {
		text = f.style.paint(code, text)
	}
	f.buf = append(f.buf, text...)
}

func (f *form) newline(indent int) {
	f.buf = append(f.buf, '\n')
	f.buf = append(f.buf, strings.Repeat("  ", indent)...)
	f.used = 2 * indent
}

// value writes v on one line if that fits, or else each child on its own.
func (f *form) value(v record.Value, indent int) {
	if v.Kind() != record.Array && v.Kind() != record.Object {
		f.scalar(v)
		return
	}
	mark, used := len(f.buf), f.used
	limit := f.width
	if !f.style.Pretty {
		limit = 1 << 40
	}
	if f.flat(v, limit) {
		return
	}
	f.buf, f.used = f.buf[:mark], used
	first, open, end := true, "[", "]"
	if v.Kind() == record.Object {
		open, end = "{", "}"
	}
	f.put("", open)
	f.children(v, func(name string, named bool, child record.Value) bool {
		if !first {
			f.put("", ",")
		}
		first = false
		f.newline(indent + 1)
		if named {
			f.name(name)
		}
		f.value(child, indent+1)
		return true
	})
	f.newline(indent)
	f.put("", end)
}

// flat writes v on the line, and reports false if it does not fit.
func (f *form) flat(v record.Value, limit int) bool {
	open, end := "[", "]"
	switch v.Kind() {
	case record.Array:
	case record.Object:
		open, end = "{", "}"
	default:
		f.scalar(v)
		return f.used <= limit
	}
	f.put("", open)
	first, fits := true, true
	f.children(v, func(name string, named bool, child record.Value) bool {
		if !first {
			f.put("", f.comma())
		}
		first = false
		if named {
			f.name(name)
		}
		fits = f.flat(child, limit) && f.used < limit
		return fits
	})
	f.put("", end)
	return fits && f.used <= limit
}

func (f *form) comma() string {
	if f.style.Pretty {
		return ", "
	}
	return ","
}

func (f *form) name(name string) {
	f.put(colorName, f.quoted([]byte(name)))
	if f.style.Pretty {
		f.put("", ": ")
	} else {
		f.put("", ":")
	}
}

var errStop = fmt.Errorf("stopped")

// children calls yield for each element or member until it returns false. Of
// members with one name it shows all, as they came.
func (f *form) children(v record.Value, yield func(name string, named bool, child record.Value) bool) {
	err := v.Elements(func(e record.Value) error {
		if !yield("", false, e) {
			return errStop
		}
		return nil
	})
	if err == nil {
		err = v.Members(func(name []byte, e record.Value) error {
			if !yield(string(name), true, e) {
				return errStop
			}
			return nil
		})
	}
	if err != nil && err != errStop && f.err == nil { //nolint:errorlint // made here, never wrapped
		f.err = err
	}
}

func (f *form) scalar(v record.Value) {
	switch v.Kind() {
	case record.Missing, record.Null:
		f.put(colorNull, "null")
	case record.Bool:
		f.put(colorWord, v.String())
	case record.String:
		f.put(colorText, f.quoted(v.Text()))
	default:
		b, err := v.AppendJSON(nil)
		if err != nil && f.err == nil {
			f.err = err
		}
		f.put(colorNumber, string(b))
	}
}

// quoted writes text as JSON in which nothing can change the terminal.
func (f *form) quoted(text []byte) string {
	q := string(record.AppendQuoted(nil, text))
	if !strings.ContainsFunc(q, unsafeRune) {
		return q
	}
	var b strings.Builder
	for _, r := range q {
		switch {
		case !unsafeRune(r):
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// unsafeRune is what a terminal acts upon, or what turns the order of text.
func unsafeRune(r rune) bool {
	return !unicode.IsPrint(r) && !unicode.Is(unicode.M, r) && r != '\u200d'
}

// plain is text from a record or config that is safe to print.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unsafeRune(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}
