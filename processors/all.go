// Package processors lists the processors of flow.
package processors

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/processors/dedupe"
	"github.com/flowrecords/flow/processors/filter"
	"github.com/flowrecords/flow/processors/logging"
	"github.com/flowrecords/flow/processors/mapping"
	"github.com/flowrecords/flow/processors/ratelimit"
	"github.com/flowrecords/flow/processors/redact"
	"github.com/flowrecords/flow/processors/route"
	"github.com/flowrecords/flow/processors/sample"
	"github.com/flowrecords/flow/processors/split"
	"github.com/flowrecords/flow/processors/window"
)

// All lists the processors. Adding one is a line here and its folder.
func All() []engine.ProcessorFactory {
	return []engine.ProcessorFactory{
		window.Factory(),
		dedupe.Factory(),
		filter.Factory(),
		logging.Factory(),
		mapping.Factory(),
		ratelimit.Factory(),
		redact.Factory(),
		route.Factory(),
		sample.Factory(),
		split.Factory(),
	}
}
