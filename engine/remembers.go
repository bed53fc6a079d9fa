package engine

import "github.com/flowrecords/flow/engine/record"

// Remembers reports whether a processor has a State, which is kept beside the
// positions of the pipeline.
func Remembers(p Processor) bool {
	serial, ok := p.(Serial)
	if !ok || !serial.Serial() {
		return false
	}
	bound, err := p.Bind(record.NewLayout())
	if err != nil {
		return false
	}
	if bound.Close != nil {
		bound.Close()
	}
	return bound.State != nil
}
