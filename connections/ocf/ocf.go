// Package ocf reads and writes Avro object container files, the file format of
// Apache Avro: a header with the schema, and blocks of records, each compressed
// by itself and followed by a marker. It is shared by the file input and
// output.
package ocf

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/flowrecords/flow/engine/record/avro"
)

// Magic is what a file begins with.
var Magic = []byte{'O', 'b', 'j', 1}

// Bounds of what is read.
const (
	// maxMeta bounds the header.
	maxMeta = 8 << 20
	// DefaultBlock bounds a block, as it lies in the file and unpacked. Writers
	// make blocks of 64 KiB by default and rarely more than some megabytes.
	DefaultBlock = 64 << 20

	syncBytes = 16
)

const (
	metaSchema = "avro.schema"
	metaCodec  = "avro.codec"
)

// Header is what stands in front of the blocks.
type Header struct {
	Schema *avro.Schema
	Codec  string
	Sync   [syncBytes]byte
	// Size of the header in bytes: the first block begins there.
	Size int64
	// Meta holds all entries by name, the schema among them.
	Meta map[string][]byte
}

// ReadHeader reads the header. What is no container file is an error that says
// so.
func ReadHeader(r *bufio.Reader) (*Header, error) {
	c := &counter{r: r}
	head := make([]byte, len(Magic))
	if _, err := io.ReadFull(c, head); err != nil {
		return nil, fmt.Errorf("no Avro container file: %w", short(err))
	}
	if !bytes.Equal(head, Magic) {
		return nil, fmt.Errorf("no Avro container file: it begins with %q instead of %q", head, Magic)
	}
	h := &Header{Meta: map[string][]byte{}, Codec: "null"}
	left := int64(maxMeta)
	for {
		n, err := c.long()
		if err != nil {
			return nil, fmt.Errorf("reading the header: %w", err)
		}
		if n == 0 {
			break
		}
		if n < 0 {
			if n == math.MinInt64 {
				return nil, errors.New("reading the header: a block of too many entries")
			}
			n = -n
			if _, err := c.long(); err != nil {
				return nil, fmt.Errorf("reading the header: %w", err)
			}
		}
		for ; n > 0; n-- {
			key, err := c.bytes(&left)
			if err != nil {
				return nil, fmt.Errorf("reading the header: %w", err)
			}
			value, err := c.bytes(&left)
			if err != nil {
				return nil, fmt.Errorf("reading the header: %w", err)
			}
			h.Meta[string(key)] = value
		}
	}
	if _, err := io.ReadFull(c, h.Sync[:]); err != nil {
		return nil, fmt.Errorf("reading the header: %w", short(err))
	}
	h.Size = c.n
	if codec := h.Meta[metaCodec]; len(codec) > 0 {
		h.Codec = string(codec)
	}
	text := h.Meta[metaSchema]
	if text == nil {
		return nil, errors.New("the header has no schema")
	}
	var err error
	if h.Schema, err = avro.Parse(text); err != nil {
		return nil, fmt.Errorf("the schema of the file: %w", err)
	}
	return h, nil
}

// AppendHeader appends a header; h.Meta and h.Size are not looked at.
func AppendHeader(dst []byte, h *Header) []byte {
	text := h.Schema.Source()
	if text == "" {
		text = h.Schema.Text()
	}
	dst = append(dst, Magic...)
	dst = binary.AppendVarint(dst, 2)
	for _, s := range []string{metaSchema, text, metaCodec, h.Codec} {
		dst = append(binary.AppendVarint(dst, int64(len(s))), s...)
	}
	dst = append(dst, 0)
	return append(dst, h.Sync[:]...)
}

// short says of an end that it is too early.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errShort
	}
	return err
}

var errShort = errors.New("the file is cut short")

// counter counts what is read.
type counter struct {
	r *bufio.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *counter) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

func (c *counter) long() (int64, error) {
	v, err := binary.ReadVarint(c)
	return v, short(err)
}

