package window

import (
	"encoding/base64"
	"errors"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Factory describes batch.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "batch",
			Summary: "Makes one record of many: a window that ends by count, bytes or time.",
			Description: "The new record's value is an array of what the window holds, in order. It has no key and no headers, the topic of its source, " +
				"and the timestamp of the last record that has one. Each window holds records of one source partition, so their order is kept. " +
				"Source positions move over the records of a window only when the new record is confirmed; if an output refuses it, it goes to the errors edge whole.\n\n" +
				"What a window holds is in flight, with all that was read together with it, also what a filter has dropped. " +
				"Before windows take up half of the pipeline's `max_in_flight`, which would leave the input no room to read, the oldest ends early and the log says so. Raise `max_in_flight` for larger windows.\n\n" +
				"`split` without options undoes it: of `content = \"values\"` it makes the values again, of `\"records\"` the objects.\n\n" +
				"The array of values of a schema has one, too, so that their types stay. " +
				"JSON values are put in as they are, text becomes a string, a null value null. " +
				"Bytes that are no valid JSON or UTF-8 are an error of the record, which then is not in the window; with `content = \"records\"` keys and headers that are no UTF-8 stand in base64 as `{\"base64\": \"...\"}`.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Arrays of up to 500 events, at least one each second", HCL: `pipeline "events" {
  input "file" "events" {
    path = "events.jsonl"
  }

  processor "batch" "window" {
    records = 500
    period  = "1s"
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			return &batch{config: config.(*Config)}, nil
		},
		Schemas: func(config any, in engine.Schemas) (engine.Schemas, []engine.Problem) {
			if in.Value == nil || config.(*Config).Content == "records" {
				return engine.Schemas{}, nil
			}
			return engine.Schemas{Value: arrayOf(in.Value)}, nil
		},
		Changes: func(any) engine.Changes {
			return engine.Changes{Reads: []record.Path{{}}, WholeValue: true, Key: true, AllHeaders: true, Timestamp: true}
		},
	}
}

type batch struct{ config *Config }

func (*batch) Ports() []string { return nil }

// Serial: what belongs together must come to one place.
func (*batch) Serial() bool { return true }

func (b *batch) Bind(l *record.Layout) (engine.Bound, error) {
	value, key := l.Value.Add(nil), record.PathID(0)
	if b.config.Content == "records" {
		key = l.Key.Add(nil)
	}
	return engine.Bound{
		Window: func() engine.Window { return &window{config: b.config, value: value, key: key} },
		Period: b.config.Period,
	}, nil
}

// window is one array that is being written.
type window struct {
	config     *Config
	value, key record.PathID
	text       []byte
	records    int
	at         int64 // the timestamp, if hasTime
	hasTime    bool
	done       []byte // what Result gave out last

	// schema is what all values are of; nil: there is none. typed: it was set by
	// the first value that is not null.
	schema *schema.Schema
	typed  bool
	own    []byte // scratch: a value as its encoding has it
}

type elements struct{}

// arrayOf is the type of a window: a tombstone is a null in it.
func arrayOf(s *schema.Schema) *schema.Schema {
	return s.Derived(elements{}, func() *schema.Schema { return schema.NewArray(s.AsOptional()) })
}

func (w *window) Add(r *record.Record) (bool, error) {
	mark := len(w.text)
	if w.records == 0 {
		w.text = append(w.text[:0], '[')
	} else {
		w.text = append(w.text, ',')
	}
	var err error
	if w.config.Content == "records" {
		w.text, err = w.appendRecord(w.text, r)
	} else {
		w.text, err = w.appendValue(w.text, r.Value)
	}
	if err != nil {
		w.text = w.text[:mark]
		return false, err
	}
	w.records++
	if r.HasTimestamp {
		w.at, w.hasTime = r.Timestamp, true
	}
	return w.records >= w.config.Records || len(w.text) > int(w.config.Bytes), nil
}

// Result hands out the array. Its memory is used again by the window after the
// next.
func (w *window) Result(r *record.Record) error {
	w.text = append(w.text, ']')
	enc := record.JSON
	if w.schema != nil {
		enc = record.JSONOf(arrayOf(w.schema))
	}
	r.Value.Reset(enc, w.text)
	r.Timestamp, r.HasTimestamp = w.at, w.hasTime
	w.text, w.done = w.done[:0], w.text
	w.records, w.hasTime, w.typed, w.schema = 0, false, false, nil
	return nil
}

// appendValue writes a value of an array of values, with its type.
func (w *window) appendValue(dst []byte, d *record.Doc) ([]byte, error) {
	if d.IsNull() {
		return append(dst, "null"...), nil
	}
	s := d.Schema()
	var err error
	if s == nil {
		dst, err = appendDoc(dst, d, w.value)
	} else if _, err = d.Get(w.value); err == nil { // checks all of it
		if w.own, err = d.AppendTo(w.own[:0]); err == nil {
			dst, err = d.Encoding().AppendJSON(dst, w.own)
		}
	}
	switch {
	case err != nil:
	case !w.typed:
		w.schema, w.typed = s, true
	case s != w.schema:
		w.schema = schema.Join(w.schema, s)
	}
	return dst, err
}

// appendDoc writes a document as JSON.
func appendDoc(dst []byte, d *record.Doc, whole record.PathID) ([]byte, error) {
	if d.IsNull() {
		return append(dst, "null"...), nil
	}
	v, err := d.Get(whole)
	if err != nil {
		return dst, err
	}
	if k := v.Kind(); k == record.String || k == record.Bytes {
		if !utf8.Valid(v.Text()) {
			return dst, errNoText
		}
		return record.AppendQuoted(dst, v.Text()), nil
	}
	return v.AppendJSON(dst)
}

var errNoText = errors.New("bytes that are no UTF-8 text cannot stand in an array")

func (w *window) appendRecord(dst []byte, r *record.Record) ([]byte, error) {
	dst = append(dst, `{"value":`...)
	dst, err := appendDoc(dst, r.Value, w.value)
	if err != nil {
		return dst, err
	}
	if !r.Key.IsNull() {
		dst = append(dst, `,"key":`...)
		if dst, err = w.appendKey(dst, r); err != nil {
			return dst, err
		}
	}
	if hs := r.Headers(); len(hs) > 0 {
		dst = append(dst, `,"headers":[`...)
		for i, h := range hs {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"key":`...)
			dst = appendText(dst, []byte(h.Key))
			dst = append(dst, `,"value":`...)
			dst = append(appendText(dst, h.Value), '}')
		}
		dst = append(dst, ']')
	}
	if r.HasTimestamp {
		dst = append(dst, `,"timestamp":"`...)
		dst = append(time.Unix(0, r.Timestamp).UTC().AppendFormat(dst, time.RFC3339Nano), '"')
	}
	if r.Topic != "" {
		dst = append(dst, `,"topic":`...)
		dst = appendText(dst, []byte(r.Topic))
	}
	dst = append(dst, `,"partition":`...)
	dst = strconv.AppendInt(dst, int64(r.Partition), 10)
	dst = append(dst, `,"offset":`...)
	dst = strconv.AppendInt(dst, r.Offset, 10)
	return append(dst, '}'), nil
}

func (w *window) appendKey(dst []byte, r *record.Record) ([]byte, error) {
	if !r.Key.Edited() && r.Key.Encoding() == record.Opaque {
		return appendText(dst, r.Key.Raw()), nil
	}
	return appendDoc(dst, r.Key, w.key)
}

// appendText writes bytes as a JSON string if they are text.
func appendText(dst, p []byte) []byte {
	switch {
	case p == nil:
		return append(dst, "null"...)
	case utf8.Valid(p):
		return record.AppendQuoted(dst, p)
	}
	dst = append(dst, `{"base64":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, p)
	return append(dst, `"}`...)
}
