// Package window is the processor that makes one record of many.
package window

import (
	"time"

	"github.com/flowrecords/flow/engine"
)

// Config holds the options of batch.
type Config struct {
	Records int             `flow:"records" unit:"records" min:"1" max:"1000000" doc:"Records after which a window ends."`
	Bytes   engine.ByteSize `flow:"bytes" min:"1B" max:"64MiB" doc:"Bytes of values after which a window ends. The record that reaches it is still in it."`
	Period  time.Duration   `flow:"period" min:"1ms" max:"1h" doc:"Longest time that a window stays open after its first record. What it holds is not confirmed, so it counts as in flight all that time."`
	Content string          `flow:"content" oneof:"values records" doc:"values makes an array of the values. records makes an array of objects with value and, where the record has them, key, headers, timestamp, topic, partition and offset."`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{Records: 100, Bytes: 1 << 20, Period: time.Second, Content: "values"}
}
