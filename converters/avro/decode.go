package avroconv

import (
	"fmt"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/avro"
)

// codec is how data of one schema is read.
type codec struct {
	enc *avro.Encoding
	// resolver turns data into that of the reader's schema; nil: it stays.
	resolver *avro.Resolver
	decoded  *avro.Encoding // of the result
}

func (c *converter) codecOf(s *avro.Schema) (*codec, error) {
	enc, err := avro.NewEncoding(s)
	if err != nil {
		return nil, err
	}
	k := &codec{enc: enc, decoded: enc}
	if c.reader != nil {
		if k.resolver, err = avro.NewResolver(s, c.reader.Avro()); err != nil {
			return nil, err
		}
		if k.decoded = c.reader; k.resolver.Same() {
			k.resolver = nil
		}
	}
	return k, nil
}

func (c *converter) prepare(r *registry.Schema) (*codec, error) {
	s, err := parseRegistered(r)
	if err != nil {
		return nil, err
	}
	return c.codecOf(s)
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

func (c *converter) NewDecoder() engine.Decode {
	d := &decoder{converter: c}
	if c.Conn == nil || c.Form() == registered.None && c.given != nil {
		k, err := c.codecOf(c.given.Avro())
		if err == nil && k.resolver == nil {
			if k.decoded != c.reader {
				k.decoded = c.given // the same in all working copies
			}
			if c.Conn == nil && !c.config.Strict {
				return nil
			}
		}
		return func(dst, src []byte, _ *engine.Meta) ([]byte, record.Encoding, error) {
			if src == nil {
				return nil, nil, nil
			}
			if err != nil {
				return dst, nil, err
			}
			return d.append(dst, src, k)
		}
	}
	d.finder = c.codecs.New()
	return d.decode
}

type decoder struct {
	*converter
	finder *registered.Finder[*codec]
}

// decode reads data that says what it is, in a header or in a prefix.
func (d *decoder) decode(dst, src []byte, m *engine.Meta) ([]byte, record.Encoding, error) {
	if src == nil {
		return nil, nil, nil
	}
	k, _, data, err := d.finder.Find(src, m)
	if err != nil {
		return dst, nil, err
	}
	return d.append(dst, data, k)
}

// looks says what bytes are that no registry's Avro begins with.
func looks(src []byte) string {
	switch {
	case src[0] == '{' || src[0] == '[' || src[0] == '"':
		return `; it looks like JSON, which value "json" reads`
	case len(src) > 1 && src[0] == 0xc3 && src[1] == 0x01:
		return "; it looks like Avro's single-object encoding, which needs no registry"
	}
	return ""
}

func (d *decoder) append(dst, data []byte, k *codec) ([]byte, record.Encoding, error) {
	if k.resolver != nil {
		out, err := k.resolver.Append(dst, data)
		return registered.NotNil(out), k.decoded, err
	}
	if d.config.Strict {
		if err := k.decoded.Check(data); err != nil {
			return dst, nil, err
		}
	}
	return registered.NotNil(append(dst, data...)), k.decoded, nil
}
