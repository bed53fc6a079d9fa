package enginetest

import (
	"fmt"
	"slices"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Record is one record of a batch, copied out of it.
type Record struct {
	Key, Value   []byte // nil: null
	Headers      []record.Header
	Timestamp    int64 // valid if HasTimestamp
	HasTimestamp bool
	Topic        string
	// Source, Offset and Origin say where the record comes from.
	Source string
	Offset int64
	Origin string
	// Failure is set for a record of an errors edge.
	Failure engine.Failure
}

// String shows the record in test failures.
func (r Record) String() string {
	return fmt.Sprintf("{%s key=%q value=%q headers=%q topic=%s ts=%d}", r.Origin, r.Key, r.Value, r.Headers, r.Topic, r.Timestamp)
}

// Header returns the last header of that name.
func (r Record) Header(name string) string {
	for i := len(r.Headers) - 1; i >= 0; i-- {
		if r.Headers[i].Key == name {
			return string(r.Headers[i].Value)
		}
	}
	return ""
}

// Records copies all records out of a batch.
func Records(b *engine.Batch) []Record {
	list := make([]Record, b.Len())
	for i := range list {
		r := &list[i]
		r.Value = slices.Clone(b.Value.At(i))
		if len(b.Key.Spans) > 0 {
			r.Key = slices.Clone(b.Key.At(i))
		}
		for _, h := range b.Headers.At(i) {
			r.Headers = append(r.Headers, record.Header{Key: h.Key, Value: slices.Clone(h.Value)})
		}
		if len(b.Timestamps) > 0 && b.Timestamps[i] != engine.NoTimestamp {
			r.Timestamp, r.HasTimestamp = b.Timestamps[i], true
		}
		r.Topic, r.Offset, r.Origin = b.Topic(i), b.Offset(i), b.Origin(i)
		if s := b.Source(); s != nil {
			r.Source = s.Info().ID
		}
		if len(b.Failures) > 0 {
			r.Failure = b.Failures[i]
		}
	}
	return list
}

// Fill appends records to a batch, as an input would.
func Fill(b *engine.Batch, records ...Record) {
	keys, headers, stamps := false, false, false
	for _, r := range records {
		keys = keys || r.Key != nil
		headers = headers || len(r.Headers) > 0
		stamps = stamps || r.HasTimestamp
	}
	for _, r := range records {
		b.Value.Add(r.Value)
		if keys {
			b.Key.Add(r.Key)
		}
		if headers {
			b.Headers.List = append(b.Headers.List, r.Headers...)
			b.Headers.Ends = append(b.Headers.Ends, uint32(len(b.Headers.List)))
		}
		if stamps {
			ts := int64(engine.NoTimestamp)
			if r.HasTimestamp {
				ts = r.Timestamp
			}
			b.Timestamps = append(b.Timestamps, ts)
		}
	}
}
