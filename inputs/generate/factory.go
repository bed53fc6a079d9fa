package generate

import "github.com/flowrecords/flow/engine"

// Factory describes the generate input.
func Factory() engine.InputFactory {
	return engine.InputFactory{
		Component: engine.Component{
			Type:        "generate",
			Summary:     "Makes records from an expression, for tests, demos and load.",
			Description: description,
			Defaults:    Defaults,
			Examples:    examples(),
		},
		New:            newInput,
		KeyConverter:   "string",
		ValueConverter: "json",
		Bounded:        func(config any) bool { return config.(*Config).Count > 0 },
		FixedTopics:    func(any) []string { return nil },
	}
}

const description = `
The expressions see ` + "`offset`" + `, the number of the record from 0, ` + "`timestamp`" + `, the time at
which it is made, ` + "`meta.seed`" + `, and in ` + "`value`" + ` random data to build a record from:

| path | is |
| --- | --- |
| value.int | a whole number from 0 to 999999999 |
| value.float | a number from 0 to below 1 |
| value.bool | true or false |
| value.uuid | a UUID of version 4 |
| value.word | a word |
| value.name | first and last name of a person |
| value.email | an e-mail address at example.com or example.org |
| value.country | a country's code of two letters |
| value.ip | an IPv4 address of the ranges kept for documentation |

These data depend on seed and offset alone, so the same pipeline makes the same
records again. Functions with their own randomness, such as uuid(), do not.

The value is written as JSON, the key and headers as text. The number of the
next record is the input's position: a run goes on counting where the one before
has confirmed, with the same seed, and makes nothing more when count is reached.
An expression that has no result for a record sends that record to the errors
edge.
`

func examples() []engine.Example {
	return []engine.Example{
		{Title: "A thousand orders", HCL: `pipeline "orders" {
  input "generate" "orders" {
    count = 1000
    seed  = 1
    key   = "string(offset)"
    value = "{id: offset, customer: value.name, country: value.country, amount: value.int % 500}"
  }

  output "stdout" "out" {}
}
`},
		{Title: "A steady load", HCL: `pipeline "load" {
  input "generate" "events" {
    rate  = 100
    value = "{n: offset, at: string(timestamp), ok: value.float < 0.99}"
  }

  output "stdout" "out" {}
}
`},
	}
}
