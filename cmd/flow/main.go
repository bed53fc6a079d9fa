// Command flow moves records between systems as an HCL file says.
package main

import (
	"os"

	"github.com/flowrecords/flow/cmd/cli"
	"github.com/flowrecords/flow/connections"
	"github.com/flowrecords/flow/converters"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/inputs"
	"github.com/flowrecords/flow/outputs"
	"github.com/flowrecords/flow/processors"
)

// version is set by the linker: -X main.version=v1.2.3.
var version = "dev"

func main() {
	os.Exit(cli.Main(cli.Program{
		Version: version,
		Components: engine.Components{
			Inputs:      inputs.All(),
			Processors:  processors.All(),
			Outputs:     outputs.All(),
			Converters:  converters.All(),
			Connections: connections.All(),
		},
		Args:    os.Args[1:],
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Environ: os.Environ(),
	}))
}
