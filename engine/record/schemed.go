package record

import "github.com/flowrecords/flow/engine/schema"

// Schemed is an Encoding whose values are of one schema. Two that are == have
// the same one, by pointer.
type Schemed interface {
	Encoding
	// Schema is never nil and never changed.
	Schema() *schema.Schema
}

// Inner is an encoding that nobody but flow reads: records that no converter
// writes leave a pipeline as JSON text of their schema.
type Inner interface {
	Schemed
	Inner()
}

// SchemaOf returns the schema of an encoding; nil if it has none.
func SchemaOf(enc Encoding) *schema.Schema {
	if s, ok := enc.(Schemed); ok {
		return s.Schema()
	}
	return nil
}

// JSONOf is JSON text whose values are of a schema: what package schema calls
// typed JSON text. JSONOf(nil) is JSON. Two are == if their schemas are the
// same pointer.
//
// A member that the text lacks reads as the field's default, or as null. Paths
// read as the kind of their type: an instant as a Time, base64 as Bytes, a
// decimal as a number with all its digits. Edits keep the schema true: see Doc.
func JSONOf(s *schema.Schema) Encoding {
	if s == nil {
		return JSON
	}
	return typedJSON{s}
}

// IsJSON reports whether the bytes of an encoding are JSON text, with a schema
// or without.
func IsJSON(enc Encoding) bool {
	switch enc.(type) {
	case jsonEncoding, typedJSON:
		return true
	}
	return false
}

type typedJSON struct{ s *schema.Schema }

func (typedJSON) Name() string { return "json" }

func (e typedJSON) Schema() *schema.Schema { return e.s }

func (typedJSON) Index(d *Doc, raw []byte) error { return jsonEncoding{}.Index(d, raw) }

func (typedJSON) AppendJSON(dst, raw []byte) ([]byte, error) {
	return jsonEncoding{}.AppendJSON(dst, raw)
}
