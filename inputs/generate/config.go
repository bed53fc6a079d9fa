package generate

import (
	"time"

	"github.com/flowrecords/flow/engine"
)

// Config holds the options of the generate input.
type Config struct {
	Value   engine.Expression       `flow:"value,required" doc:"Expression whose result is the value of a record. It sees offset, the number of the record from 0, and random data as value.int, value.name and so on." example:"\"{id: offset, customer: value.name, amount: value.int % 500}\""`
	Key     engine.Expression       `flow:"key" doc:"Expression whose result, as text, is the key." example:"\"string(offset % 100)\""`
	Headers engine.NamedExpressions `flow:"headers" doc:"Headers and the expressions of their values. One that is null is left out." example:"{ trace = \"value.uuid\" }"`

	Count    int64         `flow:"count" unit:"records" min:"0" doc:"How many records there are in all, runs before this one included. 0 has no end."`
	Rate     float64       `flow:"rate" unit:"records per second" min:"0" doc:"Records per second, evenly spaced. 0 is as fast as the pipeline takes them."`
	Interval time.Duration `flow:"interval" min:"0s" doc:"Time between two records, instead of rate." example:"\"10s\""`
	Seed     int64         `flow:"seed" unit:"" doc:"Makes the random data repeatable: the same seed and offset give the same data. 0 takes another seed for each new start."`
}

// Defaults returns the default of every option.
func Defaults() any { return &Config{} }

// Validate reports the mistakes that the options' types cannot express.
func (c *Config) Validate() []engine.Problem {
	if c.Rate > 0 && c.Interval > 0 {
		return []engine.Problem{{Option: "interval", Summary: "rate and interval exclude each other", Detail: "Keep one of them."}}
	}
	return nil
}

// spacing is the time between two records; 0: none.
func (c *Config) spacing() float64 {
	if c.Rate > 0 {
		return float64(time.Second) / c.Rate
	}
	return float64(c.Interval)
}
