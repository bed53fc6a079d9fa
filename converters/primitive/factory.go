package primitiveconv

import "github.com/flowrecords/flow/engine"

// Factory describes primitive.
func Factory() engine.ConverterFactory {
	return engine.ConverterFactory{
		Component: engine.Component{
			Type:    "primitive",
			Summary: "Values are single numbers or booleans, as Kafka's own serializers write them.",
			Description: "The bytes are big-endian: 2 for an int16, 4 for an int32 or float32, 8 for an int64 or float64, and one byte 0 or 1 for a bool. " +
				"They are what Kafka's ShortSerializer, IntegerSerializer, LongSerializer, FloatSerializer, DoubleSerializer and BooleanSerializer write, and Kafka Connect's converters of these names.\n\n" +
				"Reading: the value has the type that is given. Another number of bytes is an error of the record.\n\n" +
				"Writing: a number that the type holds without loss, of whatever encoding; a JSON number without a schema is rounded to a float32. " +
				"A number beyond the type, a fraction for an integer, a text or an object is an error of the record: a `cast` processor converts them.\n\n" +
				"A record without value (a tombstone) stays one in both directions, and a null becomes one.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Keys that are Java longs", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  input "kafka" "in" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders"

    key "primitive" {
      type = "int64"
    }
  }

  processor "map" "id" {
    set = { id = "key" }
  }

  output "stdout" "out" {}
}
`}},
		},
		New: newConverter,
	}
}
