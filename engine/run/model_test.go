package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/engine/enginetest"
)

// world is a random pipeline and what must come of it.
type world struct {
	t     *testing.T
	rnd   *rand.Rand
	store *checkpoint.Memory
	salt  uint64

	inputs  []string // addresses
	parts   map[string][]enginetest.Partition
	procs   map[string]behaviour
	order   []*engine.Element // without constructors
	readers map[engine.Port][]string
	refuses map[string]behaviour // outputs that refuse records

	// exact: the pipeline delivers exactly once, to targets that outlive runs.
	exact   bool
	targets map[string]*enginetest.MarkedTarget

	mu sync.Mutex // guards all below
	// got counts, by output and value, what was confirmed in all runs.
	got    map[string]map[string]int
	stored map[string]int64
}

func newWorld(t *testing.T, seed uint64, exact bool) *world {
	w := &world{t: t, rnd: rand.New(rand.NewPCG(seed, 99)), salt: seed * 1000, store: checkpoint.NewMemory(),
		parts: make(map[string][]enginetest.Partition), procs: make(map[string]behaviour), refuses: make(map[string]behaviour),
		readers: make(map[engine.Port][]string), got: make(map[string]map[string]int), stored: make(map[string]int64)}
	w.exact, w.targets = exact, make(map[string]*enginetest.MarkedTarget)
	w.build()
	w.store.OnSave = w.onSave
	if exact {
		w.store.OnSave = w.onCut
	}
	return w
}

func (w *world) behaviour(kind string) behaviour {
	w.salt++
	return behaviour{kind, w.salt}
}

func (w *world) add(kind engine.Kind, name string, from ...engine.Port) string {
	el := &engine.Element{Kind: kind, Type: "m", Name: name, From: from, Bounded: true}
	w.order = append(w.order, el)
	for _, f := range from {
		w.readers[f] = append(w.readers[f], el.Address())
	}
	return el.Address()
}

func (w *world) build() {
	var ports []engine.Port
	for i := range 1 + w.rnd.IntN(3) {
		addr := w.add(engine.KindInput, fmt.Sprint("in", i))
		w.inputs = append(w.inputs, addr)
		for k := range 1 + w.rnd.IntN(3) {
			p := enginetest.Partition{ID: fmt.Sprint("p", k)}
			for n := range w.rnd.IntN(120) {
				p.Records = append(p.Records, enginetest.Record{Value: fmt.Appendf(nil, "%d.%d.%d", i, k, n)})
			}
			w.parts[addr] = append(w.parts[addr], p)
		}
		ports = append(ports, engine.Port{Element: addr})
	}
	kinds := []string{"filter", "tag", "fail", "route", "split", "gather", "gate"}
	var procs []string
	for i := range w.rnd.IntN(7) {
		from := []engine.Port{ports[w.rnd.IntN(len(ports))]}
		if other := ports[w.rnd.IntN(len(ports))]; w.rnd.IntN(3) == 0 && other != from[0] {
			from = append(from, other)
		}
		b := w.behaviour(kinds[w.rnd.IntN(len(kinds))])
		addr := w.add(engine.KindProcessor, fmt.Sprint("f", i), from...)
		w.order[len(w.order)-1].Ports = b.ports()
		w.procs[addr] = b
		procs = append(procs, addr)
		if b.kind == "gather" {
			addr = w.add(engine.KindProcessor, fmt.Sprint("g", i), engine.Port{Element: addr})
			w.procs[addr] = w.behaviour("ungather")
		}
		for _, name := range append([]string{""}, b.ports()...) {
			ports = append(ports, engine.Port{Element: addr, Name: name})
		}
	}
	outputs := 0
	output := func(refuses bool, from ...engine.Port) {
		addr := w.add(engine.KindOutput, fmt.Sprint("out", outputs), from...)
		outputs++
		if refuses {
			w.refuses[addr] = w.behaviour("fail")
		}
	}
	for _, p := range ports {
		if len(w.readers[p]) == 0 || w.rnd.IntN(5) == 0 {
			output(w.rnd.IntN(2) == 0, p)
		}
	}
	if len(procs) > 0 && w.rnd.IntN(2) == 0 {
		output(false, engine.Port{Element: procs[w.rnd.IntN(len(procs))], Name: engine.ErrorsPort})
	}
	output(false, engine.Port{Name: engine.ErrorsPort})
}

