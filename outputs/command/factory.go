package command

import (
	"github.com/flowrecords/flow/engine"
)

// Factory describes the command output.
func Factory() engine.OutputFactory {
	return engine.OutputFactory{
		Component: engine.Component{
			Type:        "command",
			Summary:     "Writes records to the standard input of a program.",
			Description: description,
			Defaults:    func() any { return Defaults() },
			Examples:    examples(),
		},
		New: func(config any, env engine.Env) (engine.Output, error) {
			return newOutput(config.(*Config), env), nil
		},
		Delivery: func(config any) engine.Delivery { return config.(*Config).delivery() },
	}
}

const description = `
Writes records to the standard input of a program, in the formats of the file
output. A program that is slow holds the pipeline up; nothing is dropped.

**What confirms a record** is what ` + "`confirm`" + ` says:

- ` + "`exit`" + ` (default): a run of the program reads some records to the end of its
  standard input, does its work and ends with status 0; then all of them are
  confirmed. A run gets what is there, up to ` + "`run_records`" + ` and ` + "`run_bytes`" + `, and
  is not kept waiting: at the latest after a second its input ends. Any other
  status, a signal, or an end before everything was read is a failure, and all
  records of the run come again; so the program should do all or nothing, or
  not mind repeats. A status in ` + "`refuse_statuses`" + ` sends them to the errors edge.
- ` + "`ack`" + `: the program goes on running and writes a line to its standard output for
  each record, in their order: ` + "`ok`" + `, or ` + "`error`" + ` and a reason, which sends the
  record to the errors edge. It must answer as it reads and flush each answer.
  Records without an answer come again after a restart, those with one do not.
  Any other line stops the pipeline.
- ` + "`written`" + `: the program goes on running, and a record counts when the pipe has
  taken it. What lies in the pipe when the program dies is lost: use it only
  where that does not matter.

**When the program fails**, ` + "`restart`" + ` says whether it is started again, after a
pause that grows, or whether the pipeline stops with nothing lost. With ` + "`ack`" + `
and ` + "`written`" + ` the program is not expected to end by itself; status 0 stops the
pipeline too unless restart is ` + "`always`" + `.

What the program writes to its standard error, and with ` + "`exit`" + ` and ` + "`written`" + ` to its
standard output, goes to the log, a line each, within bounds. At the end its
standard input ends; after ` + "`stop_grace`" + ` it is asked to end (SIGTERM), then
killed, and so is what is left of its process group. On Linux the kernel kills
it also when flow itself is killed.
`

func examples() []engine.Example {
	return []engine.Example{
		{Title: "Load into a database with its own tool", HCL: `pipeline "load" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  output "command" "psql" {
    command    = ["psql", "--set=ON_ERROR_STOP=1", "--single-transaction", "--command=copy orders from stdin csv header", "shop"]
    secret_env = { PGPASSWORD = env("PGPASSWORD", "") }
    format     = "csv"
    columns    = ["id", "amount"]
    extra      = "ignore"
  }
}
`},
		{Title: "A program that answers each record", HCL: `pipeline "mail" {
  input "file" "mails" {
    path = "mails.jsonl"
  }

  output "command" "send" {
    command      = ["send-mails", "--answer"]
    confirm      = "ack"
    max_restarts = 10
    timeout      = "1m"
  }

  output "file" "refused" {
    from   = [errors]
    path   = "refused.jsonl"
    format = "envelope"
  }
}
`},
	}
}
