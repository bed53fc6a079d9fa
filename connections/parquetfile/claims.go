package parquetfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/format"
)

// The library makes room for as many values as a run or a block says that it
// has, 2^31 in five bytes, before it compares them with the header of the page.
// What is claimed is therefore counted here first.

var (
	errClaims = errors.New("the page claims more values than its header says")
	errRun    = errors.New("the page is damaged: a run of values is cut short")
)

// padding is how many values more than there are a page may hold: bit-packed
// runs are filled up, at most 63 groups of 8 for each byte of their length.
const padding = 63 * 8

// checkClaims refuses a page of data whose levels or values claim more than the
// header says. In version 2, levels are what lies in front of data.
func (c *chunk) checkClaims(h *format.PageHeader, levels, data []byte) error {
	values := int64(h.DataPageHeader.V.NumValues)
	e := h.DataPageHeader.V.Encoding
	rep, def := bits.Len(uint(c.n.rep)), bits.Len(uint(c.n.def))
	if h.Type == format.DataPageV2 {
		v := &h.DataPageHeaderV2.V
		values, e = int64(v.NumValues), v.Encoding
		at := v.RepetitionLevelsByteLength
		if err := errors.Join(checkRuns(levels[:at], rep, values), checkRuns(levels[at:], def, values)); err != nil {
			return err
		}
	} else {
		for _, l := range [...]struct {
			width int
			e     format.Encoding
		}{{rep, h.DataPageHeader.V.RepetitionLevelEncoding}, {def, h.DataPageHeader.V.DefinitionLevelEncoding}} {
			if l.width == 0 {
				continue
			}
			if l.e != format.RLE {
				return fmt.Errorf("levels in the encoding %s cannot be read", l.e)
			}
			runs, rest, err := counted(data)
			if err != nil {
				return err
			}
			if err := checkRuns(runs, l.width, values); err != nil {
				return err
			}
			data = rest
		}
	}
	return c.checkValues(e, data, values)
}

// checkValues looks at the values of a page of data, whose levels are cut off.
func (c *chunk) checkValues(e format.Encoding, b []byte, values int64) error {
	switch e {
	case format.PlainDictionary, format.RLEDictionary: //nolint:staticcheck // old files have the first
		if len(b) == 0 {
			return nil
		}
		if b[0] > 32 {
			return errRun
		}
		return checkRuns(b[1:], int(b[0]), values)
	case format.RLE:
		runs, _, err := counted(b)
		if err != nil {
			return err
		}
		return checkRuns(runs, 1, values)
	case format.DeltaBinaryPacked, format.DeltaLengthByteArray:
		if len(b) == 0 {
			return nil
		}
		_, err := checkDelta(b, values)
		return err
	case format.DeltaByteArray:
		if len(b) == 0 {
			return nil
		}
		return checkPrefixes(b, values)
	}
	return nil
}

// counted cuts off what a length stands before.
func counted(b []byte) (runs, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, errRun
	}
	n := uint64(binary.LittleEndian.Uint32(b))
	if b = b[4:]; n > uint64(len(b)) {
		return nil, nil, errRun
	}
	return b[:n], b[n:], nil
}

// checkRuns counts the values of width bits in repeated and bit-packed runs.
func checkRuns(b []byte, width int, values int64) error {
	total := int64(0)
	for len(b) > 0 {
		head, n := binary.Uvarint(b)
		if n <= 0 {
			return errRun
		}
		b = b[n:]
		count, size := head>>1, uint64(width+7)/8
		if count > maxPageValues {
			return errClaims
		}
		if head&1 != 0 {
			size = count * uint64(width)
			count *= 8
		}
		if size > uint64(len(b)) {
			return errRun
		}
		b = b[size:]
		if total += int64(count); total > values+padding {
			return errClaims
		}
	}
	return nil
}

// checkDelta looks at a block of delta-packed numbers and returns what is behind
// it.
func checkDelta(b []byte, values int64) (rest []byte, err error) {
	var head [3]uint64 // numbers of a block, parts of a block, numbers in all
	for i := range head {
		var n int
		if head[i], n = binary.Uvarint(b); n <= 0 {
			return nil, errRun
		}
		b = b[n:]
	}
	if head[2] > uint64(values) {
		return nil, errClaims
	}
	if head[1] == 0 || head[1] > 1<<16 || head[0] > 1<<20 {
		return nil, errRun
	}
	_, n := binary.Varint(b) // the first number
	if n <= 0 {
		return nil, errRun
	}
	b = b[n:]
	part := head[0] / head[1]
	for left := int64(head[2]) - 1; left > 0; {
		if _, n = binary.Varint(b); n <= 0 || uint64(len(b)-n) < head[1] {
			return nil, errRun
		}
		widths := b[n : n+int(head[1])]
		b = b[n+int(head[1]):]
		if part == 0 {
			return nil, errRun
		}
		for _, w := range widths {
			if left <= 0 {
				break
			}
			size := part * uint64(w) / 8
			if size > uint64(len(b)) {
				if left > int64(part) {
					return nil, errRun
				}
				size = uint64(len(b)) // the last part need not be filled up
			}
			b = b[size:]
			left -= int64(part)
		}
	}
	return b, nil
}

// checkPrefixes bounds what texts become that share their beginnings: a long one
// can stand again in each.
func checkPrefixes(b []byte, values int64) error {
	rest, err := checkDelta(b, values)
	if err != nil {
		return err
	}
	if _, err := checkDelta(rest, values); err != nil {
		return err
	}
	var e delta.BinaryPackedEncoding
	list, err := e.DecodeInt32(nil, b[:len(b)-len(rest):len(b)-len(rest)])
	if err != nil {
		return err
	}
	total := int64(len(b))
	for _, n := range list {
		if total += int64(n); n < 0 || total > maxPage {
			return fmt.Errorf("a page whose texts have more than %d bytes", maxPage)
		}
	}
	return nil
}
