package frame

import (
	"bytes"
	"errors"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// The errors of a record that a format cannot hold.
var (
	errTombstone = errors.New(`the value is null, which this format cannot hold (option tombstones = "skip" or "empty" allows it)`)
	errNewline   = errors.New(`the value holds a newline and would become several lines (option newlines = "keep" allows it)`)
)

// Framer frames the records of one file or stream. It is used by one
// goroutine.
type Framer struct {
	opts Options
	csv  *rows
	avro *container
	rows *rowSpool // of format Parquet
	text []byte    // scratch
}

// New returns a Framer for the beginning of a file.
func New(o Options) (*Framer, error) {
	f := &Framer{opts: o}
	if o.Format == CSV {
		var err error
		if f.csv, err = newRows(&f.opts); err != nil {
			return nil, err
		}
	}
	switch o.Format {
	case Avro:
		var err error
		if f.avro, err = newContainer(&f.opts.Container); err != nil {
			return nil, err
		}
	case Parquet:
		f.avro = &container{o: &f.opts.Container}
		f.rows = &rowSpool{o: &f.opts.Container, c: f.avro}
	}
	return f, nil
}

// Direct reports whether ranges of b.Value.Data, each record with the newline
// behind it, are what Append would write, so that they need not be copied.
func (f *Framer) Direct(b *engine.Batch) bool {
	return f.opts.Format == Lines && b.Value.Lines && len(b.Value.Encodings) == 0 && !isBinary(b.Value.Encoding)
}

// isBinary reports whether records of an encoding are JSON only once they are
// converted.
func isBinary(enc record.Encoding) bool { return record.SchemaOf(enc) != nil && !record.IsJSON(enc) }

// NeedsHeader reports whether a file starts with a header, which Resume reads
// from a file that is continued.
func (f *Framer) NeedsHeader() bool { return f.csv != nil && f.opts.Header }

// Resume tells f that the file has content already; header is its first line.
func (f *Framer) Resume(header []byte) error {
	if f.csv == nil {
		return nil
	}
	return f.csv.resume(header)
}

// Restart tells f that an empty file begins. Names of columns that were taken
// from a record are forgotten.
func (f *Framer) Restart() {
	if f.csv != nil {
		f.csv.restart()
	}
	if f.avro != nil {
		f.avro.restart()
	}
	if f.rows != nil {
		f.rows.restart()
	}
}

// Append appends record i of b. After an error, which is one of the record,
// dst is as it was; ErrSkipped says that an option leaves the record out.
func (f *Framer) Append(dst []byte, b *engine.Batch, i int) ([]byte, error) {
	if f.opts.Format == Envelope {
		return appendEnvelope(dst, b, i), nil
	}
	v := b.Value.At(i)
	if v == nil {
		return f.tombstone(dst)
	}
	enc := b.Value.EncodingOf(i)
	switch f.opts.Format {
	case Avro:
		return f.avro.append(dst, v, enc)
	case Parquet:
		return f.rows.append(dst, v, enc)
	case Raw:
		return append(dst, v...), nil
	}
	if isBinary(enc) {
		var err error
		if f.text, err = enc.AppendJSON(f.text[:0], v); err != nil {
			return dst, err
		}
		v, enc = f.text, record.JSON
	}
	if f.opts.Format == CSV {
		return f.csv.append(dst, v, enc)
	}
	if !b.Value.Lines && bytes.IndexByte(v, '\n') >= 0 && f.opts.Newlines != "keep" {
		if !record.IsJSON(enc) {
			return dst, errNewline
		}
		out, err := record.Compact(dst, v)
		if err != nil {
			return dst, err
		}
		return append(out, '\n'), nil
	}
	dst = append(dst, v...)
	return append(dst, '\n'), nil
}

func (f *Framer) tombstone(dst []byte) ([]byte, error) {
	switch f.opts.Tombstones {
	case "skip":
		return dst, ErrSkipped
	case "empty":
		switch f.opts.Format {
		case Avro, Parquet:
			return dst, errTombstone // no record of a schema is empty
		case Lines:
			return append(dst, '\n'), nil
		case CSV:
			return f.csv.empty(dst)
		}
		return dst, nil
	}
	return dst, errTombstone
}
