// Package processors lists the processors of flow.
package processors

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/processors/cast"
	"github.com/flowrecords/flow/processors/dedupe"
	"github.com/flowrecords/flow/processors/dropheaders"
	"github.com/flowrecords/flow/processors/extractfield"
	"github.com/flowrecords/flow/processors/filter"
	"github.com/flowrecords/flow/processors/flatten"
	"github.com/flowrecords/flow/processors/headerfrom"
	"github.com/flowrecords/flow/processors/hoistfield"
	"github.com/flowrecords/flow/processors/insertfield"
	"github.com/flowrecords/flow/processors/insertheader"
	"github.com/flowrecords/flow/processors/logging"
	"github.com/flowrecords/flow/processors/mapping"
	"github.com/flowrecords/flow/processors/maskfield"
	"github.com/flowrecords/flow/processors/ratelimit"
	"github.com/flowrecords/flow/processors/redact"
	"github.com/flowrecords/flow/processors/regexrouter"
	"github.com/flowrecords/flow/processors/replacefield"
	"github.com/flowrecords/flow/processors/route"
	"github.com/flowrecords/flow/processors/sample"
	"github.com/flowrecords/flow/processors/schemametadata"
	"github.com/flowrecords/flow/processors/split"
	"github.com/flowrecords/flow/processors/timestampconverter"
	"github.com/flowrecords/flow/processors/timestamprouter"
	"github.com/flowrecords/flow/processors/valuetokey"
	"github.com/flowrecords/flow/processors/window"
)

// All lists the processors. Adding one is a line here and its folder.
func All() []engine.ProcessorFactory {
	return []engine.ProcessorFactory{
		window.Factory(),
		cast.Factory(),
		dedupe.Factory(),
		dropheaders.Factory(),
		extractfield.Factory(),
		filter.Factory(),
		flatten.Factory(),
		headerfrom.Factory(),
		hoistfield.Factory(),
		insertfield.Factory(),
		insertheader.Factory(),
		logging.Factory(),
		mapping.Factory(),
		maskfield.Factory(),
		ratelimit.Factory(),
		redact.Factory(),
		regexrouter.Factory(),
		replacefield.Factory(),
		route.Factory(),
		sample.Factory(),
		schemametadata.Factory(),
		split.Factory(),
		timestampconverter.Factory(),
		timestamprouter.Factory(),
		valuetokey.Factory(),
	}
}
