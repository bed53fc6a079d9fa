package jsonconv

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/connectjson"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
)

type converter struct {
	config  *Config
	options connect.Options
	given   *schema.Schema // the option schema; nil: none
	decoded record.Encoding

	// payload is the encoding of values of given that are payloads; nil:
	// without, or for form = "plain".
	payload *connectjson.Encoding

	// Shared by all working copies, so that a schema is one pointer in all, and
	// its encoding, too.
	schemas   connect.Cache
	encodings encodings
	plans     plans
	targets   targets
}

func newConverter(config any, _ engine.Env) (engine.Converter, error) {
	o := config.(*Config)
	c := &converter{config: o, options: o.options(), given: o.Schema.Schema}
	if c.decoded = record.JSONOf(c.given); c.given != nil && o.Form != formPlain {
		c.payload = connectjson.Of(c.given, c.options.Numeric)
		c.decoded = c.payload
	}
	return c, nil
}

func (c *converter) Decoded() record.Encoding { return c.decoded }

var _ engine.Typed = (*converter)(nil)

// Decodes implements engine.Typed.
func (c *converter) Decodes() *schema.Schema { return c.given }

// Encodes implements engine.Typed.
func (c *converter) Encodes() *schema.Schema { return c.given }

func (c *converter) NewDecoder() engine.Decode {
	switch {
	case c.config.Form == formEnvelope:
		e := &envelopes{converter: c}
		return decoder(e.decode)
	case c.given != nil && c.config.Form == formPayload:
		payloads := connect.NewRewriter(c.given, c.options)
		return decoder(func(dst, src []byte) ([]byte, record.Encoding, error) {
			dst, err := payloads.Append(dst, src)
			return dst, nil, err
		})
	case c.given != nil:
		return decoder(func(dst, src []byte) ([]byte, record.Encoding, error) {
			if err := schema.Check(c.given, src); err != nil {
				return dst, nil, err
			}
			return append(dst, src...), nil, nil
		})
	case c.config.Strict:
		return decoder(func(dst, src []byte) ([]byte, record.Encoding, error) {
			if err := record.ValidateJSON(src); err != nil {
				return dst, nil, err
			}
			return append(dst, src...), nil, nil
		})
	}
	return nil
}

// decoder leaves a tombstone one.
func decoder(decode func(dst, src []byte) ([]byte, record.Encoding, error)) engine.Decode {
	return func(dst, src []byte, _ *engine.Meta) ([]byte, record.Encoding, error) {
		if src == nil {
			return nil, nil, nil
		}
		begin := len(dst)
		out, enc, err := decode(dst, src)
		if err != nil {
			return out[:begin], nil, err
		}
		return out, enc, nil
	}
}

func (c *converter) NewEncoder(from record.Encoding) engine.Encode {
	if c.config.Form == formPlain && c.given == nil {
		if from == nil || record.IsJSON(from) {
			return nil
		}
		return encoder(from.AppendJSON)
	}
	if from == nil {
		from = record.JSON
	}
	w := &writer{converter: c, from: from}
	if w.target, w.err = c.targets.of(c, from); w.err == nil {
		w.payloads(from)
	}
	return encoder(w.encode)
}

// encoder leaves a tombstone one.
func encoder(encode func(dst, src []byte) ([]byte, error)) engine.Encode {
	return func(dst, src []byte, _ *engine.Meta) ([]byte, error) {
		if src == nil {
			return nil, nil
		}
		return encode(dst, src)
	}
}
