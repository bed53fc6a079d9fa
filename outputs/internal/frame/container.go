package frame

import (
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/flowrecords/flow/connections/ocf"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/engine/schema"
)

// Container says how container files are written.
type Container struct {
	// Schema is Avro's JSON text; empty: that of the first record of a file, by
	// the options From.
	Schema string
	From   avro.FromOptions
	// Lenient as in avro.WriterOptions.
	Lenient bool
	Codec   string
	Level   int
	// Rows is the schema of Parquet files; nil: that of the first record of a
	// file. JSON writes what Parquet has no types for as JSON text.
	Rows *schema.Schema
	JSON bool
}

// container writes the records of one container file. Its blocks are what a
// target writes as one: see Framer.Container.
type container struct {
	o     *Container
	given *avro.Encoding // of Schema; nil without

	// Of the file at hand.
	enc     *avro.Encoding // nil before its first record
	header  ocf.Header
	started bool // the header has been written
	w       *ocf.Writer
	// writers turn records of other encodings into those of the file.
	writers map[record.Encoding]writer
}

type writer struct {
	write func(dst, src []byte) ([]byte, error)
	err   error
}

func newContainer(o *Container) (*container, error) {
	c := &container{o: o}
	if o.Schema == "" {
		return c, nil
	}
	s, err := avro.Parse([]byte(o.Schema))
	if err != nil {
		return nil, err
	}
	c.given, err = avro.NewEncoding(s)
	return c, err
}

// restart begins an empty file.
func (c *container) restart() {
	c.enc, c.started = nil, false
	c.Close()
}

// begin settles the schema of the file.
func (c *container) begin(enc *avro.Encoding, h ocf.Header) error {
	w, err := ocf.NewWriter(&h, c.o.Level)
	if err != nil {
		return err
	}
	c.Close()
	c.enc, c.header, c.w = enc, h, w
	c.writers = map[record.Encoding]writer{}
	return nil
}

// FileSchema returns the schema that records of s have in a container file. An
// error says why they cannot be written.
func (o *Options) FileSchema(s *schema.Schema) (*schema.Schema, error) {
	if o.Format == Parquet {
		return o.Container.columnSchema(s)
	}
	c, err := newContainer(&o.Container)
	if err != nil {
		return nil, err
	}
	enc := c.given
	if enc == nil {
		if enc, err = c.of(s); err != nil {
			return nil, err
		}
	}
	if _, err := avro.NewWriter(enc.Avro(), s, avro.WriterOptions{Lenient: o.Container.Lenient}); err != nil {
		return nil, err
	}
	return enc.Schema(), nil
}

// of returns how records of s are written where no schema is given.
func (c *container) of(s *schema.Schema) (*avro.Encoding, error) {
	a, err := avro.FromSchema(s, c.o.From)
	if err != nil {
		return nil, err
	}
	return avro.NewEncoding(a)
}

// Continue tells f that the file has content already, behind that header.
func (f *Framer) Continue(h *ocf.Header) error {
	enc, err := avro.NewEncoding(h.Schema)
	if err != nil {
		return err
	}
	f.avro.started = true
	if f.rows != nil {
		if err := f.rows.resume(h); err != nil {
			return err
		}
	}
	return f.avro.begin(enc, *h)
}

var errNoSchema = errors.New("the record has no schema, which a container file needs: give the option schema, or let the input read records with a schema")

// append appends the record's data.
func (c *container) append(dst, v []byte, from record.Encoding) ([]byte, error) {
	if c.enc == nil {
		if err := c.first(from); err != nil {
			return dst, err
		}
	}
	if from == c.enc {
		return append(dst, v...), nil
	}
	w, ok := c.writers[from]
	if !ok {
		w = c.writer(from)
		c.writers[from] = w
	}
	if w.err != nil {
		return dst, w.err
	}
	out, err := w.write(dst, v)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// first takes the schema of the first record.
func (c *container) first(from record.Encoding) error {
	enc, ok := from.(*avro.Encoding)
	switch {
	case c.given != nil:
		enc = c.given
	case !ok:
		s := record.SchemaOf(from)
		if s == nil {
			return errNoSchema
		}
		var err error
		if enc, err = c.of(s); err != nil {
			return err
		}
	}
	return c.begin(enc, newHeader(enc.Avro(), c.o.Codec))
}

func newHeader(s *avro.Schema, codec string) ocf.Header {
	h := ocf.Header{Schema: s, Codec: codec}
	_, _ = rand.Read(h.Sync[:]) // it never fails
	return h
}

func (c *container) writer(from record.Encoding) writer {
	w, err := avro.NewWriter(c.enc.Avro(), record.SchemaOf(from), avro.WriterOptions{Lenient: c.o.Lenient})
	if err != nil {
		return writer{err: fmt.Errorf("the record does not fit the schema of the file: %w", err)}
	}
	if enc, ok := from.(*avro.Encoding); ok {
		if v, err := avro.NewResolver(enc.Avro(), c.enc.Avro()); err == nil {
			return writer{write: v.Append}
		}
	}
	if from == nil || record.IsJSON(from) {
		return writer{write: w.Append}
	}
	var text []byte
	return writer{write: func(dst, src []byte) (_ []byte, err error) {
		if text, err = from.AppendJSON(text[:0], src); err != nil {
			return dst, err
		}
		return w.Append(dst, text)
	}}
}

// Container returns what makes a block of what Append has appended, behind the
// header in an empty file.
func (f *Framer) Container() interface {
	Append(dst, src []byte) ([]byte, error)
	Close()
} {
	return f.avro
}

// Append makes a block of the records src.
func (c *container) Append(dst, src []byte) ([]byte, error) {
	count := 0
	for rest := src; len(rest) > 0; count++ {
		n, err := c.enc.Size(rest)
		if err != nil {
			return dst, err
		}
		if n == 0 {
			return dst, errors.New("records of no bytes cannot be counted in a container file")
		}
		rest = rest[n:]
	}
	if !c.started {
		dst = ocf.AppendHeader(dst, &c.header)
		c.started = true
	}
	return c.w.AppendBlock(dst, count, src)
}

// Close lets go of the codec.
func (c *container) Close() {
	if c.w != nil {
		c.w.Close()
		c.w = nil
	}
}