// follow adds what a value that appears at a port must lead to.
func (w *world) follow(to map[string][]string, at engine.Port, v string) {
	for _, addr := range w.readers[at] {
		b, isProc := w.procs[addr]
		if !isProc {
			if b, ok := w.refuses[addr]; ok && b.on(v).err != nil {
				w.fail(to, addr, v)
				continue
			}
			to[addr] = append(to[addr], v)
			continue
		}
		verdict := b.on(v)
		if verdict.err != nil {
			w.fail(to, addr, v)
			continue
		}
		names := append([]string{""}, b.ports()...)
		for _, o := range verdict.out {
			w.follow(to, engine.Port{Element: addr, Name: names[o.port]}, o.v)
		}
	}
}

func (w *world) fail(to map[string][]string, addr, v string) {
	if at := (engine.Port{Element: addr, Name: engine.ErrorsPort}); len(w.readers[at]) > 0 {
		w.follow(to, at, v)
		return
	}
	w.follow(to, engine.Port{Name: engine.ErrorsPort}, v)
}

// onSave checks every stored position: no record before it may miss a
// confirmation, and it never goes back.
func (w *world) onSave(changed map[string]engine.Position) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rnd.IntN(5) == 0 {
		return errAway
	}
	for key, pos := range changed {
		if pos.Offset < w.stored[key] {
			w.t.Errorf("position of %s went from %d back to %d", key, w.stored[key], pos.Offset)
		}
		in, id, _ := strings.Cut(key, "/")
		for _, p := range w.parts[in] {
			if p.ID != id {
				continue
			}
			for n := w.stored[key]; n < pos.Offset; n++ {
				w.confirmed(in, string(p.Records[n].Value))
			}
		}
		w.stored[key] = pos.Offset
	}
	return nil
}

// confirmed checks that a source record reached all its ends.
func (w *world) confirmed(in, source string) {
	to := make(map[string][]string)
	w.follow(to, engine.Port{Element: in}, source)
	for addr, values := range to {
		for _, v := range values {
			if w.got[addr][v] == 0 {
				w.t.Errorf("the position passed record %s, which %s has not confirmed as %q", source, addr, v)
			}
		}
	}
}

