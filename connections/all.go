// Package connections lists the systems that flow has shared client settings
// for. Each has a folder of its own, which imports no component.
package connections

import (
	"github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/engine"
)

// All returns the factories of all connections, one line each.
func All() []engine.ConnectionFactory {
	return []engine.ConnectionFactory{
		kafka.Factory(),
		registry.Factory(),
	}
}
