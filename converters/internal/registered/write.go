package registered

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/engine"
)

// Write appends a record as data of a schema.
type Write func(dst, src []byte) ([]byte, error)

// target is what records of one encoding become under one subject.
type target struct {
	prefix []byte // before the data; nil: none
	header []byte // nil: none
	write  Write

	err error
	// until is when an error is looked at again.
	until time.Time
}

// refusedFor is how long a refusal of the registry is good: somebody may change
// the level of a subject, and asking for each record would flood the registry.
const refusedFor = 10 * time.Second

// maxTargets bounds the topics that a working copy remembers.
const maxTargets = 1000

// encoder is a working copy, for one goroutine.
type encoder struct {
	client  *Client
	prepare func(topic string, m *engine.Meta) (*target, error)
	targets map[place]*target
	at      place
	last    *target
}

// place is where records go. header is the name of one; empty: keys or values,
// of which a working copy sees one kind.
type place struct{ topic, header string }

// NewEncoder returns how records are written that from describes.
func NewEncoder[S any](c *Client, from Source[S]) engine.Encode {
	p := &preparer[S]{Client: c, from: from}
	e := &encoder{client: c, prepare: p.prepare, targets: map[place]*target{}}
	return e.encode
}

func (e *encoder) encode(dst, src []byte, m *engine.Meta) ([]byte, error) {
	if src == nil {
		return nil, nil
	}
	var at place
	if m != nil {
		at = place{m.Topic, m.Name}
	}
	t := e.last
	if t == nil || at != e.at || t.err != nil {
		var err error
		if t, err = e.target(at, m); err != nil {
			return dst, err
		}
		e.last, e.at = t, at
		if t.err != nil {
			return dst, t.err
		}
	}
	if t.header != nil {
		switch {
		case m != nil && m.Header:
			return dst, errOfHeader
		case m == nil || m.AddHeader == nil:
			return dst, errNoHeaders
		}
		m.AddHeader(HeaderName(m.Key), t.header)
	}
	start := len(dst)
	out, err := t.write(append(dst, t.prefix...), src)
	if err != nil {
		return dst[:start], err
	}
	return NotNil(out), nil
}

// NotNil keeps a value of no bytes, such as a record without fields, from
// becoming a null.
func NotNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

var (
	errNoHeaders = engine.Fatal(errors.New(`this output has no headers: use wire = "prefix"`))
	errOfHeader  = engine.Fatal(errors.New(`a header has no headers of its own: use wire = "prefix"`))
)

// target returns that of a place. Its error is one that is not remembered: the
// registry is away, or nothing works.
func (e *encoder) target(at place, m *engine.Meta) (*target, error) {
	if t := e.targets[at]; t != nil && (t.err == nil || e.client.now().Before(t.until)) {
		return t, nil
	}
	t, err := e.prepare(at.topic, m)
	if err != nil {
		if _, away := errors.AsType[*engine.RetryError](err); away {
			return nil, err
		}
		if _, fatal := errors.AsType[*engine.FatalError](err); fatal {
			return nil, err
		}
		t = &target{err: err, until: e.client.now().Add(refusedFor)}
	}
	if len(e.targets) >= maxTargets {
		clear(e.targets)
	}
	e.targets[at] = t
	return t, nil
}

// frame sets how records say that they are written with a schema.
func (t *target) frame(form string, stored registry.Stored, middle []byte) error {
	switch form {
	case Prefix:
		t.prefix = append(binary.BigEndian.AppendUint32([]byte{magicID}, uint32(stored.ID)), middle...)
	case Header:
		name, err := guidHeader(stored)
		if err != nil {
			return err
		}
		t.header = append(name, middle...)
	}
	return nil
}

// guidHeader is the header that names a schema, without what stands behind.
func guidHeader(stored registry.Stored) ([]byte, error) {
	guid, err := hex.DecodeString(strings.ReplaceAll(stored.GUID, "-", ""))
	if err != nil || len(guid) != headerBytes-1 {
		return nil, engine.Fatal(fmt.Errorf(`the registry tells no GUID of the schema %d: use wire = "prefix"`, stored.ID))
	}
	return append([]byte{magicGUID}, guid...), nil
}