// bytes reads an entry of the header; left bounds all of them.
func (c *counter) bytes(left *int64) ([]byte, error) {
	n, err := c.long()
	if err != nil {
		return nil, err
	}
	if n < 0 || n > *left {
		return nil, fmt.Errorf("an entry of %d bytes; all may have %d", n, maxMeta)
	}
	*left -= n + 1
	return c.take(nil, n)
}

// take reads n bytes, growing as they come: a length is only believed as far
// as there are bytes.
func (c *counter) take(dst []byte, n int64) ([]byte, error) {
	const step = 1 << 20
	for n > 0 {
		k := int(min(n, step))
		at := len(dst)
		dst = append(dst, make([]byte, k)...)
		if _, err := io.ReadFull(c, dst[at:]); err != nil {
			return dst, short(err)
		}
		n -= int64(k)
	}
	return dst, nil
}

// Reader reads blocks.
type Reader struct {
	*Header
	c     *counter
	enc   *avro.Encoding
	codec codec
	max   int64

	packed, data []byte
	// of the block at hand: how many records are left, and where in data.
	count int64
	at    int
	// number of the record that comes next, from 0.
	number int64
	err    error
}

// NewReader reads the header and returns a Reader behind it. maxBlock bounds a
// block; 0 is DefaultBlock.
func NewReader(r *bufio.Reader, maxBlock int64) (*Reader, error) {
	h, err := ReadHeader(r)
	if err != nil {
		return nil, err
	}
	if maxBlock == 0 {
		maxBlock = DefaultBlock
	}
	out := &Reader{Header: h, c: &counter{r: r, n: h.Size}, max: maxBlock}
	if out.codec, err = newCodec(h.Codec, maxBlock, 0); err != nil {
		return nil, err
	}
	if out.enc, err = avro.NewEncoding(h.Schema); err != nil {
		return nil, err
	}
	return out, nil
}

// Encoding is that of the records.
func (r *Reader) Encoding() *avro.Encoding { return r.enc }

// Use makes enc, which is of the same schema, that of the records: so files of
// one schema have one encoding.
func (r *Reader) Use(enc *avro.Encoding) { r.enc = enc }

// Number of the record that Next returns.
func (r *Reader) Number() int64 { return r.number }

// Offset is where in the file reading stands.
func (r *Reader) Offset() int64 { return r.c.n }

// Next returns the next record, valid until the Next that begins another
// block; io.EOF behind the last one. Any other error is the end, too.
func (r *Reader) Next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	for r.count == 0 {
		if r.at != len(r.data) {
			return nil, r.fail(fmt.Errorf("a block has %d bytes behind its last record", len(r.data)-r.at))
		}
		if err := r.block(); err != nil {
			return nil, r.fail(err)
		}
	}
	n, err := r.enc.Size(r.data[r.at:])
	if err != nil {
		return nil, r.fail(fmt.Errorf("record %d: %w", r.number, err))
	}
	v := r.data[r.at : r.at+n : r.at+n]
	r.at += n
	r.count--
	r.number++
	return v, nil
}

// Buffered is how many records of the block at hand are left.
func (r *Reader) Buffered() int64 { return r.count }

func (r *Reader) fail(err error) error {
	if !errors.Is(err, io.EOF) {
		err = fmt.Errorf("Avro container file, before byte %d: %w", r.c.n, err) //nolint:staticcheck // a name
	}
	r.err = err
	return err
}

// head reads what stands in front of a block; io.EOF at the end of the file.
func (r *Reader) head() (count, size int64, err error) {
	if _, err := r.c.r.Peek(1); err == io.EOF {
		return 0, 0, io.EOF
	}
	if count, err = r.c.long(); err != nil {
		return 0, 0, err
	}
	if size, err = r.c.long(); err != nil {
		return 0, 0, err
	}
	if count < 0 || size < 0 || size > r.max {
		return 0, 0, fmt.Errorf("a block of %d records in %d bytes; at most %d bytes are read", count, size, r.max)
	}
	return count, size, nil
}

