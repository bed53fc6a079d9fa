package stdin

import (
	"os"

	"github.com/flowrecords/flow/engine"
)

// Factory describes the stdin input.
func Factory() engine.InputFactory {
	return engine.InputFactory{
		Component: engine.Component{
			Type:        "stdin",
			Summary:     "Reads standard input: lines, CSV rows or all of it.",
			Description: description,
			Defaults:    Defaults,
			Examples:    examples(),
		},
		New: func(config any, env engine.Env) (engine.Input, error) {
			return newInput(config, env, os.Stdin)
		},
		KeyConverter:   "json",
		ValueConverter: "json",
		Bounded:        func(any) bool { return true },
		FixedTopics:    func(any) []string { return nil },
		Exclusive:      true,
		Delivery: func(any) engine.Delivery {
			return engine.Delivery{Once: "what standard input has delivered cannot be had again"}
		},
	}
}

const description = `
Records are delivered as they arrive, after at most the pipeline's linger; the
input ends with the end of standard input. Records are framed as by the input
` + "`file`" + `, whose options of the same names it shares.

What a pipe has delivered cannot be had again: no position is kept, and a run
that is cut short loses what it had read and not yet written. Where that
matters, write to a file and read it with the input ` + "`file`" + `.

A config can have only one stdin input. offset is the byte at which a record
begins.
`

func examples() []engine.Example {
	return []engine.Example{
		{Title: "Lines of JSON", HCL: `pipeline "errors" {
  input "stdin" "in" {}

  processor "filter" "errors" {
    where = "value.level == 'error'"
  }

  output "stdout" "out" {}
}
`},
		{Title: "CSV without a header", HCL: `pipeline "prices" {
  input "stdin" "in" {
    format  = "csv"
    header  = false
    columns = ["sku", "price"]
    types   = { price = "float" }
  }

  output "stdout" "out" {}
}
`},
	}
}
