package parquetfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/flowrecords/flow/engine/schema"
)

// Magic is what a file begins and ends with.
var Magic = []byte("PAR1")

const (
	maxFooter = 64 << 20
	tail      = 8 // the length of the footer, and Magic
)

var (
	errShort   = errors.New("the file is cut short")
	errNoFile  = errors.New("no Parquet file")
	errEncoded = errors.New("the file is encrypted, which cannot be read")
)

// Reader reads rows, one after the other. It belongs to one goroutine. What it
// holds in memory is a page of each column.
type Reader struct {
	src  io.ReaderAt
	size int64

	schema  *Schema
	columns []*parquet.FileColumnChunk // of the library, by column
	groups  []format.RowGroup
	rows    int64

	unpacker unpacker
	group    int // the row group at hand is groups[group-1]
	chunks   []*chunk
	left     int64 // rows of it
	number   int64
	err      error

	out []byte
	bad error // what is wrong with the row at hand
}

// NewReader reads the footer of a file of size bytes.
func NewReader(src io.ReaderAt, size int64) (*Reader, error) {
	r := &Reader{src: src, size: size}
	meta, err := r.footer()
	if err != nil {
		return nil, err
	}
	if r.schema, err = fromElements(meta.Schema); err != nil {
		return nil, err
	}
	r.flowSchema(meta)
	r.groups = meta.RowGroups
	for i := range r.groups {
		g := &r.groups[i]
		if g.NumRows < 0 || g.NumRows > math.MaxInt64-r.rows || len(g.Columns) != len(r.schema.leaves) {
			return nil, fmt.Errorf("the footer is damaged: row group %d has %d rows and %d columns of %d", i, g.NumRows, len(g.Columns), len(r.schema.leaves))
		}
		r.rows += g.NumRows
	}
	return r, guard(func() error { return r.open(meta.Schema) })
}

// footer reads the last part of a file, which says what is where.
func (r *Reader) footer() (*format.FileMetaData, error) {
	var b [tail]byte
	if r.size < int64(len(Magic)+tail) {
		return nil, errNoFile
	}
	if err := r.readAt(b[:len(Magic)], 0); err != nil {
		return nil, err
	}
	switch string(b[:len(Magic)]) {
	case string(Magic):
	case "PARE":
		return nil, errEncoded
	default:
		return nil, fmt.Errorf("%w: it begins with %q instead of %q", errNoFile, b[:len(Magic)], Magic)
	}
	if err := r.readAt(b[:], r.size-tail); err != nil {
		return nil, err
	}
	if !bytes.Equal(b[4:], Magic) {
		return nil, fmt.Errorf("it ends with %q instead of %q: %w", b[4:], Magic, errShort)
	}
	n := int64(binary.LittleEndian.Uint32(b[:]))
	if n > maxFooter || n > r.size-tail-int64(len(Magic)) {
		return nil, fmt.Errorf("a footer of %d bytes in a file of %d; at most %d are read", n, r.size, maxFooter)
	}
	text := make([]byte, n)
	if err := r.readAt(text, r.size-tail-n); err != nil {
		return nil, err
	}
	meta := new(format.FileMetaData)
	if _, err := unthrift(text, meta); err != nil {
		return nil, fmt.Errorf("reading the footer: %w", err)
	}
	if meta.EncryptionAlgorithm.Value != nil {
		return nil, errEncoded
	}
	return meta, nil
}

func (r *Reader) readAt(p []byte, at int64) error {
	n, err := r.src.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return errShort
	}
	return err
}

// flowSchema takes the schema that flow left in the file, if it still is that of
// the columns: somebody may have written other ones and kept it.
func (r *Reader) flowSchema(meta *format.FileMetaData) {
	for _, kv := range meta.KeyValueMetadata {
		if kv.Key != MetaSchema {
			continue
		}
		s, err := schema.ParseJSON([]byte(kv.Value))
		if err != nil {
			return
		}
		own, err := FromSchema(s, Options{JSON: true})
		if err != nil || !own.root.same(r.schema.root) {
			return
		}
		r.schema = own
	}
}

