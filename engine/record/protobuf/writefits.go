package protobuf

import (
	"fmt"
	"slices"

	"github.com/flowrecords/flow/engine/schema"
)

// fits says why values of from can never be written as n; empty if they may.
func fits(n *node, from *schema.Schema, lenient bool) string {
	if from == nil || from.Type == schema.Any {
		return ""
	}
	t := from.Type
	ok := func(types ...schema.Type) string {
		if slices.Contains(types, t) {
			return ""
		}
		return fmt.Sprintf("records have %s and the Protobuf schema has %s", t, n.name)
	}
	switch n.op {
	case opBool:
		return ok(schema.Bool)
	case opInt, opUint, opFloat, opDouble:
		if t.IsNumber() || t == schema.Enum && n.op == opInt && lenient {
			return ""
		}
		return ok()
	case opString:
		if lenient || !t.IsComplex() && t != schema.Bool && !t.IsNumber() {
			return ""
		}
		return ok(schema.String)
	case opBytes, opSized:
		return ok(schema.Bytes, schema.String, schema.UUID)
	case opEnum:
		return ok(schema.Enum, schema.String, schema.Int32)
	case opMessage:
		return ok(schema.Struct, schema.Map)
	case opList:
		return ok(schema.Array)
	case opMap, opEntries:
		if n.key.op == opString {
			return ok(schema.Map, schema.Struct)
		}
		return ok(schema.Map)
	case opTimestamp:
		return ok(schema.Timestamp, schema.String)
	case opLocal:
		return ok(schema.LocalTimestamp, schema.String, schema.Int64)
	case opDuration:
		return ok(schema.Duration, schema.String)
	case opDate:
		return ok(schema.Date, schema.String)
	case opTime:
		return ok(schema.Time, schema.String)
	case opDecimal:
		if t.IsNumber() {
			return ""
		}
		return ok(schema.String)
	case opUUID:
		return ok(schema.UUID, schema.String)
	case opWrapped:
		if !n.members[0].union {
			return fits(n.members[0].fields[0].node, from, lenient)
		}
	}
	return ""
}
