package record

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// Encoding is how the bytes of a record are to be read and written. The
// encodings of this package are JSON, Text and Opaque. Others (Avro with its
// schema, Protobuf, rows) implement the same interface in packages of their
// own; nothing outside an Encoding knows a format.
//
// An Encoding is safe for all goroutines, and comparable with ==.
type Encoding interface {
	// Name is for people: json, text, bytes.
	Name() string

	// Index validates raw fully and fills the paths of d.Projection() that
	// are there with d.Fill. An error is an error of the record.
	Index(d *Doc, raw []byte) error

	// AppendJSON appends raw as one line of JSON. A Doc whose encoding is
	// neither of this package becomes JSON so at the first edit of a member.
	AppendJSON(dst, raw []byte) ([]byte, error)
}

// The encodings of this package.
var (
	// JSON is one JSON text (RFC 8259) in UTF-8: full check of numbers,
	// escapes and UTF-8, of duplicate names the last wins, at most
	// limits.JSONDepth deep.
	JSON Encoding = jsonEncoding{}
	// Text is UTF-8 text that is one string value. Invalid UTF-8 is an error
	// of the record as soon as a path is read.
	Text Encoding = textEncoding{}
	// Opaque is any bytes, one Bytes value.
	Opaque Encoding = opaqueEncoding{}
)

var errLarge = errors.New("record larger than 2 GiB")

type jsonEncoding struct{}

func (jsonEncoding) Name() string { return "json" }

func (jsonEncoding) Index(d *Doc, raw []byte) error {
	if len(raw) > math.MaxInt32 {
		return errLarge
	}
	s := scanner{b: raw, gen: d.gen, slots: d.slots, nodes: d.proj.nodes, shapes: d.shapes}
	if !s.document() {
		return explain(raw)
	}
	return nil
}

func (jsonEncoding) AppendJSON(dst, raw []byte) ([]byte, error) {
	if err := ValidateJSON(raw); err != nil {
		return dst, err
	}
	return appendLine(dst, raw), nil
}

type textEncoding struct{}

func (textEncoding) Name() string { return "text" }

func (textEncoding) Index(d *Doc, raw []byte) error {
	if err := checkUTF8(raw); err != nil {
		return err
	}
	d.Fill(Root, TextValue(raw))
	return nil
}

func (textEncoding) AppendJSON(dst, raw []byte) ([]byte, error) {
	if err := checkUTF8(raw); err != nil {
		return dst, err
	}
	return AppendQuoted(dst, raw), nil
}

func checkUTF8(raw []byte) error {
	if utf8.Valid(raw) {
		return nil
	}
	i := 0
	for {
		r, n := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && n <= 1 {
			return fmt.Errorf("invalid UTF-8 byte 0x%02x at byte %d", raw[i], i)
		}
		i += n
	}
}

type opaqueEncoding struct{}

func (opaqueEncoding) Name() string { return "bytes" }

func (opaqueEncoding) Index(d *Doc, raw []byte) error {
	d.Fill(Root, BytesValue(raw))
	return nil
}

func (opaqueEncoding) AppendJSON(dst, raw []byte) ([]byte, error) {
	return BytesValue(raw).AppendJSON(dst)
}
