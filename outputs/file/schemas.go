package file

import (
	"strings"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/outputs/internal/frame"
)

// schemas says of which schema the records are in a container file that come
// with in, and what of them the format cannot carry.
func (c *Config) schemas(in engine.Schemas) (engine.Schemas, []engine.Problem) {
	if !c.container() || in.Value == nil || in.Value.Vague() {
		return in, nil
	}
	options, was := c.frame(), in.Value
	var err error
	if in.Value, err = options.FileSchema(was); err == nil {
		return in, nil
	}
	why := strings.ReplaceAll(err.Error(), "\n", "; ") + "."
	if !c.Schema.IsZero() {
		return in, []engine.Problem{{Option: "schema", Summary: "the records do not fit the schema of the files", Detail: "They cannot be written with it: " + why}}
	}
	p := engine.Problem{Option: "format", Summary: "Parquet cannot carry the records", Detail: "They cannot be written: " + why}
	if c.Format == frame.Parquet {
		return in, []engine.Problem{p} // it names its option itself
	}
	p.Summary = "Avro cannot carry the records"
	// The option that lets it pass is the one to name.
	untyped, scrub := options, options
	untyped.Container.From.Untyped, scrub.Container.From.Scrub = true, true
	if _, err := untyped.FileSchema(was); err == nil {
		p.Detail += ` Set the field to something of a known type, or write it as JSON text: avro { untyped = "json" }.`
	} else if _, err := scrub.FileSchema(was); err == nil {
		p.Detail += ` Rename it, or let underscores replace what is not allowed: avro { scrub_names = true }.`
	}
	return in, []engine.Problem{p}
}
