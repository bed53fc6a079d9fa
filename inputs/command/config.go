package command

import (
	"time"

	"github.com/flowrecords/flow/connections/command"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/inputs/internal/framing"
)

// Config holds the options of the command input.
type Config struct {
	command.Options
	Interval time.Duration `flow:"interval" min:"0s" max:"8760h" doc:"Run the command again and again, this long from start to start; a run that takes longer is not overtaken. 0s runs it once, or as restart says."`
	Timeout  time.Duration `flow:"timeout" min:"0s" max:"8760h" doc:"Longest time for one run; a command that takes longer is stopped, which counts as a failure. 0s sets no limit."`
	framing.Config
}

// Defaults returns the default of every option.
func Defaults() any {
	return &Config{Options: command.DefaultOptions(), Config: framing.DefaultConfig()}
}

// Validate reports the mistakes that the options' types cannot express.
func (c *Config) Validate() []engine.Problem {
	ps := append(c.Options.Problems(), c.Config.Problems()...)
	if c.Interval > 0 && c.Restart == command.Always {
		ps = append(ps, engine.Problem{Option: "restart", Summary: `restart = "always" does not go with interval`,
			Detail: `With an interval the command is started again anyway. Use restart = "on_failure" to go on after a failure too, or remove the interval.`})
	}
	return ps
}

// bounded reports whether the input ends with the command.
func (c *Config) bounded() bool { return c.Interval == 0 && c.Restart != command.Always }
