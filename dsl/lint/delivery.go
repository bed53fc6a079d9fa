package lint

import (
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// onceInputs finds a promise that an input cannot keep. Without the promise in
// words nobody was misled: a pipe is read once, as everywhere.
func (k *checker) onceInputs(p *Pipeline) {
	o := p.Option("delivery")
	if o == nil || !o.Given || p.Settings.Delivery != "at_least_once" {
		return
	}
	for _, e := range p.inputs() {
		if e.Delivery.Once == "" {
			continue
		}
		k.report(rules.InputReadOnce, o.Expr.Range(), "at_least_once cannot be kept over a crash",
			"%s cannot be read again: %s. What it has given and no output has confirmed is lost when flow is killed. Put what can be read again in front, such as a file or a topic, or leave this line out.", e.short(), e.Delivery.Once)
		return
	}
}

// lossy finds an option by which an output confirms records that may still be
// lost, where the position of a source depends on it.
func (k *checker) lossy(p *Pipeline, e *Element) {
	if e.Kind != engine.KindOutput || e.Delivery.Lossy == "" || e.Promise == nil || !p.Whole {
		return
	}
	if !slices.ContainsFunc(newWiring(p).from(e), func(in *Element) bool { return in.Delivery.Once == "" }) {
		return
	}
	if o := e.causeOf(func(d engine.Delivery) bool { return d.Lossy == "" }); o != nil {
		k.report(rules.LossyOutput, o.Expr.Range(), "records can be lost after they were confirmed",
			"%s. The positions of the inputs move on with these confirmations, so the records are not read again. Leave %s at its default, %s, unless the loss is accepted.", upperFirst(e.Delivery.Lossy), o.Name, o.Default)
	}
}

// causeOf returns the option without which the output promises what is wanted.
func (e *Element) causeOf(wanted func(engine.Delivery) bool) *Option {
	config := reflect.ValueOf(e.Config)
	if config.Kind() != reflect.Pointer || e.Fresh == nil {
		return nil
	}
	fresh := reflect.ValueOf(e.Fresh())
	for _, o := range e.Options {
		if !o.Given || o.Expr == nil || o.Default == "" || strings.ContainsAny(o.Path, ".[") {
			continue
		}
		other := reflect.New(config.Type().Elem())
		other.Elem().Set(config.Elem())
		o.Field(other).Set(o.Field(fresh))
		if wanted(e.Promise(other.Interface())) {
			return o
		}
	}
	return nil
}

// sharedGroups finds inputs that take each other's records away.
func (k *checker) sharedGroups() {
	type reader struct {
		p *Pipeline
		e *Element
	}
	groups := make(map[string][]reader)
	for _, p := range k.config.Pipelines {
		for _, e := range p.inputs() {
			if e.Group == "" {
				continue
			}
			for _, first := range groups[e.Group] {
				if len(e.Streams) > 0 && len(first.e.Streams) > 0 && !overlap(e.Streams, first.e.Streams) || k.ordered(p, first.p) {
					continue
				}
				k.report(rules.SharedGroup, valueRange(&e.Part, "group"), "two inputs share one consumer group",
					"The %s at %s is in it too, so each of them gets only a part of the records. Give each its own group, or let several elements read one input.", first.e.short(), where(first.e.At))
				break
			}
			groups[e.Group] = append(groups[e.Group], reader{p, e})
		}
	}
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// ordered reports whether one of the pipelines waits for the other, so that
// they never run at once.
func (k *checker) ordered(a, b *Pipeline) bool {
	return a != b && (k.waits(a, b, make(map[*Pipeline]bool)) || k.waits(b, a, make(map[*Pipeline]bool)))
}

func (k *checker) waits(p, target *Pipeline, seen map[*Pipeline]bool) bool {
	if p == target {
		return true
	}
	if seen[p] {
		return false
	}
	seen[p] = true
	return slices.ContainsFunc(k.config.Pipelines, func(q *Pipeline) bool {
		return slices.Contains(p.Settings.After, q.Name) && k.waits(q, target, seen)
	})
}

// sharedFiles finds outputs that write one file: the second finds it locked.
func (k *checker) sharedFiles() {
	type writer struct {
		p *Pipeline
		e *Element
	}
	writers := make(map[string]writer)
	for _, p := range k.config.Pipelines {
		for _, e := range p.outputs() {
			for _, path := range e.Files {
				if path = clean(path); strings.HasPrefix(path, "/dev/") {
					continue
				}
				first, taken := writers[path]
				if !taken {
					writers[path] = writer{p, e}
					continue
				}
				if k.ordered(p, first.p) {
					continue
				}
				k.report(rules.SharedFile, valueRange(&e.Part, e.destination()), "two outputs write one file",
					"The %s at %s writes it too, and only one can have it open. Let one output read both: from = [...]", first.e.short(), where(first.e.At))
			}
		}
	}
}

// destination is the path of the option that says where an output writes.
func (e *Element) destination() string {
	for _, o := range e.Options {
		if o.Destination && o.Given {
			return o.Path
		}
	}
	return ""
}

// valueRange is the place of an option's value, or of the block.
func valueRange(p *Part, path string) hcl.Range {
	if o := p.Option(path); o != nil && o.Given && o.Expr != nil {
		return o.Expr.Range()
	}
	return p.At
}

// where is a place in words.
func where(r hcl.Range) string {
	return strings.Join([]string{r.Filename, itoa(r.Start.Line), itoa(r.Start.Column)}, ":")
}
