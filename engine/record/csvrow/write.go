package csvrow

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine/record"
)

// AppendField appends one field, quoted if it must be.
func AppendField(dst, text []byte, delimiter byte) []byte {
	if !needsQuotes(text, delimiter) {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	for {
		n := bytes.IndexByte(text, '"')
		if n < 0 {
			break
		}
		dst = append(dst, text[:n+1]...)
		dst = append(dst, '"')
		text = text[n+1:]
	}
	dst = append(dst, text...)
	return append(dst, '"')
}

func needsQuotes(text []byte, delimiter byte) bool {
	if len(text) == 0 {
		return false
	}
	// Blanks at the ends are text, but some readers trim them.
	if text[0] == ' ' || text[0] == '\t' || text[len(text)-1] == ' ' || text[len(text)-1] == '\t' {
		return true
	}
	for _, c := range text {
		if c == delimiter || c == '"' || c == '\n' || c == '\r' {
			return true
		}
	}
	return false
}

// AppendHeader appends the names of columns as a row, without line end.
func AppendHeader(dst []byte, names []string, delimiter byte) []byte {
	start := len(dst)
	for i, name := range names {
		if i > 0 {
			dst = append(dst, delimiter)
		}
		dst = AppendField(dst, []byte(name), delimiter)
	}
	return closeRow(dst, start)
}

// closeRow makes a row whose only field is empty "", since an empty line is
// no row to most readers.
func closeRow(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, '"', '"')
	}
	return dst
}

// Writer turns JSON objects into rows.
type Writer struct {
	names     []string
	index     map[string]int
	delimiter byte
	null      []byte
	loose     bool

	doc     *record.Doc
	members []member // by column, of the object at hand
	text    []byte   // scratch: an unescaped string or name
}

// member is the JSON text of a column's value.
type member struct {
	set   bool
	value []byte
}

// WriterOptions say how a Writer writes.
type WriterOptions struct {
	Delimiter byte
	// Null is written for null and for a column that the object lacks. A
	// string equal to it is quoted, so that the two stay apart.
	Null string
	// IgnoreUnknown leaves members out that are no column. Otherwise such a
	// member is an error of the record: it would be lost.
	IgnoreUnknown bool
}

// NewWriter returns a Writer of rows with these columns, in order.
func NewWriter(names []string, o WriterOptions) (*Writer, error) {
	w := &Writer{
		names: names, index: make(map[string]int, len(names)), delimiter: o.Delimiter,
		null: []byte(o.Null), loose: o.IgnoreUnknown, members: make([]member, len(names)),
		doc: record.NewDoc(record.NewProjection()),
	}
	if len(names) == 0 {
		return nil, errors.New("there are no columns")
	}
	for i, name := range names {
		if _, dup := w.index[name]; dup {
			return nil, fmt.Errorf("two columns are named %q", name)
		}
		w.index[name] = i
	}
	return w, nil
}

// AppendRow appends a JSON object as a row, without line end. Numbers keep
// their digits; an array or object becomes its JSON text. Of duplicate members
// the last one counts. An error is an error of the record; nothing is appended
// then.
func (w *Writer) AppendRow(dst, object []byte) ([]byte, error) {
	if err := check(w.doc, object); err != nil {
		return dst, err
	}
	clear(w.members)
	if err := w.collect(object); err != nil {
		return dst, err
	}
	start := len(dst)
	for i := range w.members {
		if i > 0 {
			dst = append(dst, w.delimiter)
		}
		dst = w.appendValue(dst, &w.members[i])
	}
	return closeRow(dst, start), nil
}

// AppendHeader appends the names of the columns as a row, without line end.
func (w *Writer) AppendHeader(dst []byte) []byte {
	return AppendHeader(dst, w.names, w.delimiter)
}

func (w *Writer) appendValue(dst []byte, m *member) []byte {
	if !m.set || m.value[0] == 'n' {
		return append(dst, w.null...)
	}
	text := m.value
	if text[0] == '"' {
		w.text = record.AppendUnquoted(w.text[:0], text)
		text = w.text
		if bytes.Equal(text, w.null) && !needsQuotes(text, w.delimiter) {
			dst = append(dst, '"')
			dst = append(dst, text...)
			return append(dst, '"')
		}
	}
	return AppendField(dst, text, w.delimiter)
}

// collect sets members from the object.
func (w *Writer) collect(object []byte) error {
	next := 0 // most objects have their members in the order of the columns
	return eachMember(object, func(name, value []byte) error {
		if bytes.IndexByte(name, '\\') >= 0 {
			w.text = record.AppendUnquoted(w.text[:0], name)
			name = w.text
		} else {
			name = name[1 : len(name)-1]
		}
		i := next
		if i >= len(w.names) || w.names[i] != string(name) {
			var known bool
			if i, known = w.index[string(name)]; !known {
				if w.loose {
					return nil
				}
				return fmt.Errorf("member %q is no column", name)
			}
		}
		next = i + 1
		w.members[i] = member{set: true, value: value}
		return nil
	})
}

// Names returns the names of a JSON object's members in their order, each
// once: the header of a file whose columns nobody gave.
func Names(object []byte) ([]string, error) {
	if err := check(record.NewDoc(record.NewProjection()), object); err != nil {
		return nil, err
	}
	var names []string
	seen := map[string]bool{}
	err := eachMember(object, func(name, _ []byte) error {
		s := string(record.AppendUnquoted(nil, name))
		if !seen[s] {
			seen[s] = true
			names = append(names, s)
		}
		return nil
	})
	if err == nil && len(names) == 0 {
		err = errors.New("the object has no members to make columns of")
	}
	return names, err
}

// check makes sure of what the walk below relies on.
func check(d *record.Doc, object []byte) error {
	d.Reset(record.JSON, object)
	if err := d.Check(); err != nil {
		return err
	}
	if p := bytes.TrimLeft(object, " \t\r\n"); p[0] != '{' {
		return errors.New("the value is not a JSON object, so it has no columns")
	}
	return nil
}

// eachMember calls f with the name, quotes included, and the value of every
// member of a valid object.
func eachMember(object []byte, f func(name, value []byte) error) error {
	i := skipSpace(object, 0) + 1
	for {
		i = skipSpace(object, i)
		if object[i] == '}' {
			return nil
		}
		if object[i] == ',' {
			i = skipSpace(object, i+1)
		}
		end := skipString(object, i)
		name := object[i:end]
		i = skipSpace(object, skipSpace(object, end)+1)
		end = skipValue(object, i)
		if err := f(name, object[i:end]); err != nil {
			return err
		}
		i = end
	}
}

func skipSpace(p []byte, i int) int {
	for p[i] == ' ' || p[i] == '\n' || p[i] == '\t' || p[i] == '\r' {
		i++
	}
	return i
}

func skipString(p []byte, i int) int {
	for i++; p[i] != '"'; i++ {
		if p[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func skipValue(p []byte, i int) int {
	depth := 0
	for {
		switch p[i] {
		case '"':
			i = skipString(p, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		default:
			i++
		}
		if depth == 0 {
			break
		}
	}
	// A number or a word runs on to the byte that ends it.
	for {
		switch p[i-1] {
		case '"', '}', ']':
			return i
		}
		switch p[i] {
		case ',', '}', ']', ' ', '\n', '\t', '\r':
			return i
		}
		i++
	}
}
