// Package converters lists the converters of flow.
package converters

import (
	avroconv "github.com/flowrecords/flow/converters/avro"
	bytesconv "github.com/flowrecords/flow/converters/bytes"
	csvconv "github.com/flowrecords/flow/converters/csv"
	jsonconv "github.com/flowrecords/flow/converters/json"
	jsonschemaconv "github.com/flowrecords/flow/converters/jsonschema"
	primitiveconv "github.com/flowrecords/flow/converters/primitive"
	protobufconv "github.com/flowrecords/flow/converters/protobuf"
	stringconv "github.com/flowrecords/flow/converters/string"
	"github.com/flowrecords/flow/engine"
)

// All lists the converters. Adding one is a line here and its folder.
func All() []engine.ConverterFactory {
	return []engine.ConverterFactory{
		avroconv.Factory(),
		bytesconv.Factory(),
		csvconv.Factory(),
		jsonconv.Factory(),
		jsonschemaconv.Factory(),
		primitiveconv.Factory(),
		protobufconv.Factory(),
		stringconv.Factory(),
	}
}
