package jsonconv

import (
	"sync"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/connectjson"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
)

// encodings keeps the encoding of each schema for all working copies.
type encodings struct {
	mu sync.Mutex // guards by
	by map[*schema.Schema]*connectjson.Encoding
}

func (k *encodings) of(s *schema.Schema, numeric bool) *connectjson.Encoding {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.by[s]
	if e == nil {
		if k.by == nil || len(k.by) >= maxKept {
			k.by = make(map[*schema.Schema]*connectjson.Encoding)
		}
		e = connectjson.Of(s, numeric)
		k.by[s] = e
	}
	return e
}

// envelopes is a working copy that reads Connect's envelope. Payloads stay
// payloads, in the form in which they are written.
type envelopes struct {
	*converter
	last *connectjson.Encoding // mostly that of the next one, too

	typed, text []byte
}

func (r *envelopes) decode(dst, src []byte) ([]byte, record.Encoding, error) {
	begin := len(dst)
	dst, s, err := r.schemas.Rewrite(dst, src, r.options)
	switch {
	case err != nil:
		return dst, nil, err
	case s == nil && r.given == nil:
		return dst, record.JSON, nil
	case s == nil:
		// It is as typed JSON text is, and must be of the schema.
		if err := schema.Check(r.given, dst[begin:]); err != nil {
			return dst, nil, err
		}
		return r.asGiven(dst[:begin], append(r.typed[:0], dst[begin:]...))
	}
	if r.last == nil || r.last.Schema() != s {
		r.last = r.encodings.of(s, r.options.Numeric)
	}
	if r.given == nil {
		return dst, r.last, nil
	}
	how, err := r.plans.of(s, r.given)
	switch {
	case err != nil:
		return dst, nil, err
	case how.same:
		return dst, r.payload, nil
	}
	if r.typed, err = r.last.AppendJSON(r.typed[:0], dst[begin:]); err != nil {
		return dst, nil, err
	}
	if how.plan == nil {
		return r.asGiven(dst[:begin], r.typed)
	}
	if r.text, err = how.plan.Append(r.text[:0], r.typed); err != nil {
		return dst, nil, err
	}
	return r.asGiven(dst[:begin], r.text)
}

// asGiven appends typed text of the given schema as a payload of it. What has
// no payload stays typed text.
func (r *envelopes) asGiven(dst, typed []byte) ([]byte, record.Encoding, error) {
	o := r.options
	o.KeepNulls = true
	out, err := connect.AppendPayload(dst, typed, r.given, o)
	if err != nil {
		return append(dst, typed...), record.JSONOf(r.given), nil
	}
	return out, r.payload, nil
}
