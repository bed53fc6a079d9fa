package parquetfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/compress/gzip"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// MetaSchema is the key under which a file keeps the flow schema of its records,
// as schema.Schema marshals it: what Parquet has no words for, such as docs,
// defaults and names, comes back with it.
const MetaSchema = "flow.schema"

// Compressions are the names of what pages can be compressed with.
var Compressions = []string{"snappy", "zstd", "gzip", "none"}

// WriterOptions are how a file is laid out.
type WriterOptions struct {
	Compression string // one of Compressions; empty: snappy
	Level       int    // of zstd (1 to 11) and gzip (1 to 9); 0: the library's default
	// GroupBytes and GroupRows bound a row group: so much lies in memory, packed,
	// before it is written. 0: DefaultGroupBytes, DefaultGroupRows.
	GroupBytes int64
	GroupRows  int64
}

// The default bounds of a row group: what readers like to get at once.
const (
	DefaultGroupBytes = 64 << 20
	DefaultGroupRows  = 1 << 20
)

const (
	// pageBytes is how much of a column is one page.
	pageBytes = 256 << 10
	// dictionaryBytes is how large a dictionary becomes before a column goes on
	// without.
	dictionaryBytes = 1 << 20
	// drainValues is how many values of a column go to the library at once.
	drainValues = 1 << 10
)

// Writer writes a file. It belongs to one goroutine. The file is only one once
// Close has returned.
type Writer struct {
	s    *Schema
	w    *parquet.GenericWriter[any]
	o    WriterOptions
	cols []column
	full bool // a column has drainValues

	rows, bytes int64 // in the row group
}

// column collects values of one for the library.
type column struct {
	w    *parquet.ColumnWriter
	vals []parquet.Value
}

// NewWriter begins a file.
func NewWriter(w io.Writer, s *Schema, o WriterOptions) (*Writer, error) {
	codec, err := codecOf(o)
	if err != nil {
		return nil, err
	}
	text, err := s.flow.MarshalJSON()
	if err != nil {
		return nil, err
	}
	if o.GroupBytes <= 0 {
		o.GroupBytes = DefaultGroupBytes
	}
	if o.GroupRows <= 0 {
		o.GroupRows = DefaultGroupRows
	}
	f := &Writer{s: s, o: o}
	err = guard(func() error {
		f.w = parquet.NewGenericWriter[any](w, s.parquetSchema(),
			parquet.Compression(codec),
			parquet.KeyValueMetadata(MetaSchema, string(text)),
			parquet.CreatedBy("flow", "", ""),
			// Version 1 of pages is the one that all readers know.
			parquet.DataPageVersion(1),
			parquet.PageBufferSize(pageBytes),
			parquet.DictionaryMaxBytes(dictionaryBytes),
		)
		return nil
	})
	if err != nil {
		return nil, err
	}
	writers := f.w.ColumnWriters()
	if len(writers) != len(s.leaves) {
		return nil, fmt.Errorf("the library makes %d columns of %d", len(writers), len(s.leaves))
	}
	for _, c := range writers {
		f.cols = append(f.cols, column{w: c})
	}
	return f, nil
}

func codecOf(o WriterOptions) (compress.Codec, error) {
	switch o.Compression {
	case "", "snappy":
		return &parquet.Snappy, nil
	case "zstd":
		c := &zstd.Codec{Concurrency: 1}
		if o.Level != 0 {
			c.Level = zstdLevel(o.Level)
		}
		return c, nil
	case "gzip":
		level := o.Level
		if level == 0 {
			level = gzip.DefaultCompression
		}
		return &gzip.Codec{Level: level}, nil
	case "none":
		return &parquet.Uncompressed, nil
	}
	return nil, fmt.Errorf("there is no compression %q for Parquet", o.Compression)
}

// Write writes packed rows, one behind the other. They are the caller's again
// when it returns.
func (f *Writer) Write(rows []byte) error {
	for len(rows) > 0 {
		left, err := f.add(f.s.root, rows, 0, 0)
		if err != nil {
			return err
		}
		f.rows++
		f.bytes += int64(len(rows) - len(left))
		rows = left
		if f.rows >= f.o.GroupRows || f.bytes >= f.o.GroupBytes {
			if err := f.flush(); err != nil {
				return err
			}
		} else if f.full {
			if err := f.drain(); err != nil {
				return err
			}
		}
	}
	return f.drain()
}

