package record

import "time"

// Header is one header of a record. Names may repeat; order is kept.
type Header struct {
	Key   string
	Value []byte
}

// Layout collects the paths that expressions and steps touch while they are
// bound to a worker, one projection for the value and one for the key.
type Layout struct {
	Value, Key *Projection
}

// NewLayout returns an empty layout.
func NewLayout() *Layout {
	return &Layout{Value: NewProjection(), Key: NewProjection()}
}

// Record is the current record of a worker: what expressions read and steps
// edit. engine.Batch.Load points it at a record of a batch, and
// engine.Batch.Append stores what it has become.
type Record struct {
	Value *Doc
	Key   *Doc

	// Topic is where the record comes from, or goes to once a step has set
	// it. Empty where the source has none.
	Topic string
	// Partition of the source; 0 where it has none.
	Partition int32
	// Offset of the record at its source (see engine.Position).
	Offset int64
	// Timestamp in nanoseconds since 1970 UTC, if HasTimestamp.
	Timestamp    int64
	HasTimestamp bool
	// Meta is what the source says of itself (path, input), never changed.
	Meta map[string]string

	// Row is the record's number in its input batch (see engine.Batch.Rows).
	Row uint32

	headers []Header
	edited  bool     // headers is own, not the batch's
	own     []Header // scratch for edited headers
	gen     uint64   // counts loads
}

// NewRecord returns a record over a layout, which it freezes.
func NewRecord(l *Layout) *Record {
	return &Record{Value: NewDoc(l.Value), Key: NewDoc(l.Key)}
}

// Headers returns the headers as they are now. The caller must not change them.
func (r *Record) Headers() []Header { return r.headers }

// ResetHeaders makes the record's headers those of h, which is not changed.
// It begins a new record: see Generation.
func (r *Record) ResetHeaders(h []Header) {
	r.headers, r.edited = h, false
	r.gen++
}

// Generation changes with each record that is loaded. Programs keep the bytes
// of their results until it does.
func (r *Record) Generation() uint64 { return r.gen }

// Header returns the last header of that name, as Kafka's clients do.
func (r *Record) Header(name string) ([]byte, bool) {
	for i := len(r.headers) - 1; i >= 0; i-- {
		if r.headers[i].Key == name {
			return r.headers[i].Value, true
		}
	}
	return nil, false
}

// SetHeader replaces all headers of that name by one, or adds it. value must
// stay unchanged until the record has been stored.
func (r *Record) SetHeader(name string, value []byte) {
	r.DeleteHeader(name)
	r.edit()
	r.headers = append(r.headers, Header{Key: name, Value: value})
	r.own = r.headers
}

// AddHeader adds a header behind those that are there, of the same name too.
// value, which may be nil, must stay unchanged until the record has been
// stored.
func (r *Record) AddHeader(name string, value []byte) {
	r.edit()
	r.headers = append(r.headers, Header{Key: name, Value: value})
	r.own = r.headers
}

// DeleteHeader removes all headers of that name.
func (r *Record) DeleteHeader(name string) {
	if _, ok := r.Header(name); !ok {
		return
	}
	r.edit()
	kept := r.headers[:0]
	for _, h := range r.headers {
		if h.Key != name {
			kept = append(kept, h)
		}
	}
	r.headers = kept
}

func (r *Record) edit() {
	if r.edited {
		return
	}
	r.own = append(r.own[:0], r.headers...)
	r.headers, r.edited = r.own, true
}

// Time returns the timestamp in UTC; the zero time if there is none.
func (r *Record) Time() time.Time {
	if !r.HasTimestamp {
		return time.Time{}
	}
	return time.Unix(0, r.Timestamp).UTC()
}

// CopyMeta makes everything of r but value and key that of o.
func (r *Record) CopyMeta(o *Record) {
	r.Topic, r.Partition, r.Offset, r.Row = o.Topic, o.Partition, o.Offset, o.Row
	r.Timestamp, r.HasTimestamp, r.Meta = o.Timestamp, o.HasTimestamp, o.Meta
	r.ResetHeaders(o.headers)
}
