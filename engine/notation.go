package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
	"github.com/flowrecords/flow/engine/schema/jsonschema"
)

// The notations of schemas that a config can be written in.
const (
	// NotationType is the text form of flow's own: struct{id int64, name string}.
	NotationType = "type"
	// NotationAvro is a schema of Avro, as JSON text.
	NotationAvro = "avro"
	// NotationJSONSchema is JSON Schema.
	NotationJSONSchema = "json_schema"
	// NotationConnect is the schema within Kafka Connect's JSON envelope.
	NotationConnect = "connect"
	// NotationProtobuf is the text of a .proto file. Only components read it,
	// since it takes a compiler: it is none of Notations.
	NotationProtobuf = "protobuf"
)

// Notations returns all of them.
func Notations() []string {
	return []string{NotationType, NotationAvro, NotationJSONSchema, NotationConnect}
}

// ParseSchema reads a schema in one of the Notations. The result is valid. The
// error of a type says where, as *schema.ParseError.
func ParseSchema(notation, text string) (*schema.Schema, error) {
	switch notation {
	case NotationType:
		return schema.Parse(text)
	case NotationAvro:
		s, err := avro.Parse([]byte(text))
		if err != nil {
			return nil, err
		}
		return avro.ToSchema(s)
	case NotationJSONSchema:
		return jsonschema.Parse([]byte(text), nil)
	case NotationConnect:
		return connect.ParseSchema([]byte(text))
	}
	return nil, fmt.Errorf("there is no notation %q", notation)
}

// SchemaText returns an option with a schema that is written at the option
// itself, in the first of the notations that the text looks like.
func SchemaText(text string, notations ...string) (SchemaOption, error) {
	o := SchemaOption{Notation: NotationOf(text, notations), Text: text}
	if !slices.Contains(Notations(), o.Notation) {
		return o, nil
	}
	var err error
	o.Schema, err = ParseSchema(o.Notation, text)
	return o, err
}

// NotationOf returns the first of the notations that text looks like: a type
// begins with a word that is one, a .proto file with another or a comment, the
// others are JSON.
func NotationOf(text string, notations []string) string {
	text = strings.TrimSpace(text)
	json := text != "" && strings.IndexByte(`{["`, text[0]) >= 0
	proto := !json && slices.Contains(notations, NotationProtobuf) && !beginsWithType(text)
	for _, n := range notations {
		if proto == (n == NotationProtobuf) && (proto || json != (n == NotationType)) {
			return n
		}
	}
	if len(notations) == 0 {
		return NotationType
	}
	return notations[0]
}

// beginsWithType reports whether text begins with the name of a type of flow's.
func beginsWithType(text string) bool {
	word := text
	for i := range len(text) {
		if c := text[i]; c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') {
			word = text[:i]
			break
		}
	}
	return slices.ContainsFunc(schema.Types(), func(t schema.Type) bool { return t.String() == word })
}
