package dsl_test

import (
	"testing"

	"github.com/flowrecords/flow/connections"
	"github.com/flowrecords/flow/converters"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/inputs"
	"github.com/flowrecords/flow/outputs"
	"github.com/flowrecords/flow/processors"
)

// registry holds the components of flow, as the command line has them.
func registry(t testing.TB) *engine.Registry {
	t.Helper()
	r, err := engine.NewRegistry(engine.Components{
		Inputs:      inputs.All(),
		Processors:  processors.All(),
		Outputs:     outputs.All(),
		Converters:  converters.All(),
		Connections: connections.All(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	if err := engine.CheckRegistry(registry(t)); err != nil {
		t.Error(err)
	}
}
