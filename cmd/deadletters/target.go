package deadletters

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine"
)

// Target is a pipeline that letters go back to.
type Target struct {
	Pipeline *engine.Pipeline
	at       *engine.Element // where all go; nil: where each failed
}

// NewTarget returns the target. at is an element, or its end that is clear; the
// word input is the only input. Empty: each letter goes where it failed.
func NewTarget(p *engine.Pipeline, at string) (*Target, error) {
	t := &Target{Pipeline: p}
	if at == "" {
		return t, nil
	}
	if at == string(engine.KindInput) {
		e, err := t.input()
		t.at = e
		return t, err
	}
	var found []*engine.Element
	var all []string
	for _, e := range p.Elements {
		all = append(all, e.Address())
		if Means(e.Address(), at) {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("pipeline %q has no element %q.%s It has %s", p.Name, at, didYouMean(at, all), strings.Join(all, ", "))
	case 1:
		t.at = found[0]
		return t, nil
	}
	return nil, fmt.Errorf("%q may mean %s or %s: write more of it", at, found[0].Address(), found[1].Address())
}

func (t *Target) input() (*engine.Element, error) {
	var inputs []*engine.Element
	for _, e := range t.Pipeline.Elements {
		if e.Kind == engine.KindInput {
			inputs = append(inputs, e)
		}
	}
	if len(inputs) != 1 {
		return nil, fmt.Errorf("pipeline %q has %d inputs: say with --at which one", t.Pipeline.Name, len(inputs))
	}
	return inputs[0], nil
}

// Foreign reports a letter of another pipeline.
func (t *Target) Foreign(l *Letter) bool {
	return t.at == nil && l.Stage == "" && l.Pipeline != "" && l.Pipeline != t.Pipeline.Name
}

// Place returns the element that a letter goes to. An error says that the config
// as it is now has no place for it.
func (t *Target) Place(l *Letter) (*engine.Element, error) {
	if t.at != nil {
		return t.at, nil
	}
	if i := slices.IndexFunc(t.Pipeline.Elements, func(e *engine.Element) bool { return e.Address() == l.Element }); i >= 0 {
		return t.Pipeline.Elements[i], nil
	}
	if l.Element == "" { // Connect keeps records as they were read
		return t.input()
	}
	var all []string
	for _, e := range t.Pipeline.Elements {
		all = append(all, e.Address())
	}
	return nil, fmt.Errorf("pipeline %q has no %s any more.%s Say with --at where its records go", t.Pipeline.Name, l.Element, didYouMean(l.Element, all))
}
