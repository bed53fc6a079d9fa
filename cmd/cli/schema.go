package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/schema"
)

type schemaFlags struct {
	configFlags
	format  string
	only    []string
	full    bool
	key     bool
	fetch   bool
	timeout time.Duration
}

func (a *app) schemaCommand() *cobra.Command {
	var f schemaFlags
	c := &cobra.Command{
		Use:   "schema FILE|DIR... [ELEMENT]",
		Short: "Show the schema of records after each element",
		Long: `schema prints the types of keys and values behind each element of a pipeline,
in the order of the flow: all of it where records come in, and then what each
element changes. Where a schema is not known before a run, it says why.

With an ELEMENT, processor.NAME or processor.TYPE.NAME, only that is shown; as
json or avro it is then the schema alone, of the value or with --key of the key.

It opens no connection unless --fetch is given. Then it asks schema registries
for the latest schema of each topic that inputs read, and checks the rest of the
pipeline against it.

Exit status: 0 shown, 1 what was asked for is not known or cannot be fetched,
2 wrong config or usage.`,
		Example: "  flow schema pipeline.hcl\n  flow schema --format avro pipeline.hcl processor.shape >order.avsc",
		Args:    somePath,
		RunE:    func(c *cobra.Command, args []string) error { return a.schema(c.Context(), args, f) },
	}
	f.add(c)
	c.Flags().StringVar(&f.format, "format", "text", "`format`: text, json or avro")
	c.Flags().StringArrayVar(&f.only, "pipeline", nil, "show only the pipeline of this `name` (repeatable)")
	c.Flags().BoolVar(&f.full, "full", false, "show whole schemas, not what each element changes")
	c.Flags().BoolVar(&f.key, "key", false, "with ELEMENT and json or avro: the schema of the key")
	c.Flags().BoolVar(&f.fetch, "fetch", false, "ask schema registries for the schemas of inputs")
	c.Flags().DurationVar(&f.timeout, "timeout", 30*time.Second, "longest `time` that --fetch may take")
	return c
}

// schema is the schema command.
func (a *app) schema(ctx context.Context, args []string, f schemaFlags) error {
	formats := []string{"text", "json", "avro"}
	if !slices.Contains(formats, f.format) {
		detail := "write text, json or avro"
		if near := dsl.Nearest(f.format, formats); near != "" {
			detail = fmt.Sprintf("did you mean %q?", near)
		}
		return &exitError{ExitConfig, fmt.Errorf("--format: there is no format %q; %s", f.format, detail)}
	}
	paths, element := splitElement(args)
	switch {
	case len(paths) == 0:
		return &exitError{ExitConfig, errors.New("name a file or folder: flow schema FILE|DIR... [ELEMENT]")}
	case f.timeout <= 0:
		return &exitError{ExitConfig, errors.New("--timeout: it must be more than 0")}
	case f.key && (element == "" || f.format == "text"):
		return &exitError{ExitConfig, errors.New("--key: it is for one element as json or avro: flow schema --key --format avro FILE processor.NAME")}
	}
	o := a.options(f.configFlags)
	var failed []error
	if f.fetch {
		ctx, cancel := context.WithTimeout(ctx, f.timeout)
		defer cancel()
		o.Fetch = func(c engine.Fetcher, topic string, key bool) (*schema.Schema, error) {
			s, err := c.Fetch(ctx, topic, key)
			if err != nil {
				failed = append(failed, err)
			}
			return s, err
		}
	}
	res := dsl.Load(paths, o)
	a.printDiagnostics(res)
	if res.Diags.HasErrors() {
		return &exitError{code: ExitConfig}
	}
	pipelines, err := selectPipelines(res.Plan.Pipelines, f.only)
	if err != nil {
		return &exitError{ExitConfig, err}
	}
	steps, err := schemaSteps(pipelines, element)
	if err != nil {
		return &exitError{ExitConfig, err}
	}
	if err := a.writeSchemas(steps, element != "", f); err != nil {
		return err
	}
	if len(failed) > 0 {
		return &exitError{ExitFailed, fmt.Errorf("fetching schemas: %w", failed[0])}
	}
	return nil
}

// splitElement takes an element from the end of the arguments, unless a file
// has its name.
func splitElement(args []string) (paths []string, element string) {
	last := args[len(args)-1]
	kind, _, dotted := strings.Cut(last, ".")
	if !dotted || !slices.Contains([]string{"input", "processor", "output"}, kind) {
		return args, ""
	}
	if _, err := os.Stat(last); err == nil {
		return args, ""
	}
	return args[:len(args)-1], last
}

// schemaStep is an element of a pipeline, in the order of the flow.
type schemaStep struct {
	pipeline string
	*engine.Element
}

// schemaSteps are the elements to show; with an address only that one.
func schemaSteps(pipelines []*engine.Pipeline, address string) ([]schemaStep, error) {
	var steps []schemaStep
	var names []string
	for _, p := range pipelines {
		for _, e := range inFlow(p) {
			short := string(e.Kind) + "." + e.Name
			names = append(names, short)
			if address == "" || address == short || address == e.Address() {
				steps = append(steps, schemaStep{p.Name, e})
			}
		}
	}
	switch {
	case address == "":
	case len(steps) == 0:
		return nil, fmt.Errorf("no element is called %s.%s", address, didYouMean(address, names))
	case len(steps) > 1:
		return nil, fmt.Errorf("%s is an element of several pipelines: choose one with --pipeline", address)
	}
	return steps, nil
}

// inFlow returns the elements so that each stands behind what it reads, and
// otherwise as in the file.
func inFlow(p *engine.Pipeline) []*engine.Element {
	var out []*engine.Element
	done := make(map[string]bool)
	ready := func(e *engine.Element) bool {
		return !slices.ContainsFunc(e.From, func(f engine.Port) bool { return f.Element != "" && !done[f.Element] })
	}
	for len(out) < len(p.Elements) {
		before := len(out)
		for _, e := range p.Elements {
			if !done[e.Address()] && ready(e) {
				done[e.Address()] = true
				out = append(out, e)
			}
		}
		if len(out) == before {
			return p.Elements // a circle, which no config that compiles has
		}
	}
	return out
}

// writeSchemas writes in the wanted form. alone: it is one element.
func (a *app) writeSchemas(steps []schemaStep, alone bool, f schemaFlags) error {
	var text []byte
	var err error
	switch {
	case f.format == "text":
		text = schemaText(steps, f.full || alone, a.textWidth())
	case alone:
		text, err = lonelySchema(steps[0], f)
	default:
		text, err = schemaJSON(steps, f.format == "avro")
	}
	if err != nil {
		return &exitError{ExitFailed, err}
	}
	if _, err := a.Stdout.Write(text); err != nil {
		return &exitError{ExitFailed, fmt.Errorf("writing the schemas: %w", err)}
	}
	return nil
}
