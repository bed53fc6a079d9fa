package command

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
)

// Factory describes the command input.
func Factory() engine.InputFactory {
	return engine.InputFactory{
		Component: engine.Component{
			Type:        "command",
			Summary:     "Reads the standard output of a program, once, again and again, or for ever.",
			Description: description,
			Defaults:    Defaults,
			Examples:    examples(),
		},
		New: func(config any, env engine.Env) (engine.Input, error) {
			cfg, ok := config.(*Config)
			if !ok {
				return nil, fmt.Errorf("the config of the command input is a %T", config)
			}
			return newInput(cfg, env), nil
		},
		KeyConverter:   "json",
		ValueConverter: "json",
		Bounded:        func(config any) bool { return config.(*Config).bounded() },
		FixedTopics:    func(any) []string { return nil },
		Delivery: func(any) engine.Delivery {
			return engine.Delivery{Once: "what a program has written to a pipe cannot be had again"}
		},
	}
}

const description = `
Runs a program and reads what it writes to its standard output, framed as by
the input ` + "`file`" + `, whose options of the same names it shares. Records are
delivered as they arrive. The program reads nothing: its standard input is
empty.

**When it ends.** With exit status 0 the input ends, starts it again after
` + "`interval`" + `, or at once with ` + "`restart = \"always\"`" + `. Any other end is a failure,
which names the status or signal and the last line of standard error: it stops
the pipeline, or with ` + "`restart = \"on_failure\"`" + ` the program is started again after
a pause that grows. A failed program may have died in the middle of a record:
what stands behind its last complete record then goes to the errors edge and
is never taken for a record.

**Standard error** goes to the log, a line each, within bounds: a program that
floods it is read on, and the log says how many lines were left out.

**Stopping.** The program has a process group of its own. At the end of the
pipeline the group is asked to end (SIGTERM) and killed after ` + "`stop_grace`" + `. On
Linux the kernel kills the program also when flow itself is killed. Processes
that the program leaves behind in its group are ended with it.

What a pipe has delivered cannot be had again: no position is kept, and a run
that is cut short loses what it had read and not yet written. Where that
matters, let the program write files. offset is the byte at which a record
begins, counted over all runs.
`

func examples() []engine.Example {
	return []engine.Example{
		{Title: "What a program prints every minute", HCL: `pipeline "disks" {
  input "command" "df" {
    command  = ["df", "--output=target,avail"]
    interval = "1m"
    restart  = "on_failure"
    timeout  = "10s"

    value "string" {}
  }

  output "stdout" "out" {}
}
`},
		{Title: "A program that runs for ever", HCL: `pipeline "events" {
  input "command" "feed" {
    command    = ["feed-client", "--follow", "--json"]
    restart    = "always"
    secret_env = { FEED_TOKEN = env("FEED_TOKEN", "") }
  }

  output "file" "events" {
    path = "events.jsonl"
  }
}
`},
		{Title: "A line of a shell", HCL: `pipeline "sizes" {
  input "command" "du" {
    command   = ["sh", "-c", "du -k /var/log | sort -n"]
    format    = "csv"
    delimiter = "\t"
    header    = false
    columns   = ["kib", "path"]
    types     = { kib = "int" }
  }

  output "stdout" "out" {}
}
`},
	}
}
