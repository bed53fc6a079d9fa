// Package doctor looks, without a run and without a trace, at whether
// pipelines would work here and now: it asks every connection, input and
// output that is an engine.Checker, and looks at where positions are kept.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
)

// Report is what was found. Its JSON form is stable: fields are added, never
// renamed, unless Version changes.
type Report struct {
	Version int `json:"version"`
	// Status is the worst one of all checks; what is unknown counts as ok.
	Status engine.CheckStatus `json:"status"`
	// Seconds that all of it took.
	Seconds  float64   `json:"seconds"`
	Subjects []Subject `json:"subjects"`
}

// Subject is what was looked at as a whole.
type Subject struct {
	// Pipeline is empty for a connection.
	Pipeline string `json:"pipeline,omitempty"`
	// Address is connection.kafka.main, input.kafka.orders, or positions.
	Address string             `json:"address"`
	Status  engine.CheckStatus `json:"status"`
	Seconds float64            `json:"seconds"`
	Checks  []Check            `json:"checks"`
}

// Check is one result.
type Check struct {
	Status engine.CheckStatus `json:"status"`
	What   string             `json:"what"`
	Detail string             `json:"detail,omitempty"`
	Remedy string             `json:"remedy,omitempty"`
}

// PositionsAddress is the Subject of a pipeline's positions.
const PositionsAddress = "positions"

// Options are how Run works.
type Options struct {
	// Timeout bounds all of it.
	Timeout time.Duration
	// AtOnce is how many subjects are looked at together.
	AtOnce int
	// Env is what elements are made with; Pipeline and Element are filled in.
	Env engine.Env
	// Progress, if set, is called from one goroutine at a time when a subject
	// is begun and when it is done.
	Progress func(done, all int, now []string)
	// Grace is how long a Check may go on after the end of its time before it
	// is given up. 0 means two seconds.
	Grace time.Duration
}

// subject is a Subject to be.
type subject struct {
	Subject
	check func(ctx context.Context, r *engine.CheckReport)
	// needs are the connections without which nothing can be said.
	needs []string
}

