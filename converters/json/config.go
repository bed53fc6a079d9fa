// Package jsonconv is the converter between bytes that are JSON and values.
package jsonconv

// Config holds the options of json.
type Config struct {
	Strict bool `flow:"strict" doc:"Checks every value when it is read, also those that no expression touches."`
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{} }
