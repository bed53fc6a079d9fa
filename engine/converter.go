package engine

import (
	"context"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Converter turns bytes of a source into record values and back. It is
// immutable for the engine; NewDecoder and NewEncoder make working copies for
// one goroutine. What working copies share, such as a cache of schemas, the
// converter guards itself.
type Converter interface {
	// Decoded is the encoding of what decoding yields. Where each record says
	// itself what it is (see Decode), it is that of a record of which nothing
	// is known, and its Name is what people see.
	Decoded() record.Encoding
	// NewDecoder returns nil when decoding changes no byte and checks nothing:
	// the engine then only sets the encoding.
	NewDecoder() Decode
	// NewEncoder returns nil when records of that encoding are written as
	// they are. from is nil for bytes of which nothing is known. It does no
	// I/O; what it has to prepare for from, it may prepare once and share: the
	// engine keeps only some working copies and asks again.
	NewEncoder(from record.Encoding) Encode
}

// Meta is what a converter sees of a record beside its bytes. The engine uses
// one again and again: it is valid during the call.
type Meta struct {
	// Context ends when the pipeline must stop. It is for I/O that cannot be
	// avoided, as on a miss of a cache.
	Context context.Context
	// Topic is where the record comes from, or, when encoding, where it goes as
	// far as the engine knows (see Addressed).
	Topic string
	// Key: the bytes are the key of a record, not its value.
	Key bool
	// Header: the bytes are the value of the record's header Name. Then Key is
	// false and Headers and AddHeader are not there: a header has none itself.
	Header bool
	Name   string
	// Headers of the record. They must not be changed.
	Headers []record.Header
	// AddHeader adds a header behind the others; value is copied. Nil when
	// decoding, and for a header. What a call that ends in an error has added is taken back.
	AddHeader func(name string, value []byte)
}

// Decode appends the record value that src stands for to dst, and says in
// which encoding; nil is that of Converter.Decoded. src is nil for a null;
// returning a nil out makes the result a null (a tombstone stays one unless the
// format has its own null).
//
// A *RetryError makes the engine call again with the same record after a pause,
// a *FatalError stops the pipeline, any other error is one of the record: its
// bytes travel the errors edge unchanged.
//
// Encodings with a schema should be the same (==) for all records of a schema,
// in all working copies: everything behind is made ready once for each.
type Decode func(dst, src []byte, m *Meta) (out []byte, enc record.Encoding, err error)

// Encode appends the bytes that a record value is written as to dst. Nulls and
// errors are as with Decode.
type Encode func(dst, src []byte, m *Meta) (out []byte, err error)

// Opener is a Converter that has something to open before it is used, such as
// a connection to a registry.
type Opener interface {
	// Open is called once, before the first record and after New, and again
	// after each *RetryError; any other error stops the pipeline. ctx covers
	// the call only.
	Open(ctx context.Context) error
	// Close is called once when no working copy is used any more, also when
	// Open has failed.
	Close(ctx context.Context) error
}

// Typed is a Converter that knows schemas before the first record. Its two sides
// may differ: with a registry each record that is read says its own schema,
// while all are written with that of an option. It does no I/O.
type Typed interface {
	// Decodes returns the schema of all records that it decodes; nil: not known.
	Decodes() *schema.Schema
	// Encodes returns the schema that all records have as it writes them; nil:
	// not known, or that of the records themselves.
	Encodes() *schema.Schema
}

// Addressed is an Output that knows to which topic a record goes, for
// converters that choose by it (Meta.Topic). Otherwise it is the record's own.
type Addressed interface {
	// Topics returns a working copy for the goroutine that calls Write; nil
	// where there is nothing to say. Its error means that Write will refuse
	// the record: the record's own topic stands in for it.
	Topics() (func(b *Batch, i int) (string, error), error)
}