// Run looks at the pipelines and at the connections that they use; with all,
// at those that nobody uses too.
func Run(ctx context.Context, plan *engine.Plan, pipelines []*engine.Pipeline, all bool, o Options) *Report {
	began := time.Now()
	if o.Grace == 0 {
		o.Grace = 2 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	b := &builder{used: map[string]bool{}, values: map[string]any{}, hide: newBlotter()}
	for _, c := range plan.Connections {
		b.values[c.Name] = c.Value
	}
	elements := b.elements(pipelines, o.Env)
	conns := b.connections(plan, all)
	total := len(elements) + len(conns)

	p := &progress{tell: o.Progress, all: total}
	runAll(ctx, conns, o, p, b.hide)
	broken := map[string]bool{}
	for _, c := range conns {
		broken[c.Address] = c.Status == engine.CheckFailure
	}
	for _, e := range elements {
		if i := slices.IndexFunc(e.needs, func(name string) bool { return broken[name] }); i >= 0 {
			name := e.needs[i]
			e.check = func(_ context.Context, r *engine.CheckReport) {
				r.Unknown("not looked at", "since "+name+" does not work", "")
			}
		}
	}
	runAll(ctx, elements, o, p, b.hide)

	rep := &Report{Version: 1, Status: engine.CheckOK, Subjects: []Subject{}}
	for _, s := range slices.Concat(conns, elements) {
		rep.Subjects = append(rep.Subjects, s.Subject)
		rep.Status = worse(rep.Status, s.Status)
	}
	rep.Seconds = time.Since(began).Seconds()
	return rep
}

// worse returns the worse one of two states; unknown is not worse than ok.
func worse(a, b engine.CheckStatus) engine.CheckStatus {
	rank := map[engine.CheckStatus]int{engine.CheckWarning: 1, engine.CheckFailure: 2}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// Counts returns how many checks came out in each way.
func (r *Report) Counts() map[engine.CheckStatus]int {
	n := map[engine.CheckStatus]int{}
	for _, s := range r.Subjects {
		for _, c := range s.Checks {
			n[c.Status]++
		}
	}
	return n
}

type builder struct {
	used   map[string]bool // connections
	values map[string]any  // of connections
	hide   *blotter
}

// connections returns the subjects of connections that can be asked.
func (b *builder) connections(plan *engine.Plan, all bool) []*subject {
	var list []*subject
	for _, c := range plan.Connections {
		b.hide.learn(c.Config)
		checker, ok := c.Value.(engine.Checker)
		if ok && (all || b.used[c.Name]) {
			list = append(list, &subject{Subject: Subject{Address: c.Name}, check: checker.Check})
		}
	}
	return list
}

// elements returns the subjects of inputs and outputs, and of positions.
func (b *builder) elements(pipelines []*engine.Pipeline, env engine.Env) []*subject {
	var list []*subject
	for _, p := range pipelines {
		positions := false
		var values []any
		for _, e := range p.Elements {
			b.hide.learn(e.Config)
			needs := connectionsOf(e.Config)
			for _, name := range needs {
				b.used[name] = true
			}
			env := env
			env.Pipeline, env.Element = p.Name, e.Address()
			value, err := build(e, env)
			values = append(values, value)
			positions = positions || keeps(e, value)
			s := &subject{Subject: Subject{Pipeline: p.Name, Address: e.Address()}, needs: needs}
			switch checker, ok := value.(engine.Checker); {
			case err != nil:
				s.check = func(_ context.Context, r *engine.CheckReport) {
					r.Fail("settings", err.Error(), "Correct the options of the element.")
				}
			case ok:
				s.check = checker.Check
			default:
				continue
			}
			list = append(list, s)
		}
		transact(p, values)
		if s := b.positions(p, positions); s != nil {
			list = append(list, s)
		}
	}
	return list
}

// transact lets outputs know the transactions that they would write in, so that
// their checks look at these, too.
func transact(p *engine.Pipeline, values []any) {
	if p.Settings.Delivery != engine.ExactlyOnce || engine.TransactionsOf(p.Elements) == "" {
		return
	}
	s := engine.TransactionSettings{CommitInterval: p.Settings.CommitInterval, Shared: true}
	for i, e := range p.Elements {
		if _, ok := values[i].(engine.Enlister); e.Kind == engine.KindInput && !ok {
			s.Shared = false
		}
	}
	for i, e := range p.Elements {
		if x, ok := values[i].(engine.Transactor); ok && e.Delivery.Transactions != "" {
			_, _ = x.Transact(s) // a mistake here is told by the run
		}
	}
}

func build(e *engine.Element, env engine.Env) (any, error) {
	switch {
	case e.NewInput != nil:
		return e.NewInput(env)
	case e.NewOutput != nil:
		return e.NewOutput(env)
	case e.NewProcessor != nil:
		return e.NewProcessor(env)
	}
	return nil, nil
}

// keeps reports whether something of the element is stored in the pipeline's
// folder: the positions of an input, or the memory of a processor.
func keeps(e *engine.Element, value any) bool {
	if e.Kind == engine.KindInput {
		_, own := value.(engine.Committer)
		return !own
	}
	p, ok := value.(engine.Processor)
	return ok && engine.Remembers(p)
}

// connectionsOf finds the connections that a config refers to.
func connectionsOf(config any) []string {
	var names []string
	walk(reflect.ValueOf(config), 0, func(v any) {
		if ref, ok := v.(engine.ConnectionRef); ok && ref.Name != "" && !slices.Contains(names, ref.Name) {
			names = append(names, ref.Name)
		}
	})
	return names
}

// maxDepth ends a walk through a config that contains itself.
const maxDepth = 12

// walk calls f for every ConnectionRef and Secret of a config.
func walk(v reflect.Value, depth int, f func(any)) {
	if !v.IsValid() || depth > maxDepth {
		return
	}
	if v.Type() == reflect.TypeFor[engine.ConnectionRef]() || v.Type() == reflect.TypeFor[engine.Secret]() {
		if v.CanInterface() {
			f(v.Interface())
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(v.Elem(), depth+1, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				walk(v.Field(i), depth+1, f)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			walk(v.Index(i), depth+1, f)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			walk(v.MapIndex(k), depth+1, f)
		}
	}
}

// positions returns the subject of a pipeline's positions, nil if it has none:
// what is in Kafka and, if kept is true, what is in the folder.
func (b *builder) positions(p *engine.Pipeline, kept bool) *subject {
	s := &subject{Subject: Subject{Pipeline: p.Name, Address: PositionsAddress}}
	name, value := p.Settings.Checkpoint.Name, p.Settings.Checkpoint.Value
	elsewhere := false
	if tx := engine.TransactionsOf(p.Elements); p.Settings.Delivery == engine.ExactlyOnce && tx != "" {
		name, value, elsewhere = tx, b.values[tx], !slices.ContainsFunc(p.Elements, func(e *engine.Element) bool {
			return e.Kind == engine.KindInput && e.Delivery.Transactions == ""
		})
	} else if !kept {
		return nil
	}
	if system, ok := value.(checkpoint.System); ok && name != "" {
		b.used[name] = true
		s.needs = []string{name}
		s.check = func(ctx context.Context, r *engine.CheckReport) { system.CheckPositions(ctx, r, p.Name, elsewhere) }
		return s
	}
	if !kept {
		return nil
	}
	s.check = positionsOf(p)
	return s
}

// positionsOf looks at where a pipeline's positions are kept.
func positionsOf(p *engine.Pipeline) func(context.Context, *engine.CheckReport) {
	dir := p.Settings.StateDir
	return func(_ context.Context, r *engine.CheckReport) {
		what := "folder " + dir
		stored, err := checkpoint.Inspect(dir, p.Name)
		var held *checkpoint.HeldError
		switch {
		case errors.As(err, &held):
			r.Warn(what, held.Error()+" now, and a second one cannot", "Stop that run before the next one, or give them different folders (state_dir).")
		case err != nil:
			r.Fail(what, err.Error(), "Give the user that runs flow the right to write there, or name another folder (state_dir, --state-dir).")
		case stored < 0:
			r.OK(what, "can be made; no position is stored yet")
		case stored == 0:
			r.OK(what, "can be written to; no position is stored yet")
		default:
			r.OK(what, "can be written to; %s stored", plural(stored, "position"))
		}
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
