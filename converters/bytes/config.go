// Package bytesconv is the converter that takes and writes bytes as they are.
package bytesconv

// Config holds the options of bytes: there are none.
type Config struct{}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{} }
