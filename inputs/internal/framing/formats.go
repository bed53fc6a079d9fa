package framing

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record/csvrow"
)

func indexNewline(p []byte) int { return bytes.IndexByte(p, '\n') }

// cutMultiline ends a record where a line begins that matches, and where the
// next line would take it over a limit: that loses nothing.
func (c *Cutter) cutMultiline() {
	for !c.full && !c.skipping {
		n := indexNewline(c.raw[c.scan:])
		line := c.raw[c.scan:]
		if n >= 0 {
			line = line[:n]
		} else if len(line) == 0 {
			return
		}
		over := c.scan+len(line)-c.rest > c.o.MaxRecord
		if c.lines > 0 && (over || c.lines >= c.o.MaxLines || (n >= 0 || c.ended) && c.o.Start.Match(line)) {
			c.record(c.scan-1, c.scan)
			continue
		}
		if n < 0 || over {
			return
		}
		c.lines++
		c.scan += n + 1
	}
}

// cutRows turns complete rows into JSON.
func (c *Cutter) cutRows() {
	for !c.full {
		if c.base == 0 && c.rest == 0 {
			if len(c.raw) < 3 && !c.ended {
				return // may be the beginning of a byte order mark
			}
			c.rest = len(c.raw) - len(csvrow.SkipBOM(c.raw))
			c.scan = max(c.scan, c.rest)
		}
		n := c.finder.Next(c.raw[c.scan:])
		if n < 0 {
			c.scan = len(c.raw)
			return
		}
		next := c.scan + n
		if next-1-c.rest > c.o.MaxRecord {
			c.scan = c.rest
			c.finder.Reset()
			c.tooLong()
			continue
		}
		c.row(next)
	}
}

// row deals with the row raw[rest:next].
func (c *Cutter) row(next int) {
	raw := c.raw[c.rest:next]
	blank := len(bytes.TrimRight(raw, "\r\n")) == 0
	switch {
	case blank:
		c.rest, c.scan = next, next
	case c.header:
		c.readHeader(raw)
		c.rest, c.scan = next, next
	default:
		if err := c.appendRow(raw); err != nil {
			c.badRow(raw, next, err)
		} else {
			c.rest, c.scan = next, next
		}
	}
	if c.ended && next == len(c.raw) {
		c.finder.Reset()
	}
}

// badRow makes a failed record of a row, alone in its batch.
func (c *Cutter) badRow(raw []byte, next int, err error) {
	if !c.Empty() {
		c.full = true
		c.scan = c.rest
		c.finder.Reset()
		return
	}
	c.fail(bytes.TrimRight(raw, "\r\n"), c.base+int64(c.rest), next, err)
}

// readHeader takes the names of the columns. A header that is no good fails
// every row of the stream, so that none is lost.
func (c *Cutter) readHeader(raw []byte) {
	c.header = false
	fields, err := c.parser.Parse(raw)
	switch {
	case err != nil:
		c.columns, c.badHeader = nil, fmt.Errorf("reading the header: %w", err)
	case len(c.o.Columns) > 0:
		if len(fields) != len(c.o.Columns) {
			c.columns = nil
			c.badHeader = fmt.Errorf("the header has %d fields, the option columns has %d", len(fields), len(c.o.Columns))
		}
	default:
		names := make([]string, len(fields))
		for i, f := range fields {
			names[i] = string(f.Text)
		}
		c.columns, c.badHeader = csvrow.NewColumns(names, c.o.Types, c.o.Nulls)
		if c.badHeader != nil {
			c.badHeader = fmt.Errorf("the header is unusable: %w", c.badHeader)
		}
	}
}

var errNoHeader = errors.New("the columns are not known")

// appendRow appends a row to the batch as JSON.
func (c *Cutter) appendRow(raw []byte) error {
	if c.columns == nil {
		if c.badHeader != nil {
			return c.badHeader
		}
		return errNoHeader
	}
	fields, err := c.parser.Parse(raw)
	if err != nil {
		return err
	}
	v := &c.batch.Value
	start := len(v.Data)
	data, err := c.columns.AppendJSON(v.Data, fields)
	if err != nil {
		return err
	}
	v.Data = append(data, '\n')
	at := c.base + int64(c.rest)
	if len(v.Spans) == 0 {
		c.skipFrom = at
	}
	v.Spans = append(v.Spans, engine.Span{Start: uint32(start), End: uint32(len(v.Data) - 1)})
	c.rows = append(c.rows, uint32(at-c.skipFrom))
	c.full = len(v.Spans) >= c.o.Records || len(v.Data) >= c.o.Bytes
	return nil
}

// NeedsHeader reports that rows cannot be read before the header has been.
func (c *Cutter) NeedsHeader() bool { return c.header }

// ReadHeader makes of the beginning of a stream the columns of c, which begins
// later in the same stream. It returns false when the header is not complete.
func (c *Cutter) ReadHeader(start []byte, ended bool) bool {
	h := New(c.o, 0)
	h.batch = engine.NewBatch()
	h.raw, h.ended = start, ended
	h.o.Records = 1
	h.cut()
	if h.header {
		return false
	}
	c.columns, c.badHeader, c.header = h.columns, h.badHeader, false
	return true
}
