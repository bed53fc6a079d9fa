// Package filter is the processor that keeps the records an expression holds
// for and drops the others.
package filter

import "github.com/flowrecords/flow/engine"

// Config holds the options of filter.
type Config struct {
	Where engine.Expression `flow:"where,required,bool" doc:"Keeps the records for which this holds. The others are dropped and counted." example:"\"value.status == 'paid'\""`
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{} }
