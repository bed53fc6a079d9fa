// Package logging is the processor that writes records to flow's own log.
package logging

import (
	"time"

	"github.com/flowrecords/flow/engine"
)

// Config holds the options of log.
type Config struct {
	Message engine.Template         `flow:"message,shown" doc:"The text of the line. Its holes see the record." example:"\"order {{ value.id }} of {{ value.country }}\""`
	Fields  engine.NamedExpressions `flow:"fields,shown" doc:"Further attributes of the line: name = expression." example:"{ amount = \"value.amount\" }"`
	When    engine.Expression       `flow:"when,bool" doc:"Logs only the records for which this holds. All pass."`
	Level   string                  `flow:"level" oneof:"debug info warn error" doc:"Level of the line."`
	Limit   int                     `flow:"limit" unit:"lines" min:"0" max:"1000000" doc:"Most lines in per; what is left out is counted in the next line. 0 sets no limit."`
	Per     time.Duration           `flow:"per" min:"1ms" max:"1h" doc:"The time that limit is for."`
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{Level: "info", Limit: 10, Per: time.Second} }

// Validate asks for something to say.
func (c *Config) Validate() []engine.Problem {
	if c.Message.IsZero() && len(c.Fields) == 0 {
		return []engine.Problem{{Summary: "log has nothing to say", Detail: `Give message, fields or both, such as: message = "order {{ value.id }}"`}}
	}
	return nil
}