func (r *Reader) sync() error {
	var sync [syncBytes]byte
	if _, err := io.ReadFull(r.c, sync[:]); err != nil {
		return short(err)
	}
	if sync != r.Sync {
		return errors.New("the marker behind a block is not that of the file: it is damaged")
	}
	return nil
}

func (r *Reader) block() error {
	count, size, err := r.head()
	if err != nil {
		return err
	}
	if r.packed, err = r.c.take(r.packed[:0], size); err != nil {
		return err
	}
	if err := r.sync(); err != nil {
		return err
	}
	if r.data, err = r.codec.unpack(r.data[:0], r.packed); err != nil {
		return fmt.Errorf("unpacking a block (%s): %w", r.Codec, err)
	}
	// Records of no bytes could be any number.
	if count > int64(len(r.data)) && count > maxEmpty {
		return fmt.Errorf("a block of %d records in %d bytes", count, len(r.data))
	}
	r.count, r.at = count, 0
	return nil
}

// maxEmpty bounds the records of a block that take no bytes.
const maxEmpty = 1 << 20

// Skip goes on until Number is n, reading no more than it must: whole blocks
// are not unpacked. It returns io.EOF if the file ends before.
func (r *Reader) Skip(n int64) error {
	for r.number < n && r.count == 0 {
		if r.err != nil {
			return r.err
		}
		mark, err := r.c.r.Peek(20) // the longest head of a block
		if len(mark) == 0 {
			return r.fail(err)
		}
		count, a := binary.Varint(mark)
		if a <= 0 || count < 0 || count > n-r.number {
			break
		}
		size, b := binary.Varint(mark[a:])
		if b <= 0 || size < 0 || size > r.max {
			break // Next tells what is wrong
		}
		discarded, err := r.c.r.Discard(a + b + int(size))
		if r.c.n += int64(discarded); err != nil {
			return r.fail(short(err))
		}
		if err := r.sync(); err != nil {
			return r.fail(err)
		}
		r.number += count
	}
	for r.number < n {
		if _, err := r.Next(); err != nil {
			return err
		}
	}
	return nil
}

// LastBlock returns where the last whole block of a file ends, for one that was
// cut anywhere; 0 if not even its header is whole.
func LastBlock(file io.Reader) int64 {
	r, err := NewReader(bufio.NewReaderSize(file, 256<<10), 0)
	if err != nil {
		return 0
	}
	defer r.Close()
	end := r.Size
	for {
		if _, err := r.Next(); err != nil {
			return end
		}
		if r.count == 0 && r.at == len(r.data) {
			end = r.Offset()
		}
	}
}

// Close lets go of the codec.
func (r *Reader) Close() { r.codec.close() }

// Writer makes blocks.
type Writer struct {
	header Header
	codec  codec
	packed []byte
}

// NewWriter returns a Writer of blocks for a file with that header. level is
// the effort of the codec; 0 is its default.
func NewWriter(h *Header, level int) (*Writer, error) {
	c, err := newCodec(h.Codec, DefaultBlock, level)
	if err != nil {
		return nil, err
	}
	return &Writer{header: *h, codec: c}, nil
}

// AppendBlock appends a block of count records, whose bytes are data.
func (w *Writer) AppendBlock(dst []byte, count int, data []byte) ([]byte, error) {
	var err error
	if w.packed, err = w.codec.pack(w.packed[:0], data); err != nil {
		return dst, fmt.Errorf("packing a block (%s): %w", w.header.Codec, err)
	}
	dst = binary.AppendVarint(dst, int64(count))
	dst = binary.AppendVarint(dst, int64(len(w.packed)))
	dst = append(dst, w.packed...)
	return append(dst, w.header.Sync[:]...), nil
}

// Close lets go of the codec.
func (w *Writer) Close() { w.codec.close() }
