// Package primitiveconv is the converter between the bytes of one number or
// boolean and values.
package primitiveconv

// Config holds the options of primitive.
type Config struct {
	Type string `flow:"type,required" oneof:"bool int16 int32 int64 float32 float64" doc:"What the bytes are." example:"\"int64\""`
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{} }
