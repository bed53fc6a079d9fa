package deadletters

import (
	"fmt"
	"os"
	"slices"
	"strings"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/outputs/file"
	"github.com/flowrecords/flow/outputs/kafka"
)

// OfPipeline returns what the errors outputs of a pipeline have written, all of
// them or the one that name means. Nothing is opened. Its errors are for people;
// notes are about outputs whose records nobody can read back.
func OfPipeline(p *engine.Pipeline, name string, env engine.Env) (sources []Source, notes []string, err error) {
	var all []string
	reads := errorsOutputs(p)
	for _, e := range reads {
		all = append(all, e.Address())
	}
	switch {
	case len(all) == 0:
		return nil, nil, fmt.Errorf("pipeline %q has no errors output, so it keeps no failed records: add an output with from = [errors]", p.Name)
	case name != "":
		reads = slices.DeleteFunc(reads, func(e *engine.Element) bool { return !Means(e.Address(), name) })
		if len(reads) == 0 {
			return nil, nil, fmt.Errorf("pipeline %q has no errors output %q.%s It has %s", p.Name, name, didYouMean(name, all), strings.Join(all, ", "))
		}
		if len(reads) > 1 {
			return nil, nil, fmt.Errorf("%q may mean %s or %s: write more of it", name, reads[0].Address(), reads[1].Address())
		}
	}
	var why error
	for _, e := range reads {
		src, err := ofOutput(e, env)
		switch {
		case err != nil:
			why = fmt.Errorf("%s: %w", e.Address(), err)
			notes = append(notes, why.Error())
		case src != nil:
			sources = append(sources, src)
		}
	}
	if len(sources) == 0 && why != nil {
		return nil, nil, why
	}
	return sources, notes, nil
}

func didYouMean(given string, names []string) string {
	for _, n := range names {
		parts := strings.Split(n, ".")
		names = append(names, parts[len(parts)-1], strings.Join(parts[1:], "."))
	}
	if near := dsl.Nearest(given, names); near != "" {
		return fmt.Sprintf(" Did you mean %q?", near)
	}
	return ""
}

// HasErrorsOutput reports whether a pipeline keeps its failed records.
func HasErrorsOutput(p *engine.Pipeline) bool { return len(errorsOutputs(p)) > 0 }

// errorsOutputs are the outputs that read errors, also through processors.
func errorsOutputs(p *engine.Pipeline) []*engine.Element {
	behind := map[string]bool{}
	for range p.Elements { // each round reaches one element further
		for _, e := range p.Elements {
			for _, from := range e.From {
				if from.Name == engine.ErrorsPort || behind[from.Element] {
					behind[e.Address()] = true
				}
			}
		}
	}
	var out []*engine.Element
	for _, e := range p.Elements {
		if e.Kind == engine.KindOutput && behind[e.Address()] {
			out = append(out, e)
		}
	}
	return out
}

// beginning is the text of a template in front of its first hole; whole: it has
// none, or only constant ones.
func beginning(t engine.Template) (text string, whole bool) {
	if text, whole = t.Source.Literal(); whole {
		return text, true
	}
	text, _, _ = strings.Cut(t.Source.Text(), "{{")
	return text, false
}

// ofOutput returns what an output has written; nil if that is nothing yet.
func ofOutput(e *engine.Element, env engine.Env) (Source, error) {
	switch c := e.Config.(type) {
	case *file.Config:
		if c.Format != "envelope" {
			return nil, fmt.Errorf("format %q keeps no reasons: set format = \"envelope\", with which failed records can be listed and replayed", c.Format)
		}
		list := file.Written
		prefix, whole := beginning(c.Path)
		if !whole {
			list = below
		}
		paths, err := list(prefix)
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		if len(paths) == 0 {
			return nil, nil
		}
		return &Files{Title: e.Address(), Paths: paths}, nil
	case *kafka.Config:
		conn, err := connkafka.Of(c.Connection)
		if err != nil {
			return nil, err
		}
		topic, whole := beginning(c.Topic)
		return &Topics{Title: e.Address(), Conn: conn, Env: env, Topic: topic, Prefix: !whole}, nil
	}
	return nil, fmt.Errorf("what a %s output has written cannot be read back: use a file with format = \"envelope\" or a topic", e.Type)
}