// run makes the pipeline anew and runs it once; stopAt is the number of the
// write at which it is stopped.
func (w *world) run(stopAt int, abort bool) error {
	p := &engine.Pipeline{Name: "model", Settings: engine.DefaultSettings()}
	p.Settings.Workers = 1 + w.rnd.IntN(4)
	p.Settings.MaxInFlight = engine.ByteSize(64 + w.rnd.IntN(5000))
	if w.rnd.IntN(3) == 0 {
		p.Settings.Order = "none"
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	var r *Runner
	var hits int
	var mu sync.Mutex
	hook := func() {
		mu.Lock()
		defer mu.Unlock()
		if hits++; hits == stopAt {
			if abort {
				r.Abort()
			} else {
				cancel()
			}
		}
	}
	for _, el := range w.order {
		el := *el
		addr := el.Address()
		switch el.Kind {
		case engine.KindInput:
			in := &enginetest.Input{Partitions: w.parts[addr], BatchRecords: 1 + w.rnd.IntN(20)}
			el.NewInput = func(engine.Env) (engine.Input, error) { return in, nil }
		case engine.KindProcessor:
			el.NewProcessor = func(engine.Env) (engine.Processor, error) { return w.procs[addr].processor(), nil }
		case engine.KindOutput:
			out := w.output(addr, hook)
			el.Delivery.Marks = w.exact
			el.NewOutput = func(engine.Env) (engine.Output, error) { return out, nil }
		}
		p.Elements = append(p.Elements, &el)
	}
	var err error
	o := Options{Store: w.store}
	if w.exact {
		p.Settings.Delivery = engine.ExactlyOnce
		p.Settings.CommitInterval = time.Duration(1+w.rnd.IntN(20)) * time.Millisecond
		o.Store = &unsure{w.store, newRand(w.rnd.Uint64())}
	}
	if r, err = New(p, o); err != nil {
		w.t.Fatal(err)
	}
	return r.Run(ctx)
}

// output makes a fake that fails now and then, refuses, and answers late.
func (w *world) output(addr string, hook func()) engine.Output {
	rnd := newRand(w.rnd.Uint64())
	marking := &enginetest.MarkingOutput{}
	out := &marking.Output
	out.OnWrite = func(context.Context, int, *engine.Batch) error {
		hook()
		if w.exact {
			time.Sleep(time.Duration(rnd.IntN(3)) * time.Millisecond) // for cuts in the middle
		}
		if rnd.IntN(10) == 0 {
			return engine.Retry(errAway)
		}
		return nil
	}
	if w.rnd.IntN(2) == 0 {
		out.Late = newRand(w.rnd.Uint64())
	}
	if b, ok := w.refuses[addr]; ok {
		out.Refuse = func(r enginetest.Record) error { return b.on(string(r.Value)).err }
	}
	out.OnConfirm = func(list []enginetest.Record) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.got[addr] == nil {
			w.got[addr] = make(map[string]int)
		}
		for _, r := range list {
			w.got[addr][string(r.Value)]++
		}
	}
	if !w.exact {
		return out
	}
	if w.targets[addr] == nil {
		w.targets[addr] = &enginetest.MarkedTarget{}
	}
	marking.Target = w.targets[addr]
	fails := newRand(w.rnd.Uint64())
	marking.OnMark = func(context.Context, int) error {
		hook()
		return now(fails, engine.Retry(errAway))
	}
	marking.OnSync = func(context.Context, int) error {
		hook()
		return now(fails, engine.Retry(errAway))
	}
	marking.OnMarked = func(context.Context, int) error {
		hook()
		return nil
	}
	w.t.Cleanup(func() { misuse(w.t, marking) })
	return marking
}

// now returns err now and then.
func now(rnd *rand.Rand, err error) error {
	if rnd.IntN(6) == 0 {
		return err
	}
	return nil
}

// unsure is a store that now and then says it has failed when it has not.
type unsure struct {
	*checkpoint.Memory
	rnd *rand.Rand
}

func (u *unsure) Save(ctx context.Context, changed map[string]engine.Position) error {
	if err := u.Memory.Save(ctx, changed); err != nil {
		return err
	}
	return now(u.rnd, errAway)
}

// TestRandomPipelines runs random pipelines, with outputs that fail, refuse
// and answer late. Without interruption every record arrives exactly as often
// as the model says; stopped and started again it arrives at least so often,
// and never passes a stored position without.
func TestRandomPipelines(t *testing.T) {
	t.Parallel()
	for seed := range uint64(80) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, seed, false)
				interrupted := 0
				if seed%2 == 1 {
					for range 1 + w.rnd.IntN(6) {
						err := w.run(1+w.rnd.IntN(30), w.rnd.IntN(2) == 0)
						if err != nil && !errors.Is(err, ErrAborted) && !errors.Is(err, errAway) {
							t.Fatal(err)
						}
						interrupted++
					}
				}
				for { // the last commit fails now and then
					err := w.run(-1, false)
					if err == nil {
						break
					}
					if !errors.Is(err, errAway) {
						t.Fatal(err)
					}
					interrupted++
				}
				w.complete(interrupted == 0)
			})
		})
	}
}

