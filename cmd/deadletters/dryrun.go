package deadletters

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/flowrecords/flow/cmd/playground"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Trial is what a dry run has found: what a replay would do with each letter.
type Trial struct {
	// Letters that were chosen. Each is in exactly one of the five below.
	Letters int64
	// Pass reach outputs, as far as processors and converters can tell: what a
	// target says is not known. Fail are refused again, Dropped end on purpose,
	// Gathered are held by a window, and Unplaced have nowhere to go.
	Pass, Fail, Dropped, Gathered, Unplaced int64
	// Replayed were taken back before, Foreign are of other pipelines, Unread
	// could not be looked at, since the filter's expression fails on them; none
	// of them is chosen.
	Replayed, Foreign, Unread int64
	UnreadWhy                 error

	// Places are the elements that letters go to, in the order of the file, and
	// To how many go to each.
	Places []*engine.Element
	To     map[string]int64
	// Outputs counts records for each output, Why letters that fail again by
	// element and reason, Lost those without a place by reason.
	Outputs map[string]int64
	Why     *Groups
	Lost    *Groups

	// Last is the end of what was chosen, for a limit.
	last     *Letter
	limited  bool
	partsEnd map[*Part]int
}

// Rehearsal is a dry run: processors and converters at work, nothing opened.
type Rehearsal struct {
	Set    *Set
	Target *Target
	Choose func(*Letter) (bool, error)
	// Limit is the most letters that are chosen; 0: all.
	Limit int64
	// Chain is the target's processors; nil if it has none.
	Chain *playground.Chain
	// Seen, if set, is called after each letter of the source.
	Seen func(*Trial)
}

// Run looks at every letter.
func (d *Rehearsal) Run(ctx context.Context) (*Trial, error) {
	t := &Trial{To: map[string]int64{}, Outputs: map[string]int64{}, Why: NewGroups(), Lost: NewGroups(), partsEnd: map[*Part]int{}}
	for i, p := range d.Set.Parts() {
		t.partsEnd[p] = i
	}
	err := d.Set.Scan(ctx, func(l *Letter) error {
		d.letter(t, l)
		if d.Seen != nil {
			d.Seen(t)
		}
		if d.Limit > 0 && t.Letters >= d.Limit {
			t.limited, t.last = true, l
			return ErrStop
		}
		return nil
	})
	for _, e := range d.Target.Pipeline.Elements {
		if t.To[e.Address()] > 0 {
			t.Places = append(t.Places, e)
		}
	}
	return t, err
}

// Within returns the choice of the dry run: what the limit left out is not in it.
func (t *Trial) Within(choose func(*Letter) (bool, error)) func(*Letter) (bool, error) {
	if !t.limited {
		return choose
	}
	return func(l *Letter) (bool, error) {
		a, b := t.partsEnd[l.Part], t.partsEnd[t.last.Part]
		if a > b || a == b && l.Offset > t.last.Offset {
			return false, nil
		}
		return choose(l)
	}
}

func (d *Rehearsal) letter(t *Trial, l *Letter) {
	ok, err := d.Choose(l)
	switch {
	case err != nil:
		t.Unread++
		t.UnreadWhy = cmp.Or(t.UnreadWhy, fmt.Errorf("%s: %w", l.ID, err))
		return
	case !ok:
		return
	case d.Target.Foreign(l):
		t.Foreign++
		return
	case l.Replayed:
		t.Replayed++
		return
	}
	t.Letters++
	place, err := d.Target.Place(l)
	if err != nil {
		t.Unplaced++
		t.Lost.Add(l.At(), err.Error(), l)
		return
	}
	t.To[place.Address()]++
	d.try(t, l, place)
}

