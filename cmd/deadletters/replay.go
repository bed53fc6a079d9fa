package deadletters

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
)

// Replay takes letters back into a pipeline. Its plan is the target with an
// input of letters for each element that some of them go to, in the place of its
// own inputs, and without what can then be reached from nowhere.
type Replay struct {
	Set    *Set
	Target *Target
	// Choose says which letters go back.
	Choose func(*Letter) (bool, error)
	// Places are the elements that letters go to, as a dry run has found them.
	Places []*engine.Element

	// mu guards flying: inputs add, workers look up, commits remove.
	mu     sync.Mutex
	flying map[flight]*queue

	stored, again atomic.Int64
	exactly       bool
}

// Exactly reports whether the replay that Plan has planned delivers exactly
// once: what was written and what was replayed change in one transaction.
func (r *Replay) Exactly() bool { return r.exactly }

// Restart forgets what is in flight, before one more run of the plan.
func (r *Replay) Restart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flying = map[flight]*queue{}
}

// Counts returns how many letters are stored as replayed, and how many records
// were refused again.
func (r *Replay) Counts() (done, again int64) { return r.stored.Load(), r.again.Load() }

// flight names a part as read by one of the inputs.
type flight struct{ input, part string }

// queue is the letters of a part that are not stored as replayed, in order.
type queue struct{ letters []flown }

// flown is what is kept of a letter until it is stored.
type flown struct {
	offset, next int64
	hash         uint64
	// follows: the letter before it in the part went back, too.
	follows  bool
	origin   string
	topic    string
	number   int32
	at       int64
	attempts int
}

const inputType = "errors"

func addressOf(place *engine.Element) string {
	return "input." + inputType + "." + place.Address()
}

// Plan returns the pipeline that the replay runs.
func (r *Replay) Plan() (*engine.Pipeline, error) {
	r.flying = map[flight]*queue{}
	p := &engine.Pipeline{Name: r.Target.Pipeline.Name, Settings: r.Target.Pipeline.Settings}
	p.Settings.After = nil
	placed := map[string]bool{}
	for _, place := range r.Places {
		placed[place.Address()] = true
		in := &engine.Element{Kind: engine.KindInput, Type: inputType, Name: place.Address(), Bounded: true, Where: place.Where}
		if place.Kind == engine.KindInput {
			in.Key, in.Value, in.Headers = place.Key, place.Value, place.Headers
		}
		in.NewInput = func(engine.Env) (engine.Input, error) { return newInput(r, place), nil }
		p.Elements = append(p.Elements, in)
	}
	for _, e := range r.Target.Pipeline.Elements {
		if e.Kind == engine.KindInput {
			continue
		}
		c := *e
		c.From = nil
		for _, from := range e.From {
			if from.Element != "" && strings.HasPrefix(from.Element, string(engine.KindInput)+".") {
				if !placed[from.Element] {
					continue
				}
				from.Element = "input." + inputType + "." + from.Element
			}
			c.From = append(c.From, from)
		}
		if placed[e.Address()] {
			c.From = append(c.From, engine.Port{Element: addressOf(e)})
		}
		p.Elements = append(p.Elements, &c)
	}
	prune(p)
	if err := r.takesBack(p); err != nil {
		return nil, err
	}
	if r.exactly = engine.TransactionsOf(p.Elements) != "" && len(engine.ObstaclesOf(p.Elements)) == 0; r.exactly {
		p.Settings.Delivery = engine.ExactlyOnce
	}
	p.Settings.Checkpoint = engine.ConnectionRef{} // nothing of the pipeline's own is stored
	return p, nil
}

// prune removes elements that nothing leads to.
func prune(p *engine.Pipeline) {
	for removed := true; removed; {
		there := map[string]bool{"": true}
		for _, e := range p.Elements {
			there[e.Address()] = true
		}
		for _, e := range p.Elements {
			e.From = slices.DeleteFunc(e.From, func(from engine.Port) bool { return !there[from.Element] })
		}
		n := len(p.Elements)
		p.Elements = slices.DeleteFunc(p.Elements, func(e *engine.Element) bool {
			return e.Kind != engine.KindInput && len(e.From) == 0
		})
		removed = len(p.Elements) != n
	}
}

// takesBack refuses outputs that would undo the replay: what a file of a
// pipeline that delivers exactly once holds behind its last stored mark is cut
// off at the pipeline's next start.
func (r *Replay) takesBack(p *engine.Pipeline) error {
	if p.Settings.Delivery != engine.ExactlyOnce {
		return nil
	}
	for _, e := range p.Elements {
		if e.Kind == engine.KindOutput && e.Delivery.Marks && e.Type != "kafka" {
			return fmt.Errorf("%s belongs to a pipeline that delivers exactly once: at its next start it takes back what others wrote, so a replay would be lost. Replay into a config with another output", e.Address())
		}
	}
	p.Settings.Delivery = engine.DefaultSettings().Delivery
	return nil
}

// Refused is Options.Refused of the run: what fails again keeps its first origin
// and counts its attempts.
func (r *Replay) Refused(b *engine.Batch, i int, f *engine.Failure) {
	src := b.Source()
	if src == nil {
		return
	}
	r.again.Add(1)
	f.Element = strings.TrimPrefix(f.Element, "input."+inputType+".")
	info := src.Info()
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.flying[flight{info.Meta[metaInput], info.ID}]
	if q == nil {
		return
	}
	at := b.Offset(i)
	k, ok := slices.BinarySearchFunc(q.letters, at, func(x flown, at int64) int {
		switch {
		case x.offset < at:
			return -1
		case x.offset > at:
			return 1
		}
		return 0
	})
	if !ok {
		return
	}
	x := &q.letters[k]
	f.Origin, f.Topic, f.Partition, f.Offset = x.origin, x.topic, x.number, x.at
	f.Attempts = max(x.attempts, 1) + 1
}

// Store is where the run stores positions: what is confirmed goes into the
// ledger.
func (r *Replay) Store() checkpoint.Store { return &store{Memory: checkpoint.NewMemory(), replay: r} }

type store struct {
	*checkpoint.Memory
	replay *Replay
}

// Save implements checkpoint.Store.
func (s *store) Save(ctx context.Context, changed map[string]engine.Position) error {
	e, n := s.replay.below(changed)
	if err := s.replay.Set.Ledger.add(ctx, e); err != nil {
		return fmt.Errorf("storing what was replayed: %w", err)
	}
	s.replay.landed(changed)
	s.replay.stored.Add(n)
	return s.Memory.Save(ctx, changed)
}

// below returns the letters below these positions.
func (r *Replay) below(changed map[string]engine.Position) (e entry, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e = entry{}
	for f, q := range r.flying {
		pos, ok := changed[f.input+"/"+f.part]
		if !ok {
			continue
		}
		list := e[f.part]
		for i, x := range q.letters {
			if x.offset >= pos.Offset {
				break
			}
			n++
			if i > 0 && x.follows {
				list[len(list)-1].To = x.next
			} else {
				list = append(list, span{From: x.offset, To: x.next, Hash: x.hash})
			}
		}
		if len(list) > 0 {
			e[f.part] = list
		}
	}
	return e, n
}

// landed takes the letters below these positions out of the air.
func (r *Replay) landed(changed map[string]engine.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for f, q := range r.flying {
		if pos, ok := changed[f.input+"/"+f.part]; ok {
			n := 0
			for n < len(q.letters) && q.letters[n].offset < pos.Offset {
				n++
			}
			q.letters = slices.Delete(q.letters, 0, n)
		}
	}
}
