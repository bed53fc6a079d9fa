package record

import "github.com/flowrecords/flow/engine/internal/jsontext"

// AppendQuoted appends text as a JSON string with its quotes. Only what JSON
// asks for is escaped; a byte that is not UTF-8 becomes U+FFFD.
func AppendQuoted(dst, text []byte) []byte { return jsontext.AppendQuoted(dst, text) }

// AppendUnquoted appends what a valid JSON string, given with its quotes,
// stands for.
func AppendUnquoted(dst, quoted []byte) []byte { return jsontext.AppendUnquoted(dst, quoted) }
