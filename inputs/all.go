// Package inputs lists the inputs of flow.
package inputs

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/inputs/command"
	"github.com/flowrecords/flow/inputs/file"
	"github.com/flowrecords/flow/inputs/generate"
	"github.com/flowrecords/flow/inputs/http"
	httpclient "github.com/flowrecords/flow/inputs/http_client"
	"github.com/flowrecords/flow/inputs/kafka"
	"github.com/flowrecords/flow/inputs/stdin"
)

// All lists the inputs of flow. Adding one is one line here and its folder.
func All() []engine.InputFactory {
	return []engine.InputFactory{
		command.Factory(),
		file.Factory(),
		generate.Factory(),
		http.Factory(),
		httpclient.Factory(),
		kafka.Factory(),
		stdin.Factory(),
	}
}
