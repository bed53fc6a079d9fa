package command

import (
	"time"

	"github.com/flowrecords/flow/connections/command"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/outputs/internal/frame"
)

// The values of confirm.
const (
	confirmExit    = "exit"
	confirmAck     = "ack"
	confirmWritten = "written"
)

// Program holds the options of the program itself.
type Program = command.Options

// Config holds the options of the command output.
type Config struct {
	Program
	Confirm      string          `flow:"confirm" oneof:"exit ack written" doc:"What confirms a record. exit: the program reads a portion of records to the end of its standard input and ends with status 0. ack: the program goes on running and answers each record with a line. written: the program goes on running, and what the pipe has taken counts; records may be lost."`
	RunRecords   int             `flow:"run_records" unit:"records" min:"1" max:"100000000" doc:"Most records of a run, with confirm = \"exit\". A run never waits for more records than there are."`
	RunBytes     engine.ByteSize `flow:"run_bytes" min:"1B" doc:"Bytes after which a run gets no further batch, with confirm = \"exit\"."`
	RefuseStatus []int           `flow:"refuse_statuses" unit:"" min:"1" max:"255" doc:"Exit statuses with which the program says that the records of a run are bad, with confirm = \"exit\": they go to the errors edge instead of being tried again." example:"[65]"`
	Timeout      time.Duration   `flow:"timeout" min:"0s" max:"24h" doc:"Longest time of a run with confirm = \"exit\", longest wait for the next answer with confirm = \"ack\". A program that takes longer is stopped, which counts as a failure. 0s sets no limit."`
	frame.Options
}

// Defaults is what an empty block means.
func Defaults() *Config {
	c := &Config{
		Program: command.DefaultOptions(),
		Confirm: confirmExit,
		// Some seconds of a fast pipeline: what fails comes again as a whole.
		RunRecords: 100_000,
		RunBytes:   16 << 20,
		Options:    frame.DefaultOptions(),
	}
	c.Restart = command.OnFailure
	return c
}

// Validate implements engine.Validator.
func (c *Config) Validate() []engine.Problem {
	ps := append(c.Program.Problems(), c.Options.Validate()...)
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	if c.Confirm == confirmAck && c.Format == frame.Raw {
		add("format", "raw records cannot be told apart", `With confirm = "ack" the program answers each record, so it must see where one ends. Use format = "lines" or "envelope".`)
	}
	if c.Confirm != confirmExit {
		d := Defaults()
		if c.RunRecords != d.RunRecords {
			add("run_records", "run_records without runs", `Only confirm = "exit" runs the program again and again. Remove it.`)
		}
		if c.RunBytes != d.RunBytes {
			add("run_bytes", "run_bytes without runs", `Only confirm = "exit" runs the program again and again. Remove it.`)
		}
		if len(c.RefuseStatus) > 0 {
			add("refuse_statuses", "refuse_statuses without runs", `Only with confirm = "exit" is the exit status about records. With confirm = "ack" the program answers a bad record with a line "error REASON".`)
		}
	}
	if c.Confirm == confirmWritten && c.Timeout > 0 {
		add("timeout", "nothing to wait for", `With confirm = "written" the program answers nothing. Remove the timeout.`)
	}
	return ps
}

// delivery says what confirm makes of a confirmation.
func (c *Config) delivery() engine.Delivery {
	switch c.Confirm {
	case confirmAck:
		return engine.Delivery{Confirms: "the program has answered it with the line ok (confirm = ack)"}
	case confirmWritten:
		return engine.Delivery{
			Confirms: "the pipe to the program has taken it (confirm = written)",
			Lossy:    "what the program has not processed when it ends is gone",
		}
	}
	return engine.Delivery{Confirms: "the run of the program that read it has ended with status 0 (confirm = exit)"}
}
