package engine

import (
	"bytes"
	"math"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// Load points r at record i. r is valid until the batch is released. Of a batch
// that was encoded for an output it shows the record as it was before, since
// that is what the expressions of the output's options are about.
func (b *Batch) Load(i int, r *record.Record) {
	if b.decoded != nil {
		if len(b.decodedRows) > 0 {
			i = int(b.decodedRows[i])
		}
		b.decoded.Load(i, r)
		return
	}
	l := b.Loader(r)
	l.Load(i)
}

// EncodedFrom says that b holds the records of o as an output's converters have
// written them; rows are their numbers in o, nil if none is missing. o must
// stay as it is until b is reset.
func (b *Batch) EncodedFrom(o *Batch, rows []uint32) { b.decoded, b.decodedRows = o, rows }

// Loader points one record at one record of a batch after the other. What is
// the same for all of them is done once.
type Loader struct {
	b        *Batch
	r        *record.Record
	enc      record.Encoding // of the value
	keyEnc   record.Encoding
	topic    string
	group    *AckGroup
	first    int64
	straight bool // offsets are first + row
	plain    bool // no headers, timestamps, topics
	mixed    bool // records have encodings of their own
}

// Loader returns a loader of b's records into r, which nothing else may load
// meanwhile.
func (b *Batch) Loader(r *record.Record) Loader {
	l := Loader{b: b, r: r, enc: b.Value.Encoding, keyEnc: b.Key.Encoding, group: b.group, straight: true}
	if l.enc == nil {
		l.enc = record.Opaque
	}
	if l.keyEnc == nil {
		l.keyEnc = record.Opaque
	}
	l.mixed = len(b.Value.Encodings)+len(b.Key.Encodings) > 0
	r.Partition, r.Meta = 0, nil
	if g := b.group; g != nil {
		info := &g.source.info
		r.Partition, r.Meta, l.topic = info.Partition, info.Meta, info.Topic
		l.first, l.straight = g.first, len(g.rows) == 0
	}
	if len(b.Key.Spans) == 0 {
		r.Key.Reset(record.Text, nil)
	}
	l.plain = len(b.Headers.Ends) == 0 && len(b.Timestamps) == 0 && len(b.Topics) == 0
	return l
}

// Load points the record at record i.
func (l *Loader) Load(i int) {
	b, r := l.b, l.r
	if l.mixed {
		l.mix(i)
	}
	r.Value.Reset(l.enc, b.Value.At(i))
	if len(b.Key.Spans) > 0 {
		r.Key.Reset(l.keyEnc, b.Key.At(i))
	} else if !r.Key.IsNull() || r.Key.Edited() {
		r.Key.Reset(record.Text, nil)
	}
	row := uint32(i)
	if len(b.Rows) > 0 {
		row = b.Rows[i]
	}
	r.Row = row
	if l.straight {
		r.Offset = l.first + int64(row)
	} else {
		r.Offset = l.group.offset(row)
	}
	r.Topic = l.topic
	r.Timestamp, r.HasTimestamp = 0, false
	if l.plain {
		r.ResetHeaders(nil)
		return
	}
	r.ResetHeaders(b.Headers.At(i))
	if len(b.Topics) > 0 {
		r.Topic = b.Topics[i]
	}
	if len(b.Timestamps) > 0 && b.Timestamps[i] != NoTimestamp {
		r.Timestamp, r.HasTimestamp = b.Timestamps[i], true
	}
}

// mix sets the encodings of record i.
func (l *Loader) mix(i int) {
	if l.enc = l.b.Value.EncodingOf(i); l.enc == nil {
		l.enc = record.Opaque
	}
	if len(l.b.Key.Encodings) > 0 {
		if l.keyEnc = l.b.Key.Encodings[i]; l.keyEnc == nil {
			l.keyEnc = record.Opaque
		}
	}
}

// Append stores what r has become as the next record. It returns false, and
// stores nothing, when r does not fit this batch, because the batch is full
// or r has another encoding: the caller goes on with a fresh batch. An error
// is an error of the record; nothing is stored then either.
func (b *Batch) Append(r *record.Record) (bool, error) {
	n := b.Len()
	if n > 0 && (len(b.Value.Data) >= 2*limits.BatchBytes || len(b.Key.Data) >= 2*limits.BatchBytes || n >= math.MaxUint16) {
		return false, nil
	}
	if !b.Value.fits(r.Value) || !b.Key.fits(r.Key) {
		return false, nil
	}
	if err := b.Value.append(r.Value); err != nil {
		return false, err
	}
	if len(b.Key.Spans) > 0 || !r.Key.IsNull() {
		for len(b.Key.Spans) < n {
			b.Key.Spans = append(b.Key.Spans, NullSpan)
		}
		if err := b.Key.append(r.Key); err != nil {
			b.Value.Spans = b.Value.Spans[:n]
			b.Key.Spans = b.Key.Spans[:n]
			b.Key.Encodings = b.Key.Encodings[:min(n, len(b.Key.Encodings))]
			b.Value.Encodings = b.Value.Encodings[:min(n, len(b.Value.Encodings))]
			return false, err
		}
	}
	b.appendMeta(n, r)
	return true, nil
}

// fits reports whether the column can take d: an encoding is settled by the
// first record that is not null, but for encodings with schemas, which may be
// mixed: a topic that two versions of a producer write to must not make a
// batch of each record.
func (c *Column) fits(d *record.Doc) bool {
	return len(c.Data) == 0 || d.IsNull() || c.Encoding == d.Encoding() || c.mixes(d.Encoding())
}

func (c *Column) mixes(enc record.Encoding) bool {
	return record.SchemaOf(c.Encoding) != nil && record.SchemaOf(enc) != nil
}

func (c *Column) append(d *record.Doc) error {
	if d.IsNull() {
		c.null()
		return nil
	}
	start := len(c.Data)
	data, err := d.AppendTo(c.Data)
	if err != nil {
		c.Data = c.Data[:start]
		return err
	}
	c.Data = data
	// What an edit put in may hold a newline that the source had not, such as
	// the white space of a JSON key.
	if c.Lines && d.Edited() && bytes.IndexByte(data[start:], '\n') >= 0 {
		c.Lines = false
	}
	c.close(start)
	if enc := d.Encoding(); start == 0 || enc != c.Encoding || len(c.Encodings) > 0 {
		c.note(enc, start == 0)
	}
	return nil
}

// appendMeta stores headers, timestamp, topic and row of record n.
func (b *Batch) appendMeta(n int, r *record.Record) {
	b.Rows = append(b.Rows, r.Row)
	if hs := r.Headers(); len(hs) > 0 || len(b.Headers.Ends) > 0 {
		for len(b.Headers.Ends) < n {
			b.Headers.Ends = append(b.Headers.Ends, uint32(len(b.Headers.List)))
		}
		// Header values may be ranges of the source batch: they are copied.
		b.Headers.add(hs, true)
	}
	if r.HasTimestamp || len(b.Timestamps) > 0 {
		for len(b.Timestamps) < n {
			b.Timestamps = append(b.Timestamps, NoTimestamp)
		}
		ts := int64(NoTimestamp)
		if r.HasTimestamp {
			ts = r.Timestamp
		}
		b.Timestamps = append(b.Timestamps, ts)
	}
	source := ""
	if b.group != nil {
		source = b.group.source.info.Topic
	}
	if r.Topic != source || len(b.Topics) > 0 {
		for len(b.Topics) < n {
			b.Topics = append(b.Topics, source)
		}
		b.Topics = append(b.Topics, r.Topic)
	}
}
