// Package csvrow reads and writes single rows of CSV (RFC 4180): it finds
// where a row ends, splits it into fields, turns it into a JSON object and
// back. Files, headers and positions are its callers' business.
//
// Nothing in here is safe for two goroutines at once, except Columns, which
// never changes. Nothing allocates once its scratch has grown to the size of
// the rows.
package csvrow

import (
	"errors"
	"fmt"
)

// Dialect is how rows are written. The quote is always '"'.
type Dialect struct {
	// Delimiter stands between fields: one byte that is no quote and no line
	// break (see ParseDelimiter).
	Delimiter byte
	// Lazy takes a quote in an unquoted field, and a single quote within a
	// quoted one, as text. Otherwise both are errors of the row.
	Lazy bool
}

// ParseDelimiter checks the text of a delimiter option.
func ParseDelimiter(s string) (byte, error) {
	if len(s) != 1 || s[0] >= 0x80 {
		return 0, fmt.Errorf("the delimiter %q is not one ASCII character", s)
	}
	switch s[0] {
	case '"', '\r', '\n', 0:
		return 0, fmt.Errorf("%q cannot be the delimiter", s)
	}
	return s[0], nil
}

// Field is one field of a row.
type Field struct {
	// Text is the field without its quotes, doubled quotes made one.
	Text []byte
	// Quoted tells "" from nothing at all.
	Quoted bool
}

// The errors of a row, wrapped with the place.
var (
	ErrQuote     = errors.New(`a quoted field has text behind its closing quote, or none closes it`)
	ErrBareQuote = errors.New(`a quote stands in a field that does not begin with one`)
	ErrFields    = errors.New("wrong number of fields")
	ErrUTF8      = errors.New("the text is not UTF-8")
	ErrType      = errors.New("the text does not fit the column's type")
)

// FieldError names the field of a row that is wrong.
type FieldError struct {
	// Field is its number, from 1; Column its name, empty if not known.
	Field  int
	Column string
	Err    error
}

func (e *FieldError) Error() string {
	if e.Column != "" {
		return fmt.Sprintf("column %q: %v", e.Column, e.Err)
	}
	return fmt.Sprintf("field %d: %v", e.Field, e.Err)
}

// Unwrap returns the cause.
func (e *FieldError) Unwrap() error { return e.Err }