// try takes a letter through what stands behind its place.
func (d *Rehearsal) try(t *Trial, l *Letter, place *engine.Element) {
	x := l.Record
	if place.Kind == engine.KindInput {
		if err := decode(place, &x); err != nil {
			t.Fail++
			t.Why.Add(place.Address(), err.Error(), l)
			return
		}
	}
	var failed, dropped bool
	reached := map[string]int64{}
	outcome := func(o playground.Outcome) {
		switch {
		case o.Err != nil:
			failed = true
			t.Why.Add(o.Port, o.Err.Error(), l)
		case o.Dropped != "":
			dropped = true
		default:
			for _, out := range o.Readers {
				if err := d.encode(out, o.Result); err != nil {
					failed = true
					t.Why.Add(out, err.Error(), l)
					continue
				}
				reached[out]++
			}
		}
	}
	switch {
	case place.Kind == engine.KindOutput:
		outcome(playground.Outcome{Port: place.Address(), Readers: []string{place.Address()}, Result: &x})
	case d.Chain == nil || !d.Chain.RunAt(place.Address(), x, outcome):
		for _, e := range d.Target.Pipeline.Elements { // no processors: outputs alone read the input
			if e.Kind == engine.KindOutput && slices.Contains(e.From, engine.Port{Element: place.Address()}) {
				outcome(playground.Outcome{Port: place.Address(), Readers: []string{e.Address()}, Result: &x})
			}
		}
	}
	for out, n := range reached {
		t.Outputs[out] += n
	}
	switch {
	case failed:
		t.Fail++
	case len(reached) > 0:
		t.Pass++
	case dropped:
		t.Dropped++
	default:
		t.Gathered++
	}
}

// decode does what an input's converters do with what it has read.
func decode(in *engine.Element, x *playground.Record) error {
	one := func(c engine.Converter, b *[]byte, as *record.Encoding) error {
		if c == nil {
			*as = record.Opaque
			return nil
		}
		*as = c.Decoded()
		f := c.NewDecoder()
		if f == nil || *b == nil {
			return nil
		}
		out, enc, err := f(nil, *b, meta(x, as == &x.KeyAs))
		if err == nil {
			*b = out
			if enc != nil {
				*as = enc
			}
		}
		return err
	}
	if err := errors.Join(one(in.Value, &x.Value, &x.ValueAs), one(in.Key, &x.Key, &x.KeyAs)); err != nil {
		return err
	}
	var err error
	x.Headers, err = headers(engine.HeaderDecoding(in.Headers), x)
	return err
}

// headers returns those of x as a converter makes them.
func headers(convert engine.Recode, x *playground.Record) ([]record.Header, error) {
	if convert == nil {
		return x.Headers, nil
	}
	list := slices.Clone(x.Headers)
	for i, h := range list {
		if engine.OwnHeader(h.Key) {
			continue
		}
		out, _, err := convert(nil, h.Value, nil, &engine.Meta{Context: context.Background(), Topic: x.Topic, Header: true, Name: h.Key})
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", h.Key, err)
		}
		list[i].Value = out
	}
	return list, nil
}

// meta is what a converter sees of x.
func meta(x *playground.Record, key bool) *engine.Meta {
	return &engine.Meta{Context: context.Background(), Topic: x.Topic, Key: key, Headers: x.Headers}
}

// encode tries what an output's converters make of a record.
func (d *Rehearsal) encode(output string, x *playground.Record) error {
	i := slices.IndexFunc(d.Target.Pipeline.Elements, func(e *engine.Element) bool { return e.Address() == output })
	if i < 0 {
		return nil
	}
	e := d.Target.Pipeline.Elements[i]
	one := func(c engine.Converter, b []byte, as record.Encoding, key bool) error {
		if c == nil || b == nil || as == nil {
			return nil
		}
		f := c.NewEncoder(as)
		if f == nil {
			return nil
		}
		m := meta(x, key)
		m.AddHeader = func(string, []byte) {}
		if _, err := f(nil, b, m); err != nil {
			return fmt.Errorf("encoding: %w", err)
		}
		return nil
	}
	if err := errors.Join(one(e.Value, x.Value, x.ValueAs, false), one(e.Key, x.Key, x.KeyAs, true)); err != nil {
		return err
	}
	if _, err := headers(engine.HeaderEncoding(e.Headers), x); err != nil {
		return fmt.Errorf("encoding: %w", err)
	}
	return nil
}
