package playground

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// Record is one record outside a pipeline, with bytes of its own.
type Record struct {
	Value, Key     []byte // nil is a null
	ValueAs, KeyAs record.Encoding
	Headers        []record.Header
	Topic          string
	Partition      int32
	Offset         int64
	Timestamp      time.Time
	HasTimestamp   bool
	Meta           map[string]string
	// Number counts the records of the input from 1.
	Number int
}

// At returns the record with another value, which is JSON, and the next
// offset for each further number.
func (x Record) At(number int, value []byte) Record {
	x.Number, x.Value, x.ValueAs = number, value, record.JSON
	x.Offset += int64(number - 1)
	return x
}

// load points r at x.
func (x *Record) load(r *record.Record) {
	r.Value.Reset(encoding(x.ValueAs), x.Value)
	r.Key.Reset(encoding(x.KeyAs), x.Key)
	r.Topic, r.Partition, r.Offset, r.Meta = x.Topic, x.Partition, x.Offset, x.Meta
	r.Timestamp, r.HasTimestamp = 0, x.HasTimestamp
	if x.HasTimestamp {
		r.Timestamp = x.Timestamp.UnixNano()
	}
	r.ResetHeaders(x.Headers)
}

func encoding(e record.Encoding) record.Encoding {
	if e == nil {
		return record.Text
	}
	return e
}

// store returns what r has become.
func (x *Record) store(r *record.Record) (Record, error) {
	out := Record{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Meta: r.Meta, Number: x.Number,
		HasTimestamp: r.HasTimestamp, Timestamp: r.Time(), ValueAs: r.Value.Encoding(), KeyAs: r.Key.Encoding(),
	}
	var err error
	if out.Value, err = bytesOf(r.Value); err != nil {
		return out, err
	}
	if out.Key, err = bytesOf(r.Key); err != nil {
		return out, fmt.Errorf("key: %w", err)
	}
	for _, h := range r.Headers() {
		out.Headers = append(out.Headers, record.Header{Key: h.Key, Value: slices.Clone(h.Value)})
	}
	return out, nil
}

func bytesOf(d *record.Doc) ([]byte, error) {
	if d.IsNull() {
		return nil, nil
	}
	return d.AppendTo([]byte{})
}

// value is the value as it is shown.
func (x *Record) value() record.Value { return shown(x.ValueAs, x.Value) }

// key is the key as it is shown.
func (x *Record) key() record.Value { return shown(x.KeyAs, x.Key) }

func shown(as record.Encoding, b []byte) record.Value {
	switch as = encoding(as); {
	case b == nil:
		return record.NullValue()
	case as == record.Opaque:
		return record.BytesValue(b)
	case as == record.Text:
		return text(b)
	}
	line, err := as.AppendJSON(nil, b)
	if err != nil {
		return record.BytesValue(b)
	}
	return record.RawJSON(line)
}

// text is a String, or Bytes where it is none.
func text(b []byte) record.Value {
	if utf8.Valid(b) {
		return record.TextValue(b)
	}
	return record.BytesValue(b)
}

// whole is the record with all that belongs to it, as one JSON object in a
// fixed order. What it has not is left out.
func (x *Record) whole(port string) record.Value {
	var b []byte
	member := func(name string, v record.Value) {
		b = append(b, ',')
		b = record.AppendQuoted(b, []byte(name))
		b = append(b, ':')
		if out, err := v.AppendJSON(b); err == nil {
			b = out
		} else {
			b = append(b, "null"...)
		}
	}
	if port != "" {
		member("port", record.StringValue(port))
	}
	if x.Topic != "" {
		member("topic", record.StringValue(x.Topic))
	}
	member("partition", record.IntValue(int64(x.Partition)))
	member("offset", record.IntValue(x.Offset))
	if x.HasTimestamp {
		member("timestamp", record.TimeValue(x.Timestamp))
	}
	if x.Key != nil {
		member("key", x.key())
	}
	if len(x.Headers) > 0 {
		headers := map[string]any{}
		for _, h := range x.Headers {
			headers[h.Key] = nil
			if h.Value != nil {
				headers[h.Key] = text(h.Value).Any()
			}
		}
		v, err := record.FromAny(headers)
		if err == nil {
			member("headers", v)
		}
	}
	member("value", x.value())
	b[0] = '{'
	return record.RawJSON(append(b, '}'))
}

// excerpt is the beginning of a record, for errors.
func excerpt(b []byte) string {
	s := strings.Join(strings.Fields(string(b)), " ")
	if len(s) <= limits.ExcerptBytes {
		return s
	}
	cut := limits.ExcerptBytes
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}

// clone detaches the record from the memory of its reader.
func (x Record) clone() Record {
	x.Value = bytes.Clone(x.Value)
	return x
}
