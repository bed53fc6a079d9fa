package avroconv

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/avro"
)

// Parts of the wire format.
const (
	magicID     = 0 // before an id of 4 bytes
	magicGUID   = 1 // before a GUID of 16 bytes
	prefixBytes = 5

	headerKey   = "__key_schema_id"
	headerValue = "__value_schema_id"
)

// codec is how data of one schema is read.
type codec struct {
	enc *avro.Encoding
	// resolver turns data into that of the reader's schema; nil: it stays.
	resolver *avro.Resolver
	decoded  *avro.Encoding // of the result
	err      error
}

// codecs keeps the codec of each schema, by id or GUID, for all working copies.
type codecs struct {
	mu sync.Mutex // guards the following
	by map[string]*codec
}

// maxCodecs bounds them; beyond it all are made anew.
const maxCodecs = 10_000

func (c *converter) codecOf(s *avro.Schema) *codec {
	enc, err := avro.NewEncoding(s)
	if err != nil {
		return &codec{err: err}
	}
	k := &codec{enc: enc, decoded: enc}
	if c.reader != nil {
		if k.resolver, k.err = avro.NewResolver(s, c.reader.Avro()); k.err != nil {
			return k
		}
		if k.decoded = c.reader; k.resolver.Same() {
			k.resolver = nil
		}
	}
	return k
}

// parseRegistered reads a schema of the registry with what it refers to.
func parseRegistered(s *registry.Schema) (*avro.Schema, error) {
	if s.Type != registry.Avro {
		return nil, fmt.Errorf("the schema %d of the registry is of the type %s, not AVRO", s.ID, s.Type)
	}
	var refs []*avro.Schema
	for _, u := range s.Uses {
		r, err := avro.Parse([]byte(u.Schema.Text.Text), refs...)
		if err != nil {
			return nil, fmt.Errorf("reference %s: %w", u.Name, err)
		}
		refs = append(refs, r)
	}
	return avro.Parse([]byte(s.Text.Text), refs...)
}

// codec returns that of a schema of the registry, which ask reads. What cannot
// be read is remembered, too.
func (c *converter) codec(key string, ask func() (*registry.Schema, error)) (*codec, error) {
	c.codecs.mu.Lock()
	k := c.codecs.by[key]
	c.codecs.mu.Unlock()
	if k != nil {
		return k, k.err
	}
	s, err := ask()
	if err != nil {
		return nil, err
	}
	parsed, err := parseRegistered(s)
	if err != nil {
		k = &codec{err: err}
	} else {
		k = c.codecOf(parsed)
	}
	c.codecs.mu.Lock()
	defer c.codecs.mu.Unlock()
	if there := c.codecs.by[key]; there != nil {
		return there, there.err // encodings of a schema must be the same everywhere
	}
	if c.codecs.by == nil || len(c.codecs.by) >= maxCodecs {
		c.codecs.by = map[string]*codec{}
	}
	c.codecs.by[key] = k
	return k, k.err
}

func (c *converter) NewDecoder() engine.Decode {
	d := &decoder{converter: c}
	if c.registry == nil || c.wire == "none" && c.given != nil {
		d.last = c.codecOf(c.given.Avro())
		if d.last.err == nil && d.last.resolver == nil {
			if d.last.decoded != c.reader {
				d.last.decoded = c.given // the same in all working copies
			}
			if c.registry == nil && !c.config.Strict {
				return nil
			}
		}
		return d.plain
	}
	return d.decode
}

type decoder struct {
	*converter
	last   *codec
	lastID uint32
	guid   [16]byte
	byGUID *codec
}

// plain reads data that says nothing of itself.
func (d *decoder) plain(dst, src []byte, _ *engine.Meta) ([]byte, record.Encoding, error) {
	if src == nil {
		return nil, nil, nil
	}
	return d.append(dst, src, d.last)
}

