// Package stringconv is the converter between bytes that are text and values.
package stringconv

// Config holds the options of string.
type Config struct {
	Strict bool `flow:"strict" doc:"Checks every value for UTF-8 when it is read and when it is written, also those that no expression touches."`
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{} }