// onCut checks Invariant 6 of what is about to be stored: up to its mark each
// target holds exactly what the records before the positions lead to.
func (w *world) onCut(changed map[string]engine.Position) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rnd.IntN(5) == 0 {
		return errAway
	}
	for key, pos := range changed {
		if strings.Contains(key, "/") {
			w.stored[key] = pos.Offset
		}
	}
	for addr, target := range w.targets {
		mark, ok := changed[addr]
		if !ok {
			w.t.Errorf("positions were stored without the mark of %s", addr)
			continue
		}
		n, err := strconv.Atoi(mark.State)
		if err != nil {
			w.t.Error(err)
		}
		w.compare("a cut", addr, target.Records()[:n], func(in string, p enginetest.Partition) int64 { return w.stored[in+"/"+p.ID] })
	}
	return nil
}

// compare compares what an output holds with what the first records of each
// partition lead to.
func (w *world) compare(when, addr string, records []enginetest.Record, upTo func(in string, p enginetest.Partition) int64) {
	balance := make(map[string]int)
	for _, r := range records {
		balance[string(r.Value)]++
	}
	for _, in := range w.inputs {
		for _, p := range w.parts[in] {
			for _, r := range p.Records[:upTo(in, p)] {
				to := make(map[string][]string)
				w.follow(to, engine.Port{Element: in}, string(r.Value))
				for _, v := range to[addr] {
					balance[v]--
				}
			}
		}
	}
	for v, n := range balance {
		if n != 0 {
			w.t.Errorf("%s: %s has %q %+d times too often", when, addr, v, n)
		}
	}
}

// TestRandomPipelinesExactlyOnce runs random pipelines that are stopped and cut
// short anywhere, writes, marks, syncs and stores failing now and then, until
// they are through: each target then holds each record exactly as often as the
// model says, and so it did at every cut (Invariant 6).
func TestRandomPipelinesExactlyOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(80) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, seed, true)
				for range 1 + w.rnd.IntN(8) {
					err := w.run(1+w.rnd.IntN(40), w.rnd.IntN(3) != 0)
					if err != nil && !errors.Is(err, ErrAborted) && !errors.Is(err, errAway) {
						t.Fatal(err)
					}
				}
				for { // the last cut fails now and then
					err := w.run(-1, false)
					if err == nil {
						break
					}
					if !errors.Is(err, errAway) {
						t.Fatal(err)
					}
				}
				for addr, target := range w.targets {
					w.compare("the end", addr, target.Records(), func(_ string, p enginetest.Partition) int64 { return int64(len(p.Records)) })
				}
			})
		})
	}
}

// complete compares all that was confirmed with the model.
func (w *world) complete(exactly bool) {
	want := make(map[string]map[string]int)
	for _, in := range w.inputs {
		for _, p := range w.parts[in] {
			for _, r := range p.Records {
				to := make(map[string][]string)
				w.follow(to, engine.Port{Element: in}, string(r.Value))
				for addr, values := range to {
					if want[addr] == nil {
						want[addr] = make(map[string]int)
					}
					for _, v := range values {
						want[addr][v]++
					}
				}
			}
			if n := int64(len(p.Records)); w.stored[in+"/"+p.ID] != n {
				w.t.Errorf("stored position of %s/%s is %d of %d", in, p.ID, w.stored[in+"/"+p.ID], n)
			}
		}
	}
	for addr := range maps.Keys(w.got) {
		for v := range w.got[addr] {
			if want[addr][v] == 0 {
				w.t.Errorf("%s got %q, which it should not", addr, v)
			}
		}
	}
	for _, addr := range slices.Sorted(maps.Keys(want)) {
		for v, n := range want[addr] {
			if got := w.got[addr][v]; got < n || exactly && got != n {
				w.t.Errorf("%s got %q %d times, want %d", addr, v, got, n)
			}
		}
	}
}