// decode reads data that says what it is, in a header or in a prefix.
func (d *decoder) decode(dst, src []byte, m *engine.Meta) ([]byte, record.Encoding, error) {
	if src == nil {
		return nil, nil, nil
	}
	if len(m.Headers) > 0 {
		if v := schemaHeader(m); v != nil {
			k, err := d.ofHeader(v, m)
			if err != nil {
				return dst, nil, err
			}
			return d.append(dst, src, k)
		}
	}
	if len(src) < prefixBytes || src[0] != magicID {
		return dst, nil, notFramed(src)
	}
	id := binary.BigEndian.Uint32(src[1:])
	k := d.last
	if k == nil || id != d.lastID {
		var err error
		if k, err = d.ofID(contextOf(m), id); err != nil {
			return dst, nil, err
		}
		d.last, d.lastID = k, id
	}
	return d.append(dst, src[prefixBytes:], k)
}

func contextOf(m *engine.Meta) context.Context {
	if m != nil && m.Context != nil {
		return m.Context
	}
	return context.Background()
}

func (d *decoder) ofID(ctx context.Context, id uint32) (*codec, error) {
	k, err := d.codec(strconv.FormatUint(uint64(id), 10), func() (*registry.Schema, error) { return d.registry.ByID(ctx, int(id)) })
	if errors.Is(err, registry.ErrNotFound) {
		return nil, fmt.Errorf("the registry has no schema %d, with which the record says to be written: %w", id, err)
	}
	return k, err
}

// schemaHeader returns the last header that names a schema, nil without one.
func schemaHeader(m *engine.Meta) []byte {
	name := headerValue
	if m.Key {
		name = headerKey
	}
	for i := len(m.Headers) - 1; i >= 0; i-- {
		if m.Headers[i].Key == name {
			return m.Headers[i].Value
		}
	}
	return nil
}

func (d *decoder) ofHeader(v []byte, m *engine.Meta) (*codec, error) {
	switch {
	case len(v) == 17 && v[0] == magicGUID:
	case len(v) == prefixBytes && v[0] == magicID:
		return d.ofID(contextOf(m), binary.BigEndian.Uint32(v[1:]))
	default:
		return nil, fmt.Errorf("the header that names the schema has %d bytes and begins with %#x: want 1 and a GUID of 16 bytes", len(v), v[:min(len(v), 1)])
	}
	if d.byGUID != nil && [16]byte(v[1:]) == d.guid {
		return d.byGUID, nil
	}
	guid := formatGUID(v[1:])
	k, err := d.codec(guid, func() (*registry.Schema, error) { return d.registry.ByGUID(contextOf(m), guid) })
	if err != nil {
		if errors.Is(err, registry.ErrNotFound) {
			err = fmt.Errorf("the registry has no schema %s, with which the record says to be written: %w", guid, err)
		}
		return nil, err
	}
	d.byGUID, d.guid = k, [16]byte(v[1:])
	return k, nil
}

func formatGUID(b []byte) string {
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// notFramed says what bytes look like that are no Avro of a registry.
func notFramed(src []byte) error {
	looks := ""
	switch {
	case len(src) == 0:
		return errors.New("an empty value is no Avro data of a registry (a tombstone has none)")
	case src[0] == '{' || src[0] == '[' || src[0] == '"':
		looks = `; it looks like JSON, which value "json" reads`
	case src[0] == magicID:
		looks = ", and 5 bytes are the least"
	case len(src) > 1 && src[0] == 0xc3 && src[1] == 0x01:
		looks = "; it looks like Avro's single-object encoding, which needs no registry"
	}
	return fmt.Errorf("no Avro data of a registry: it begins with %#x instead of 0 and the id of a schema%s", src[0], looks)
}

func (d *decoder) append(dst, data []byte, k *codec) ([]byte, record.Encoding, error) {
	if k.err != nil {
		return dst, nil, k.err
	}
	if k.resolver != nil {
		out, err := k.resolver.Append(dst, data)
		return notNil(out), k.decoded, err
	}
	if d.config.Strict {
		if err := k.decoded.Check(data); err != nil {
			return dst, nil, err
		}
	}
	return notNil(append(dst, data...)), k.decoded, nil
}

// notNil keeps a value of no bytes, such as a record without fields, from
// becoming a null.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
