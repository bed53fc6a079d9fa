package stdin

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/inputs/internal/framing"
)

// Config holds the options of the stdin input.
type Config struct {
	framing.Config
}

// Defaults returns the default of every option.
func Defaults() any { return &Config{Config: framing.DefaultConfig()} }

// Validate reports the mistakes that the options' types cannot express.
func (c *Config) Validate() []engine.Problem { return c.Problems() }
