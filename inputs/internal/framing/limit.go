package framing

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine"
)

// tooLong deals with the record at rest, which is over the limit: it closes
// the batch before it, or begins to skip it when it is the first.
func (c *Cutter) tooLong() {
	if len(c.batch.Value.Spans) > 0 {
		c.full = true
		return
	}
	c.skipping, c.skipFrom = true, c.base+int64(c.rest)
	c.skipErr = fmt.Errorf("the record is longer than max_record, which is %d bytes; its beginning is kept", c.o.MaxRecord)
	kept := c.raw[c.rest : c.rest+min(keptBytes, c.o.MaxRecord)]
	if c.finder != nil {
		c.finder.Reset()
		kept = c.skipRow(kept)
	}
	c.head = append(c.head[:0], kept...)
	c.skip()
}

// skipRow decides where the search for the end of a row over the limit begins.
// Most likely a quote is missing, so only the row's first line fails and the
// lines behind it are rows again. In the lazy dialect that could read every
// line max_record bytes far in vain, so there all up to the limit fails.
func (c *Cutter) skipRow(kept []byte) []byte {
	if c.o.Dialect.Lazy {
		c.scan = c.rest + c.o.MaxRecord
		return kept
	}
	c.scan = c.rest
	if n := indexNewline(c.raw[c.rest : c.rest+c.o.MaxRecord]); n >= 0 {
		c.skipErr = fmt.Errorf("the row is longer than max_record, which is %d bytes; most likely a quote that would close a field is missing", c.o.MaxRecord)
		kept = bytes.TrimSuffix(c.raw[c.rest:c.rest+min(n, keptBytes)], []byte{'\r'})
	}
	return kept
}

// skip drops bytes up to the newline that ends a record over the limit and
// reports whether it was found, or the stream ended.
func (c *Cutter) skip() bool {
	n := -1
	if c.o.Format != Whole {
		n = indexNewline(c.raw[c.scan:])
	}
	if n < 0 && !c.ended {
		c.base += int64(len(c.raw))
		c.raw, c.rest, c.scan = c.raw[:0], 0, 0
		return false
	}
	next := len(c.raw)
	if n >= 0 {
		next = c.scan + n + 1
	}
	c.skipping, c.lines, c.taken = false, 0, true
	if c.header {
		c.header, c.badHeader = false, errors.New("the header is longer than max_record")
	}
	c.fail(c.head, c.skipFrom, next, c.skipErr)
	return true
}

// fail makes the batch one failed record with the given bytes, which may lie
// in raw. The stream goes on at raw[next:].
func (c *Cutter) fail(data []byte, offset int64, next int, err error) {
	if c.o.Format == CSV {
		c.batch.Value.Data = append(c.batch.Value.Data[:0], data...)
	} else {
		c.head = append(c.head[:0], data...)
		c.carry = append(c.carry[:0], c.raw[next:]...)
		c.base += int64(next)
		c.raw = append(c.raw[:0], c.head...)
		next = 0
	}
	c.batch.Value.Spans = append(c.batch.Value.Spans[:0], engine.Span{End: uint32(len(data))})
	c.rows = append(c.rows[:0], 0)
	c.rest, c.scan = next, next
	c.err, c.full = err, true
	c.skipFrom, c.end, c.lines = offset, c.base+int64(next), 0
}

// Fail makes a failed record of what is left of a stream that broke: the
// beginning of an incomplete record, or nothing at all. Records that the batch
// holds already must be finished first.
func (c *Cutter) Fail(err error) {
	offset, data := c.base+int64(c.rest), c.raw[c.rest:]
	if c.skipping {
		offset, data = c.skipFrom, c.head
		c.skipping = false
	}
	c.fail(data[:min(len(data), c.o.MaxRecord)], offset, len(c.raw), err)
}
