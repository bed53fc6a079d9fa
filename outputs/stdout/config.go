// Package stdout is the output that writes records to the standard output.
package stdout

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/outputs/internal/frame"
)

// Config holds the options of stdout.
type Config struct {
	frame.Options
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{Options: frame.DefaultOptions()} }

// Validate implements engine.Validator.
func (c *Config) Validate() []engine.Problem { return c.Options.Validate() }
