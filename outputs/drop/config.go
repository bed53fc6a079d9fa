// Package drop is the output that throws records away because the config says
// so.
package drop

// Config holds the options of drop: there are none.
type Config struct{}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{} }
