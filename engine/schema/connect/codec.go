package connect

import (
	"github.com/flowrecords/flow/engine/internal/payload"
	"github.com/flowrecords/flow/engine/schema"
)

// Writer writes the values of one schema as payloads. It is immutable and safe
// for all goroutines.
type Writer struct {
	s    *schema.Schema
	o    Options
	fast *payload.Program
}

// NewWriter returns a writer of payloads of a valid schema.
func NewWriter(s *schema.Schema, o Options) *Writer {
	return &Writer{s: s, o: o, fast: payload.Writer(s, o.inner())}
}

// Append does what AppendPayload does, much faster for typed text in its usual
// form: no white space, every field there and in order.
func (w *Writer) Append(dst, typed []byte) ([]byte, error) {
	if out, n, ok := w.fast.Append(dst, typed, 0); ok && n == len(typed) {
		return out, nil
	}
	return AppendPayload(dst, typed, w.s, w.o)
}

// Reader reads payloads of one schema. It is immutable and safe for all
// goroutines.
type Reader struct {
	s    *schema.Schema
	o    Options
	fast *payload.Program
}

// NewReader returns a reader of payloads of a valid schema.
func NewReader(s *schema.Schema, o Options) *Reader {
	return &Reader{s: s, o: o, fast: payload.Reader(s, o.inner())}
}

// Append does what AppendTyped does, much faster for a payload in its usual
// form.
func (r *Reader) Append(dst, text []byte) ([]byte, error) {
	if out, n, ok := r.fast.Append(dst, text, 0); ok && n == len(text) {
		return out, nil
	}
	return AppendTyped(dst, text, r.s, r.o)
}
