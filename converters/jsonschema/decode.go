package jsonschemaconv

import (
	"bytes"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/jsonschema"
)

// codec is how data of one schema is read.
type codec struct {
	schema  *schema.Schema
	options jsonschema.Options
	// same: what schema.Check takes needs no other form.
	same  bool
	valid *validator // nil: types alone are checked
	// plan turns a value into that of the reader's schema; nil: it stays.
	plan    *schema.Plan
	decoded record.Encoding // of the result
}

func (c *converter) codecOf(t *text) (*codec, error) {
	k := &codec{schema: t.schema, options: c.config.payload(), decoded: record.JSONOf(t.model)}
	k.same, _ = jsonschema.Same(t.schema, k.options)
	var err error
	if c.config.Validation {
		if k.valid, err = newValidator(t); err != nil {
			return nil, err
		}
	}
	if c.reader != nil {
		k.decoded = record.JSONOf(c.reader.model)
		if k.plan, err = jsonschema.Plan(t.model, c.reader.model); err != nil {
			return nil, err
		}
	}
	return k, nil
}

func (c *converter) prepare(r *registry.Schema) (*codec, error) {
	t, err := parseRegistered(r)
	if err != nil {
		return nil, err
	}
	c.Conn.Note(t.model, r)
	return c.codecOf(t)
}

func (c *converter) NewDecoder() engine.Decode {
	d := &decoder{}
	if c.Conn == nil || c.Form() == registered.None && c.given != nil {
		k, err := c.codecOf(c.given)
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
	finder := c.codecs.New()
	return func(dst, src []byte, m *engine.Meta) ([]byte, record.Encoding, error) {
		if src == nil {
			return nil, nil, nil
		}
		k, _, data, err := finder.Find(src, m)
		if err != nil {
			return dst, nil, err
		}
		return d.append(dst, data, k)
	}
}

// looks says what bytes are that no registry's JSON begins with.
func looks(src []byte) string {
	if bytes.IndexByte([]byte("{[\"tfn-0123456789 \t\r\n"), src[0]) >= 0 {
		return `; it looks like JSON without a schema's id, which value "json" reads, or this converter with the option schema and no registry`
	}
	return ""
}

// decoder is a working copy.
type decoder struct{ typed []byte }

func (d *decoder) append(dst, data []byte, k *codec) ([]byte, record.Encoding, error) {
	begin := len(dst)
	out, err := d.read(dst, data, k)
	if err != nil {
		return out[:begin], nil, err
	}
	return out, k.decoded, nil
}

func (d *decoder) read(dst, data []byte, k *codec) ([]byte, error) {
	if k.valid != nil {
		if err := k.valid.check(data); err != nil {
			return dst, err
		}
	}
	if k.plan == nil {
		return k.typed(dst, data)
	}
	var err error
	if d.typed, err = k.typed(d.typed[:0], data); err != nil {
		return dst, err
	}
	return k.plan.Append(dst, d.typed)
}

// typed appends data as typed JSON text.
func (k *codec) typed(dst, data []byte) ([]byte, error) {
	if k.same && schema.Check(k.schema, data) == nil {
		return append(dst, data...), nil
	}
	return jsonschema.AppendTyped(dst, data, k.schema, k.options)
}