// flush ends the row group.
func (f *Writer) flush() error {
	if err := f.drain(); err != nil {
		return err
	}
	if f.rows == 0 {
		return nil
	}
	f.rows, f.bytes = 0, 0
	return f.w.Flush()
}

// Close ends the file.
func (f *Writer) Close() error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.w.Close()
}

// drain hands whole rows to the library.
func (f *Writer) drain() error {
	f.full = false
	for i := range f.cols {
		c := &f.cols[i]
		if len(c.vals) == 0 {
			continue
		}
		if _, err := c.w.WriteRowValues(c.vals); err != nil {
			return err
		}
		clear(c.vals)
		c.vals = c.vals[:0]
	}
	return nil
}

var errPacked = errors.New("damaged: no packed row of the schema")

// add puts the value that b begins with into its columns and returns what is
// behind.
func (f *Writer) add(n *node, b []byte, rep, def int) ([]byte, error) {
	if n.optional {
		if len(b) == 0 {
			return nil, errPacked
		}
		there := b[0] != 0
		b = b[1:]
		if !there {
			f.null(n, rep, def)
			return b, nil
		}
	}
	var err error
	switch n.kind {
	case leaf:
		return f.value(n, b, rep)
	case group:
		for _, k := range n.kids {
			if b, err = f.add(k, b, rep, n.def); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	if len(b) < 4 {
		return nil, errPacked
	}
	count := binary.LittleEndian.Uint32(b)
	b = b[4:]
	if count == 0 {
		f.null(n, rep, n.def)
	}
	for range count {
		for _, k := range n.kids {
			if b, err = f.add(k, b, rep, n.def+1); err != nil {
				return nil, err
			}
		}
		rep = n.rep + 1
	}
	return b, nil
}

// null puts into the columns below n that nothing is there, from level def on.
func (f *Writer) null(n *node, rep, def int) {
	for i := n.first; i < n.last; i++ {
		f.put(i, parquet.NullValue(), rep, def)
	}
}

func (f *Writer) put(col int, v parquet.Value, rep, def int) {
	c := &f.cols[col]
	c.vals = append(c.vals, v.Level(rep, def, col))
	if len(c.vals) >= drainValues {
		f.full = true
	}
}

func (f *Writer) value(n *node, b []byte, rep int) ([]byte, error) {
	size := n.size
	switch n.phys {
	case parquet.Boolean:
		size = 1
	case parquet.Int32, parquet.Float:
		size = 4
	case parquet.Int64, parquet.Double:
		size = 8
	case parquet.ByteArray:
		if len(b) < 4 {
			return nil, errPacked
		}
		size = int(binary.LittleEndian.Uint32(b))
		b = b[4:]
	}
	if size > len(b) || size < 0 {
		return nil, errPacked
	}
	var v parquet.Value
	switch n.phys {
	case parquet.Boolean:
		v = parquet.BooleanValue(b[0] != 0)
	case parquet.Int32:
		v = parquet.Int32Value(int32(binary.LittleEndian.Uint32(b)))
	case parquet.Int64:
		v = parquet.Int64Value(int64(binary.LittleEndian.Uint64(b)))
	case parquet.Float:
		v = parquet.FloatValue(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case parquet.Double:
		v = parquet.DoubleValue(math.Float64frombits(binary.LittleEndian.Uint64(b)))
	case parquet.FixedLenByteArray:
		v = parquet.FixedLenByteArrayValue(b[:size])
	default:
		v = parquet.ByteArrayValue(b[:size])
	}
	f.put(n.col, v, rep, n.def)
	return b[size:], nil
}

func zstdLevel(level int) zstd.Level {
	switch {
	case level < 3:
		return zstd.SpeedFastest
	case level < 6:
		return zstd.SpeedDefault
	case level < 10:
		return zstd.SpeedBetterCompression
	}
	return zstd.SpeedBestCompression
}
