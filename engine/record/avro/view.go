package avro

import (
	"encoding/json"
	"strings"
)

// view is how a schema's values are seen as flow's: mostly the type or the
// logical type alone says it, sometimes a property does. Both the conversion
// of schemas and the reading of data go by it, so that they agree.
type view uint8

const (
	viewPlain    view = iota
	viewInt8          // int, connect.type
	viewInt16         // int, connect.type
	viewUint8         // int, flow.type
	viewUint16        // int, flow.type
	viewUint32        // long, flow.type
	viewUint64        // decimal of scale 0, flow.type
	viewTimeNano      // long, flow.type
	viewDuration      // long of nanoseconds, flow.type
	viewJSON          // string, flow.type: a value without type as JSON text
	viewEntries       // array of MapEntry records: a map
)

// Properties and names by which Connect's Avro converter keeps what Avro has
// no words for, and those of flow.
const (
	propConnectName     = "connect.name"
	propConnectVersion  = "connect.version"
	propConnectDoc      = "connect.doc"
	propConnectDefault  = "connect.default"
	propConnectParams   = "connect.parameters"
	propConnectType     = "connect.type"
	propConnectInternal = "connect.internal.type"
	propFlowType        = "flow.type"

	connectNamespace = "io.confluent.connect.avro"
	mapEntry         = "MapEntry"
	connectDefault   = connectNamespace + ".ConnectDefault"
	connectLogical   = "org.apache.kafka.connect.data."
)

func (s *Schema) stringProp(name string) string { return stringProp(s.Props, name) }

func stringProp(props []Property, name string) string {
	var v string
	_ = json.Unmarshal(prop(props, name), &v) // another type is none
	return v
}

// viewOf returns how values of s are seen.
func viewOf(s *Schema) view {
	switch s.Kind {
	case Int:
		if s.Logical != None {
			return viewPlain
		}
		switch s.stringProp(propConnectType) {
		case "int8":
			return viewInt8
		case "int16":
			return viewInt16
		}
		switch s.stringProp(propFlowType) {
		case "uint8":
			return viewUint8
		case "uint16":
			return viewUint16
		}
	case Long:
		if s.Logical != None {
			return viewPlain
		}
		switch s.stringProp(propFlowType) {
		case "uint32":
			return viewUint32
		case "time-nanos":
			return viewTimeNano
		case "duration":
			return viewDuration
		}
	case Bytes:
		if s.Logical == Decimal && s.Scale == 0 && s.stringProp(propFlowType) == "uint64" {
			return viewUint64
		}
	case String:
		if s.stringProp(propFlowType) == "json" {
			return viewJSON
		}
	case Array:
		if isEntry(s.Elem) {
			return viewEntries
		}
	}
	return viewPlain
}

// textKeys reports whether the keys of entries are texts that may be null. Such a
// map is an object in typed JSON, which has no place for a null key.
func textKeys(entry *Schema) bool {
	_, k, ok := entry.Fields[0].Type.optional()
	return ok && k.Kind == String && viewOf(k) == viewPlain && k.Logical == None
}

// isEntry recognises the records that stand for entries of a map whose keys
// are not strings.
func isEntry(s *Schema) bool {
	if s.Kind != Record || len(s.Fields) != 2 || s.Fields[0].Name != "key" || s.Fields[1].Name != "value" {
		return false
	}
	if k := s.Fields[0].Type; k.Kind == String && viewOf(k) == viewPlain && k.Logical == None {
		return false // Avro has maps for these
	}
	return s.Name == connectNamespace+"."+mapEntry || s.stringProp(propConnectInternal) == mapEntry ||
		strings.HasPrefix(s.Name, connectNamespace+"."+mapEntry) && strings.Trim(s.Name[len(connectNamespace+"."+mapEntry):], "0123456789") == ""
}
