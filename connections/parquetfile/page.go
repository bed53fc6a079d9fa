package parquetfile

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Bounds of what is read. A file that is beyond them is refused.
const (
	// maxPage bounds a page, as it lies in the file and unpacked. Writers make
	// pages of about 1 MiB; only one very long value makes one longer.
	maxPage = 128 << 20
	// maxPageValues bounds the values of a page: nulls and repeated ones take no
	// room in it.
	maxPageValues = 1 << 24
	maxPageHeader = 16 << 20
	// valuesAtOnce is how many values of a column are taken from its page.
	valuesAtOnce = 256
)

// chunk reads the pages of one column in one row group.
//
// Headers are checked and pages unpacked here. The library, which takes the
// memory that data asks for, then gets each page as a stream of what is checked.
type chunk struct {
	r     *Reader
	n     *node
	codec format.CompressionCodec

	at, end int64 // of the file
	left    int64 // values that no page had yet
	dict    bool  // there was a dictionary
	head    []byte
	packed  []byte
	feed    feed

	pages *parquet.FilePages
	page  parquet.Page
	from  parquet.ValueReader
	vals  []parquet.Value
	next  int
	buf   []parquet.Value
}

func (r *Reader) newChunk(n *node, m *format.ColumnMetaData) (*chunk, error) {
	c := &chunk{r: r, n: n, codec: m.Codec, left: m.NumValues}
	if m.Type != format.Type(n.phys) {
		return nil, fmt.Errorf("the column %s is of type %s, and the schema says %s", n.name, m.Type, n.phys)
	}
	c.at = m.DataPageOffset
	if m.DictionaryPageOffset > 0 && m.DictionaryPageOffset < c.at {
		c.at = m.DictionaryPageOffset
	}
	c.end = c.at + m.TotalCompressedSize
	if c.at < 4 || c.end < c.at || c.end > r.size || c.left < 0 {
		return nil, fmt.Errorf("the column %s lies at bytes %d to %d of %d", n.name, c.at, c.end, r.size)
	}
	c.feed.at = feedStart
	c.pages = r.columns[n.col].PagesFrom(&c.feed)
	return c, nil
}

// feedStart is where the library takes pages to begin.
const feedStart = 4

// feed is what the library reads: one page after the other, as they come.
type feed struct {
	b  []byte
	at int64 // of b, in all that was fed
}

// ReadAt implements io.ReaderAt for a reader that goes on where it was.
func (f *feed) ReadAt(p []byte, at int64) (int, error) {
	skip := at - f.at
	if skip < 0 || skip >= int64(len(f.b)) {
		return 0, io.EOF
	}
	return copy(p, f.b[skip:]), nil
}

// renew forgets what was read.
func (f *feed) renew() {
	f.at += int64(len(f.b))
	f.b = f.b[:0]
}

// peek returns the next value; ok is false behind the last one.
func (c *chunk) peek() (v *parquet.Value, ok bool, err error) {
	for c.next == len(c.vals) {
		if c.from == nil {
			if err := c.nextPage(); err != nil {
				if errors.Is(err, io.EOF) {
					return nil, false, nil
				}
				return nil, false, c.wrap(err)
			}
			continue
		}
		if c.buf == nil {
			c.buf = make([]parquet.Value, valuesAtOnce)
		}
		n := 0
		err := guard(func() (err error) {
			n, err = c.from.ReadValues(c.buf)
			return err
		})
		c.vals, c.next = c.buf[:n], 0
		if err != nil {
			c.from = nil
			if !errors.Is(err, io.EOF) {
				return nil, false, c.wrap(err)
			}
		} else if n == 0 {
			return nil, false, c.wrap(io.ErrNoProgress)
		}
	}
	return &c.vals[c.next], true, nil
}

func (c *chunk) wrap(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errShort
	}
	return fmt.Errorf("reading the column %s: %w", c.n.name, err)
}

// nextPage makes the values of the next page of data those to read.
func (c *chunk) nextPage() error {
	c.feed.renew()
	for {
		if c.left <= 0 {
			return io.EOF
		}
		h, err := c.header()
		if err != nil {
			return err
		}
		switch h.Type {
		case format.DictionaryPage:
			if c.dict {
				return errors.New("a second dictionary")
			}
			c.dict = true
			if err := c.body(h); err != nil {
				return err
			}
		case format.DataPage, format.DataPageV2:
			if err := c.body(h); err != nil {
				return err
			}
			return c.open(h)
		default:
			c.at += int64(h.CompressedPageSize)
		}
	}
}

// header reads the header of a page, whose length nothing tells.
func (c *chunk) header() (*format.PageHeader, error) {
	h := new(format.PageHeader)
	for size := int64(1 << 10); ; size *= 8 {
		size = min(size, c.end-c.at, maxPageHeader)
		if int64(cap(c.head)) < size {
			c.head = make([]byte, size)
		}
		c.head = c.head[:size]
		if err := c.r.readAt(c.head, c.at); err != nil {
			return nil, err
		}
		n, err := unthrift(c.head, h)
		if errors.Is(err, errThriftShort) && size < min(c.end-c.at, maxPageHeader) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("the header of a page: %w", err)
		}
		c.at += int64(n)
		return h, c.checkHeader(h)
	}
}

