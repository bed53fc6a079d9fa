package frame

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/csvrow"
)

// rows writes the CSV of one file.
type rows struct {
	opts   *Options
	write  csvrow.WriterOptions
	parser *csvrow.Parser
	w      *csvrow.Writer // nil until the columns are known
	header bool           // the next row needs a header before it
}

func newRows(o *Options) (*rows, error) {
	delimiter, err := csvrow.ParseDelimiter(o.Delimiter)
	if err != nil {
		return nil, err
	}
	r := &rows{
		opts:   o,
		write:  csvrow.WriterOptions{Delimiter: delimiter, Null: o.Null, IgnoreUnknown: o.Extra == "ignore"},
		parser: csvrow.NewParser(csvrow.Dialect{Delimiter: delimiter}),
	}
	if len(o.Columns) > 0 {
		if r.w, err = csvrow.NewWriter(o.Columns, r.write); err != nil {
			return nil, err
		}
	}
	r.restart()
	return r, nil
}

// restart begins a file. Columns that came from a record are forgotten.
func (r *rows) restart() {
	r.header = r.opts.Header
	if len(r.opts.Columns) == 0 {
		r.w = nil
	}
}

// resume goes on with a file that has content; line is its header, if the
// options ask for one.
func (r *rows) resume(line []byte) error {
	r.header = false
	if !r.opts.Header {
		return nil
	}
	fields, err := r.parser.Parse(csvrow.SkipBOM(line))
	if err != nil {
		return fmt.Errorf("reading the header: %w", err)
	}
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = string(fields[i].Text)
	}
	if len(r.opts.Columns) > 0 {
		want := csvrow.AppendHeader(nil, r.opts.Columns, r.write.Delimiter)
		have := csvrow.AppendHeader(nil, names, r.write.Delimiter)
		if !bytes.Equal(want, have) {
			return fmt.Errorf("the file has the header %q, and the columns are %q", have, want)
		}
		return nil
	}
	if r.w, err = csvrow.NewWriter(names, r.write); err != nil {
		return fmt.Errorf("header %q: %w", bytes.TrimSpace(line), err)
	}
	return nil
}

var errNoColumns = errors.New("the columns are not known yet, and this record has none")

// append appends the row of a JSON object, after the header if the file has
// none yet.
func (r *rows) append(dst, value []byte, enc record.Encoding) ([]byte, error) {
	if enc != nil && !record.IsJSON(enc) {
		return dst, fmt.Errorf("csv needs JSON objects, and the value is %s (a json converter decodes it)", enc.Name())
	}
	w := r.w
	if w == nil {
		names, err := csvrow.Names(value)
		if err != nil {
			return dst, err
		}
		if w, err = csvrow.NewWriter(names, r.write); err != nil {
			return dst, err
		}
	}
	start := len(dst)
	if r.header {
		dst = append(w.AppendHeader(dst), '\n')
	}
	dst, err := w.AppendRow(dst, value)
	if err != nil {
		return dst[:start], err
	}
	r.w, r.header = w, false
	return append(dst, '\n'), nil
}

// empty appends a row of nulls.
func (r *rows) empty(dst []byte) ([]byte, error) {
	if r.w == nil {
		return dst, errNoColumns
	}
	return r.append(dst, []byte("{}"), record.JSON)
}
