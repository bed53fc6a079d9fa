// Package outputs lists the outputs of flow.
package outputs

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/outputs/command"
	"github.com/flowrecords/flow/outputs/drop"
	"github.com/flowrecords/flow/outputs/file"
	"github.com/flowrecords/flow/outputs/http"
	"github.com/flowrecords/flow/outputs/kafka"
	"github.com/flowrecords/flow/outputs/stdout"
)

// All lists the outputs. Adding one is a line here and its folder.
func All() []engine.OutputFactory {
	return []engine.OutputFactory{
		command.Factory(),
		drop.Factory(),
		file.Factory(),
		http.Factory(),
		kafka.Factory(),
		stdout.Factory(),
	}
}
