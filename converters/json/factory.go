package jsonconv

import "github.com/flowrecords/flow/engine"

// Factory describes json.
func Factory() engine.ConverterFactory {
	return engine.ConverterFactory{
		Component: engine.Component{
			Type:        "json",
			Summary:     "Values are JSON texts, also in the envelope of Kafka Connect.",
			Description: description,
			Defaults:    func() any { return Defaults() },
			Examples:    examples(),
		},
		New: newConverter,
	}
}

const description = "Reading: the bytes stay as they are and are looked at when an expression or a processor needs them; what is not valid JSON is then an error of the record. " +
	"With `strict` every value is checked at once: syntax, numbers, escapes, UTF-8, depth.\n\n" +
	"Writing: JSON as it is, byte for byte; a text becomes a JSON string, and bytes become a JSON string with their base64 text.\n\n" +
	"With `schema` values have types: `timestamp` is `\"2006-01-02T15:04:05Z\"`, `date` `\"2006-01-02\"`, `duration` `\"1h30m\"`, `decimal` a number with all its digits, `bytes` base64. " +
	"What is not of the schema is an error of the record, both when reading and when writing; a member that is not there is null or its default.\n\n" +
	"`form = \"envelope\"` is what Kafka Connect's JsonConverter reads and writes with `schemas.enable`: each value brings its schema, which it keeps through the pipeline; what an expression changes, changes the schema. " +
	"Values are strictly of their schema, where Connect reads a wrong one as 0, false or null and lets numbers overflow; `lenient` takes what can mean only one thing. " +
	"Types that Connect does not have (timestamps of other than milliseconds, unsigned integers, uuid, enum, union) are written as one that it has, with parameters from which flow reads them back.\n\n" +
	"`form = \"payload\"` is the payload alone: what Connect writes without `schemas.enable`, and with `schema` what it reads with `schema.content`.\n\n" +
	"A record without value (a tombstone) stays one in both directions. The JSON text `null` is a value of four bytes and stays that, and so does a payload that is null."

func examples() []engine.Example {
	return []engine.Example{
		{Title: "Refuse what is not JSON when it is read", HCL: `pipeline "checked" {
  input "stdin" "in" {
    value "json" {
      strict = true
    }
  }

  output "stdout" "out" {}
}
`},
		{Title: "Plain JSON into envelopes that a sink connector takes", HCL: `pipeline "orders" {
  input "stdin" "in" {}

  output "stdout" "out" {
    value "json" {
      form   = "envelope"
      schema = "struct{id int64, name string, price decimal(10,2)?}"
    }
  }
}
`},
		{Title: "Envelopes into plain JSON", HCL: `pipeline "plain" {
  input "stdin" "in" {
    value "json" {
      form = "envelope"
    }
  }

  output "stdout" "out" {}
}
`},
	}
}
