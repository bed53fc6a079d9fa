// Package ratelimit is the processor that lets only so much pass in a time.
package ratelimit

import (
	"time"

	"github.com/flowrecords/flow/engine"
)

// Config holds the options of rate_limit.
type Config struct {
	Records int             `flow:"records" unit:"records" min:"0" max:"1000000000" doc:"Records that may pass in per. 0 sets no limit of records."`
	Bytes   engine.ByteSize `flow:"bytes" min:"0B" doc:"Bytes of values that may pass in per. 0 sets no limit of bytes. A record that is larger than that passes alone and makes those behind it wait."`
	Per     time.Duration   `flow:"per" min:"1ms" max:"24h" doc:"The time that records and bytes are for."`
	Burst   int             `flow:"burst" unit:"records" min:"1" max:"1000000000" doc:"Records that may pass at once after a time with fewer."`
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{Per: time.Second, Burst: 1} }

// Validate asks for a limit.
func (c *Config) Validate() []engine.Problem {
	if c.Records == 0 && c.Bytes == 0 {
		return []engine.Problem{{
			Summary: "rate_limit has no limit",
			Detail:  `Give records, bytes or both, such as: records = 100, for 100 records in a second.`,
		}}
	}
	return nil
}
