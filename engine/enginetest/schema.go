package enginetest

import "github.com/flowrecords/flow/engine"

// SchemaText returns an option with a schema as a config gives it, and an empty
// text is none. It panics if the text cannot be read.
func SchemaText(text string, notations ...string) engine.SchemaOption {
	if text == "" {
		return engine.SchemaOption{}
	}
	o, err := engine.SchemaText(text, notations...)
	if err != nil {
		panic(err)
	}
	return o
}