func (c *chunk) checkHeader(h *format.PageHeader) error {
	size, unpacked := h.CompressedPageSize, h.UncompressedPageSize
	if size < 0 || int64(size) > c.end-c.at {
		return fmt.Errorf("a page of %d bytes, and there are %d", size, c.end-c.at)
	}
	if size > maxPage || unpacked < 0 || unpacked > maxPage {
		return fmt.Errorf("a page of %d bytes; %d are read at most", max(size, unpacked), maxPage)
	}
	values := int32(0)
	switch h.Type {
	case format.DataPage:
		values = h.DataPageHeader.V.NumValues
	case format.DataPageV2:
		v := &h.DataPageHeaderV2.V
		values = v.NumValues
		if v.RepetitionLevelsByteLength < 0 || v.DefinitionLevelsByteLength < 0 ||
			int64(v.RepetitionLevelsByteLength)+int64(v.DefinitionLevelsByteLength) > int64(min(size, unpacked)) ||
			v.NumNulls < 0 || v.NumNulls > values {
			return errors.New("a page whose levels do not fit in it")
		}
	case format.DictionaryPage:
		values = h.DictionaryPageHeader.V.NumValues
		if values > 8*max(unpacked, 0) {
			return errors.New("a dictionary with more values than bytes")
		}
		return nil
	}
	if values < 0 || values > maxPageValues || int64(values) > c.left {
		return fmt.Errorf("a page of %d values, and the column has %d left; %d are read at most", values, c.left, maxPageValues)
	}
	return nil
}

// body reads and unpacks what is behind a header, and feeds both.
func (c *chunk) body(h *format.PageHeader) error {
	size, unpacked := int(h.CompressedPageSize), int(h.UncompressedPageSize)
	c.packed = grown(c.packed, size)
	if err := c.r.readAt(c.packed, c.at); err != nil {
		return err
	}
	c.at += int64(size)
	if h.CRC != 0 && crc32.ChecksumIEEE(c.packed) != uint32(h.CRC) {
		return errors.New("the checksum of a page is wrong")
	}
	levels, codec := 0, c.codec
	if h.Type == format.DataPageV2 {
		v := &h.DataPageHeaderV2.V
		levels = int(v.RepetitionLevelsByteLength + v.DefinitionLevelsByteLength)
		if v.IsCompressed.Valid && !v.IsCompressed.V {
			codec, unpacked = format.Uncompressed, size
		}
	}
	plain := format.PageHeader{
		Type: h.Type, UncompressedPageSize: int32(unpacked), CompressedPageSize: int32(unpacked),
		DictionaryPageHeader: h.DictionaryPageHeader, DataPageHeader: h.DataPageHeader, DataPageHeaderV2: h.DataPageHeaderV2,
	}
	plain.DataPageHeader.V.Statistics = format.Statistics{}
	plain.DataPageHeaderV2.V.Statistics = format.Statistics{}
	text, err := thrift.Marshal(new(thrift.CompactProtocol), &plain)
	if err != nil {
		return err
	}
	c.feed.b = append(append(c.feed.b, text...), c.packed[:levels]...)
	at := len(c.feed.b)
	if c.feed.b, err = c.r.unpacker.unpack(codec, c.feed.b, c.packed[levels:], unpacked-levels); err != nil {
		return err
	}
	return c.checkEncoding(h, c.feed.b[at-levels:at], c.feed.b[at:])
}

// grown returns a slice of n bytes, b if it is long enough.
func grown(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// checkEncoding refuses what the library would go astray on.
func (c *chunk) checkEncoding(h *format.PageHeader, levels, data []byte) error {
	e := h.DataPageHeader.V.Encoding
	if h.Type == format.DataPageV2 {
		e = h.DataPageHeaderV2.V.Encoding
	}
	dict := e == format.PlainDictionary || e == format.RLEDictionary //nolint:staticcheck // old files have the first
	if h.Type != format.DictionaryPage && dict && !c.dict {
		return errors.New("a page needs a dictionary, and there is none")
	}
	if h.Type == format.DictionaryPage {
		return nil
	}
	return c.checkClaims(h, levels, data)
}

// open lets the library decode the page that was fed.
func (c *chunk) open(h *format.PageHeader) error {
	c.release()
	values := int64(h.DataPageHeader.V.NumValues)
	if h.Type == format.DataPageV2 {
		values = int64(h.DataPageHeaderV2.V.NumValues)
	}
	return guard(func() (err error) {
		if c.page, err = c.pages.ReadPage(); err != nil {
			return err
		}
		if n := c.page.NumValues(); n != values {
			return fmt.Errorf("a page of %d values that says to have %d", n, values)
		}
		c.left -= values
		c.from = c.page.Values()
		return nil
	})
}

// skip goes on behind so many rows.
func (c *chunk) skip(rows int64) error {
	if c.n.rep > 0 {
		return c.skipRepeated(rows)
	}
	for rows > 0 {
		if k := int64(len(c.vals) - c.next); k > 0 {
			k = min(k, rows)
			c.next += int(k)
			rows -= k
			continue
		}
		v, ok, err := c.peek()
		if err != nil {
			return err
		}
		if !ok || v == nil {
			return c.wrap(errFew)
		}
	}
	return nil
}

func (c *chunk) skipRepeated(rows int64) error {
	for {
		v, ok, err := c.peek()
		if err != nil {
			return err
		}
		switch {
		case !ok && rows == 0:
			return nil
		case !ok:
			return c.wrap(errFew)
		case v.RepetitionLevel() == 0:
			if rows == 0 {
				return nil
			}
			rows--
		}
		c.next++
	}
}

var errFew = errors.New("it has less values than the row group has rows")

func (c *chunk) release() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page = nil
	}
}

func (c *chunk) close() {
	c.release()
	_ = c.pages.Close() // it only gives memory back
}
