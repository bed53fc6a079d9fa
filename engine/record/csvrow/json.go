package csvrow

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Type is what the text of a column stands for.
type Type uint8

// The types of columns.
const (
	// String keeps the text as it is.
	String Type = iota
	// Int is a whole number of 64 bits; blanks around it do not count.
	Int
	// Float is a number; one that is valid JSON keeps its digits.
	Float
	// Bool is true, t, yes, y, 1 or false, f, no, n, 0, in any case.
	Bool
)

// ParseType reads the name of a type: string, int, float, bool.
func ParseType(s string) (Type, error) {
	switch s {
	case "string":
		return String, nil
	case "int":
		return Int, nil
	case "float":
		return Float, nil
	case "bool":
		return Bool, nil
	}
	return 0, fmt.Errorf("there is no column type %q; use string, int, float or bool", s)
}

// Columns knows how rows become JSON objects. It never changes and serves all
// goroutines.
type Columns struct {
	names []string
	heads [][]byte // `{"name":` for the first, `,"name":` for the others
	types []Type
	nulls []string
}

// NewColumns describes rows with these columns, in order. types names those
// that are no strings. An unquoted field whose text is one of nulls is a null.
// Two columns of one name, or a type for a column that is not there, is an
// error: the object would lose a field.
func NewColumns(names []string, types map[string]Type, nulls []string) (*Columns, error) {
	if len(names) == 0 {
		return nil, errors.New("there are no columns")
	}
	c := &Columns{names: slices.Clone(names), types: make([]Type, len(names)), nulls: slices.Clone(nulls)}
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if seen[name] {
			return nil, fmt.Errorf("two columns are named %q", name)
		}
		seen[name] = true
		head := []byte{','}
		if i == 0 {
			head[0] = '{'
		}
		head, err := appendString(head, []byte(name))
		if err != nil {
			return nil, fmt.Errorf("name of column %d: %w", i+1, err)
		}
		c.heads = append(c.heads, append(head, ':'))
		c.types[i] = types[name]
	}
	for name := range types {
		if !seen[name] {
			return nil, fmt.Errorf("there is no column %q, for which a type is given; the columns are %s", name, strings.Join(names, ", "))
		}
	}
	return c, nil
}

// Names returns the names of the columns. The caller must not change them.
func (c *Columns) Names() []string { return c.names }

// AppendJSON appends a row as a JSON object with the columns in their order.
// An error is an error of the record; nothing is appended then.
func (c *Columns) AppendJSON(dst []byte, fields []Field) ([]byte, error) {
	start := len(dst)
	if len(fields) != len(c.names) {
		return dst, fmt.Errorf("%w: %d, the header has %d", ErrFields, len(fields), len(c.names))
	}
	for i := range fields {
		dst = append(dst, c.heads[i]...)
		var err error
		if c.IsNull(&fields[i]) {
			dst = append(dst, "null"...)
		} else {
			dst, err = appendTyped(dst, c.types[i], fields[i].Text)
		}
		if err != nil {
			return dst[:start], &FieldError{Field: i + 1, Column: c.names[i], Err: err}
		}
	}
	return append(dst, '}'), nil
}

// IsNull reports whether a field stands for a null.
func (c *Columns) IsNull(f *Field) bool {
	if f.Quoted {
		return false
	}
	for _, n := range c.nulls {
		if n == string(f.Text) {
			return true
		}
	}
	return false
}

func appendTyped(dst []byte, t Type, text []byte) ([]byte, error) {
	switch t {
	case Int:
		return appendInt(dst, bytes.Trim(text, " \t"))
	case Float:
		return appendFloat(dst, bytes.Trim(text, " \t"))
	case Bool:
		return AppendBool(dst, bytes.Trim(text, " \t"))
	default:
		return appendString(dst, text)
	}
}

func appendInt(dst, text []byte) ([]byte, error) {
	digits := text
	if len(digits) > 0 && (digits[0] == '-' || digits[0] == '+') {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(bytes.Trim(digits, "0123456789")) > 0 {
		return dst, fmt.Errorf("%w int: %s", ErrType, excerpt(text))
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return dst, fmt.Errorf("%w int of 64 bits: %s", ErrType, excerpt(text))
	}
	return strconv.AppendInt(dst, n, 10), nil
}

func appendFloat(dst, text []byte) ([]byte, error) {
	if isJSONNumber(text) {
		return append(dst, text...), nil
	}
	// Only what has a plain decimal form: no hexadecimal, no underscores, no
	// words, which ParseFloat would take.
	if len(text) == 0 || len(bytes.Trim(text, "+-.eE0123456789")) > 0 {
		return dst, fmt.Errorf("%w float: %s", ErrType, excerpt(text))
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return dst, fmt.Errorf("%w float: %s", ErrType, excerpt(text))
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64), nil
}

// AppendBool appends the JSON text of what a Bool column may hold.
func AppendBool(dst, text []byte) ([]byte, error) {
	if len(text) <= len("false") {
		var lower [len("false")]byte
		for i, c := range text {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			lower[i] = c
		}
		switch string(lower[:len(text)]) {
		case "true", "t", "yes", "y", "1":
			return append(dst, "true"...), nil
		case "false", "f", "no", "n", "0":
			return append(dst, "false"...), nil
		}
	}
	return dst, fmt.Errorf("%w bool: %s", ErrType, excerpt(text))
}

// isJSONNumber reports whether text is a number of RFC 8259.
func isJSONNumber(text []byte) bool {
	i := 0
	if i < len(text) && text[i] == '-' {
		i++
	}
	digits := func() int {
		start := i
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			i++
		}
		return i - start
	}
	first := i
	if n := digits(); n == 0 || n > 1 && text[first] == '0' {
		return false
	}
	if i < len(text) && text[i] == '.' {
		i++
		if digits() == 0 {
			return false
		}
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		if digits() == 0 {
			return false
		}
	}
	return i == len(text)
}

// excerpt quotes the beginning of a field for an error.
func excerpt(text []byte) string {
	const most = 40
	if len(text) > most {
		return strconv.Quote(string(text[:most])) + "..."
	}
	return strconv.Quote(string(text))
}

// plain marks the bytes that a JSON string holds as they are. Those from 0x80
// up need the UTF-8 check.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendString appends text as a JSON string.
func appendString(dst, text []byte) ([]byte, error) {
	start := len(dst)
	dst = append(dst, '"')
	from, checked := 0, false
	for i, c := range text {
		if plain[c] {
			continue
		}
		if c >= 0x80 {
			if !checked {
				if !utf8.Valid(text) {
					return dst[:start], ErrUTF8
				}
				checked = true
			}
			continue
		}
		dst = append(dst, text[from:i]...)
		from = i + 1
		dst = appendEscape(dst, c)
	}
	dst = append(dst, text[from:]...)
	return append(dst, '"'), nil
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
