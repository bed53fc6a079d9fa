package registered

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/engine"
)

// Parts of the wire format.
const (
	magicID   = 0 // before an id of 4 bytes
	magicGUID = 1 // before a GUID of 16 bytes

	prefixBytes = 5
	headerBytes = 17

	headerKey   = "__key_schema_id"
	headerValue = "__value_schema_id"
)

// HeaderName is the header that names the schema of a key or value.
func HeaderName(key bool) string {
	if key {
		return headerKey
	}
	return headerValue
}

// Format says what data of a converter looks like.
type Format struct {
	// Name is for people: Avro data.
	Name string
	// Middle returns how many bytes at the beginning of b stand between the
	// schema's id and the data, as Protobuf's message indexes do. Nil: none.
	Middle func(b []byte) (int, error)
	// Looks says what bytes are that do not begin as data of a registry does,
	// as the rest of a sentence, or nothing. Nil: it knows none.
	Looks func(src []byte) string
}

// Reader keeps what a converter has prepared of each schema that records are
// written with (K), for all its working copies. It outlives an outage of the
// registry.
type Reader[K any] struct {
	client  *Client
	format  Format
	prepare func(*registry.Schema) (K, error)

	mu sync.Mutex // guards the following
	by map[string]*prepared[K]
}

// prepared may be an error: what cannot be read is remembered, too.
type prepared[K any] struct {
	k   K
	err error
}

// maxPrepared bounds them; beyond it all are made anew.
const maxPrepared = 10_000

// NewReader returns a reader. prepare is called for each schema, from any
// goroutine; its error is one of every record with that schema.
func NewReader[K any](c *Client, f Format, prepare func(*registry.Schema) (K, error)) *Reader[K] {
	return &Reader[K]{client: c, format: f, prepare: prepare}
}

// of returns what was prepared under a key, or asks the registry. Its error is
// one that is not remembered here.
func (r *Reader[K]) of(key string, ask func() (*registry.Schema, error)) (*prepared[K], error) {
	r.mu.Lock()
	p := r.by[key]
	r.mu.Unlock()
	if p != nil {
		return p, nil
	}
	s, err := ask()
	if err != nil {
		if errors.Is(err, registry.ErrNotFound) {
			err = fmt.Errorf("the registry has no schema %s, with which the record says to be written: %w", key, err)
		}
		return nil, err
	}
	p = new(prepared[K])
	p.k, p.err = r.prepare(s)
	r.mu.Lock()
	defer r.mu.Unlock()
	if there := r.by[key]; there != nil {
		return there, nil // encodings of a schema must be the same everywhere
	}
	if r.by == nil || len(r.by) >= maxPrepared {
		r.by = map[string]*prepared[K]{}
	}
	r.by[key] = p
	return p, nil
}

// Finder is a working copy of a Reader, for one goroutine.
type Finder[K any] struct {
	*Reader[K]
	// same: data of lastID needs nothing but k.
	same   bool
	k      K
	last   *prepared[K]
	lastID uint32
	byGUID *prepared[K]
	guid   [16]byte
}

// New makes a working copy.
func (r *Reader[K]) New() *Finder[K] { return &Finder[K]{Reader: r} }

// Find returns what was prepared of the schema that a record names in a header
// or a prefix, the bytes that stand between that name and the data (see
// Format.Middle), and the data. m is not nil.
func (f *Finder[K]) Find(src []byte, m *engine.Meta) (k K, middle, data []byte, err error) {
	if f.same && len(m.Headers) == 0 && len(src) >= prefixBytes && src[0] == magicID && binary.BigEndian.Uint32(src[1:]) == f.lastID {
		return f.k, nil, src[prefixBytes:], nil
	}
	return f.find(src, m)
}

func (f *Finder[K]) find(src []byte, m *engine.Meta) (k K, middle, data []byte, err error) {
	if len(m.Headers) > 0 {
		if v := schemaHeader(m); v != nil {
			return f.header(v, src, m)
		}
	}
	if len(src) < prefixBytes || src[0] != magicID {
		return k, nil, nil, f.notFramed(src)
	}
	p := f.last
	if id := binary.BigEndian.Uint32(src[1:]); p == nil || id != f.lastID {
		if p, err = f.ofID(id, m); err != nil {
			return k, nil, nil, err
		}
		f.last, f.lastID = p, id
		f.k, f.same = p.k, p.err == nil && f.format.Middle == nil
	}
	data = src[prefixBytes:]
	if f.format.Middle != nil && p.err == nil {
		n, err := f.format.Middle(data)
		if err != nil {
			return k, nil, nil, fmt.Errorf("behind the schema's id: %w", err)
		}
		middle, data = data[:n], data[n:]
	}
	return p.k, middle, data, p.err
}

func (f *Finder[K]) ofID(id uint32, m *engine.Meta) (*prepared[K], error) {
	return f.of(strconv.FormatUint(uint64(id), 10), func() (*registry.Schema, error) { return f.client.Conn.ByID(Context(m), int(id)) })
}

// schemaHeader returns the last header that names a schema, nil without one.
func schemaHeader(m *engine.Meta) []byte {
	name := HeaderName(m.Key)
	for i := len(m.Headers) - 1; i >= 0; i-- {
		if m.Headers[i].Key == name {
			return m.Headers[i].Value
		}
	}
	return nil
}

// header finds by the header v, behind whose GUID or id the middle part stands.
func (f *Finder[K]) header(v, data []byte, m *engine.Meta) (k K, middle, _ []byte, err error) {
	var p *prepared[K]
	switch {
	case len(v) >= headerBytes && v[0] == magicGUID:
		p, err = f.ofGUID([16]byte(v[1:]), m)
		middle = v[headerBytes:]
	case len(v) >= prefixBytes && v[0] == magicID:
		p, err = f.ofID(binary.BigEndian.Uint32(v[1:]), m)
		middle = v[prefixBytes:]
	default:
		return k, nil, nil, badHeader(v)
	}
	if err != nil {
		return k, nil, nil, err
	}
	n := 0
	if f.format.Middle != nil && p.err == nil {
		if n, err = f.format.Middle(middle); err != nil {
			return k, nil, nil, fmt.Errorf("header that names the schema: %w", err)
		}
	}
	if n != len(middle) && p.err == nil {
		return k, nil, nil, badHeader(v)
	}
	return p.k, middle, data, p.err
}

func badHeader(v []byte) error {
	return fmt.Errorf("the header that names the schema has %d bytes and begins with %#x: want 1 and a GUID of 16 bytes", len(v), v[:min(len(v), 1)])
}

func (f *Finder[K]) ofGUID(guid [16]byte, m *engine.Meta) (*prepared[K], error) {
	if f.byGUID != nil && guid == f.guid {
		return f.byGUID, nil
	}
	text := formatGUID(guid)
	p, err := f.of(text, func() (*registry.Schema, error) { return f.client.Conn.ByGUID(Context(m), text) })
	if err != nil {
		return nil, err
	}
	f.byGUID, f.guid = p, guid
	return p, nil
}

func formatGUID(b [16]byte) string {
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// notFramed says what bytes look like that are no data of a registry.
func (f *Finder[K]) notFramed(src []byte) error {
	if len(src) == 0 {
		return fmt.Errorf("an empty value is no %s of a registry (a tombstone has none)", f.format.Name)
	}
	looks := ""
	if src[0] == magicID {
		looks = ", and 5 bytes are the least"
	} else if f.format.Looks != nil {
		looks = f.format.Looks(src)
	}
	return fmt.Errorf("no %s of a registry: it begins with %#x instead of 0 and the id of a schema%s", f.format.Name, src[0], looks)
}
