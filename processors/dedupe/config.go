// Package dedupe is the processor that drops records that came before.
package dedupe

import (
	"time"

	"github.com/flowrecords/flow/engine"
)

// Config holds the options of dedupe.
type Config struct {
	By      engine.Expression `flow:"by,required" doc:"What makes two records the same: the result of this expression. Texts, numbers and lists of them are compared as they are written, so 1 and 1.0 differ." example:"\"value.order_id\""`
	Within  time.Duration     `flow:"within" min:"0s" max:"8760h" doc:"How long a record is remembered after it was first seen. 0s sets no limit of time."`
	MaxKeys int               `flow:"max_keys" unit:"records" min:"1" max:"10000000" doc:"How many records are remembered at most: the oldest is forgotten first. Each takes about 130 bytes of memory."`
	Missing string            `flow:"missing" oneof:"error keep drop" doc:"What to do with a record for which by gives null: error sends it to the errors edge, keep lets it pass, drop drops it, counted with the duplicates."`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{Within: 24 * time.Hour, MaxKeys: 100_000, Missing: "error"}
}