// open prepares the library for the columns, by their physical types alone.
func (r *Reader) open(list []format.SchemaElement) error {
	meta := format.FileMetaData{Version: 1, CreatedBy: "flow"}
	g := format.RowGroup{NumRows: 1}
	for i := range list {
		e := list[i]
		e.LogicalType, e.ConvertedType = format.LogicalType{}, thrift.Null[convertedType]{}
		e.Scale, e.Precision = thrift.Null[int32]{}, thrift.Null[int32]{}
		meta.Schema = append(meta.Schema, e)
	}
	for _, n := range r.schema.leaves {
		g.Columns = append(g.Columns, format.ColumnChunk{MetaData: format.ColumnMetaData{
			Type: format.Type(n.phys), Encoding: []format.Encoding{format.Plain}, PathInSchema: []string{n.name},
			Codec: format.Uncompressed, NumValues: 1, DataPageOffset: feedStart, TotalCompressedSize: math.MaxInt64 / 2,
		}})
	}
	meta.RowGroups = []format.RowGroup{g}
	text, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		return fmt.Errorf("preparing columns: %w", err)
	}
	b := append(bytes.Clone(Magic), text...)
	b = append(binary.LittleEndian.AppendUint32(b, uint32(len(text))), Magic...)
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("preparing columns: %w", err)
	}
	for _, c := range f.RowGroups()[0].ColumnChunks() {
		fc, ok := c.(*parquet.FileColumnChunk)
		if !ok {
			return fmt.Errorf("preparing columns: a %T", c)
		}
		r.columns = append(r.columns, fc)
	}
	return nil
}

// Schema returns that of the rows.
func (r *Reader) Schema() *Schema { return r.schema }

// Use makes s, which is of the same columns, the schema of the rows: so files of
// one schema share one. It reports whether they are the same.
func (r *Reader) Use(s *Schema) bool {
	if s == nil || !s.root.same(r.schema.root) || !schema.Equal(s.flow, r.schema.flow) {
		return false
	}
	r.schema = s
	return true
}

// Number of the row that Next returns, from 0.
func (r *Reader) Number() int64 { return r.number }

// Rows is how many the file has.
func (r *Reader) Rows() int64 { return r.rows }

// Place says in which row group row number n lies, from 1, and how many there
// are; of a row behind the last one it is the last.
func (r *Reader) Place(n int64) (group, groups int) {
	for i := range r.groups {
		if n -= r.groups[i].NumRows; n < 0 {
			return i + 1, len(r.groups)
		}
	}
	return len(r.groups), len(r.groups)
}

// Done is about how much of the file has been read, in bytes.
func (r *Reader) Done() int64 {
	if r.rows == 0 || r.number >= r.rows {
		return r.size
	}
	return int64(float64(r.size) * (float64(r.number) / float64(r.rows)))
}

// RowError is what is wrong with the values of one row; the next one can be read.
type RowError struct{ Err error }

func (e *RowError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RowError) Unwrap() error { return e.Err }

// Next returns the next row as typed JSON text of the schema, valid until the
// Next after it; io.EOF behind the last one. Any error but a *RowError is the
// end, too.
func (r *Reader) Next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	for r.left == 0 {
		if err := r.nextGroup(); err != nil {
			return nil, r.fail(err)
		}
	}
	r.bad = nil
	var err error
	if r.out, err = r.append(r.out[:0], r.schema.root, 0); err != nil {
		return nil, r.fail(err)
	}
	r.left--
	r.number++
	if r.bad != nil {
		return nil, &RowError{fmt.Errorf("row %d: %w", r.number-1, r.bad)}
	}
	return r.out, nil
}

func (r *Reader) fail(err error) error {
	if !errors.Is(err, io.EOF) {
		err = fmt.Errorf("Parquet file, at row %d: %w", r.number, err) //nolint:staticcheck // a name
	}
	r.err = err
	return err
}

// nextGroup begins the next row group.
func (r *Reader) nextGroup() error {
	r.release()
	if r.group == len(r.groups) {
		return io.EOF
	}
	g := &r.groups[r.group]
	for i, n := range r.schema.leaves {
		if g.Columns[i].FilePath != "" {
			return fmt.Errorf("the column %s lies in another file, %s", n.name, g.Columns[i].FilePath)
		}
		c, err := r.newChunk(n, &g.Columns[i].MetaData)
		if err != nil {
			return err
		}
		r.chunks = append(r.chunks, c)
	}
	r.left = g.NumRows
	r.group++
	return nil
}

func (r *Reader) release() {
	for _, c := range r.chunks {
		c.close()
	}
	r.chunks = r.chunks[:0]
}

// Skip goes on until Number is n. Row groups before are not read. It returns
// io.EOF if the file ends before.
func (r *Reader) Skip(n int64) error {
	for r.number < n && r.left == 0 && r.err == nil && r.group < len(r.groups) && r.groups[r.group].NumRows <= n-r.number {
		r.number += r.groups[r.group].NumRows
		r.group++
	}
	for r.number < n {
		if r.err != nil {
			return r.err
		}
		if r.left == 0 {
			if err := r.nextGroup(); err != nil {
				return r.fail(err)
			}
			continue
		}
		k := min(n-r.number, r.left)
		for _, c := range r.chunks {
			if err := c.skip(k); err != nil {
				return r.fail(err)
			}
		}
		r.left -= k
		r.number += k
	}
	return nil
}

// Close gives memory back.
func (r *Reader) Close() {
	r.release()
	r.unpacker.close()
}
