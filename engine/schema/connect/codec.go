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

// Rewriter makes payloads of one schema the ones that a Writer writes of their
// values. It is immutable and safe for all goroutines.
type Rewriter struct {
	s    *schema.Schema
	o    Options
	fast *payload.Program
}

// NewRewriter returns a rewriter of payloads of a valid schema.
func NewRewriter(s *schema.Schema, o Options) *Rewriter {
	return &Rewriter{s: s, o: o, fast: payload.Canonical(s, o.inner())}
}

// Append does what AppendTyped and then AppendPayload do, much faster for a
// payload in its usual form, of which most is copied.
func (r *Rewriter) Append(dst, text []byte) ([]byte, error) {
	if out, n, ok := r.fast.Append(dst, text, 0); ok && n == len(text) {
		return out, nil
	}
	typed, err := AppendTyped(nil, text, r.s, r.o)
	if err != nil {
		return dst, err
	}
	return AppendPayload(dst, typed, r.s, r.o)
}
