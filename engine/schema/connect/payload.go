package connect

import (
	"github.com/flowrecords/flow/engine/internal/payload"
	"github.com/flowrecords/flow/engine/schema"
)

// Options are those of the JsonConverter.
type Options struct {
	// Numeric writes decimals as JSON numbers (decimal.format = NUMERIC), not
	// as base64 of their bytes. Both are read.
	Numeric bool
	// KeepNulls leaves null what is null although the schema has a default
	// (replace.null.with.default = false).
	KeepNulls bool
	// FillIn makes a field that is not there its default also where nulls are
	// kept. Connect, which cannot tell the two apart, makes it null.
	FillIn bool
	// Lenient takes, when reading, values that can mean only one thing: a number
	// or boolean in quotes, 1.0 for an integer, a number as a string, dates and
	// times as text, base64 without padding. Members that the schema does not
	// have are left out. Otherwise all of them are errors.
	Lenient bool
}

// inner are the options for package payload.
func (o Options) inner() payload.Options {
	return payload.Options{Numeric: o.Numeric, KeepNulls: o.KeepNulls, FillIn: o.FillIn, Lenient: o.Lenient}
}

// AppendPayload appends typed JSON text of a valid schema as a payload: as
// Connect writes it, in one line. Fields that are not there become null or
// their default.
func AppendPayload(dst, typed []byte, s *schema.Schema, o Options) ([]byte, error) {
	return payload.Append(dst, typed, s, o.inner())
}

// AppendTyped appends a payload of a valid schema as typed JSON text in one
// line, with every field in the order of the schema. It is the inverse of
// AppendPayload.
func AppendTyped(dst, text []byte, s *schema.Schema, o Options) ([]byte, error) {
	return payload.AppendTyped(dst, text, s, o.inner())
}
