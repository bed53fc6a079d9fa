package lint

import (
	"slices"

	"github.com/flowrecords/flow/engine"
)

// wiring answers who reads whom.
type wiring struct {
	*Pipeline
	byAddress map[string]*Element
}

func newWiring(p *Pipeline) *wiring {
	w := &wiring{Pipeline: p, byAddress: make(map[string]*Element)}
	for _, e := range p.Elements {
		w.byAddress[e.Address()] = e
	}
	return w
}

// next is the element that alone reads what e passes on, and reads nothing
// else; nil if there is no such one.
func (w *wiring) next(e *Element) *Element {
	var reader *Element
	for _, x := range w.Elements {
		for _, f := range x.From {
			if f.Element != e.Address() || f.Name == engine.ErrorsPort {
				continue
			}
			if reader != nil || len(x.From) != 1 || f.Name != "" {
				return nil
			}
			reader = x
		}
	}
	return reader
}

// behind returns the elements that no record reaches without having passed e
// as a good one, in an order in which each stands behind what it reads. stop
// keeps an element from leading on.
func (w *wiring) behind(e *Element, stop func(*Element) bool) []*Element {
	passed := map[string]bool{e.Address(): true}
	seen := map[*Element]bool{e: true}
	var out []*Element
	for grown := true; grown; {
		grown = false
		for _, x := range w.Elements {
			if seen[x] || len(x.From) == 0 || slices.ContainsFunc(x.From, func(f engine.Port) bool {
				return f.Name == engine.ErrorsPort || !passed[f.Element]
			}) {
				continue
			}
			seen[x], grown = true, true
			out = append(out, x)
			if !stop(x) {
				passed[x.Address()] = true
			}
		}
	}
	return out
}

// failed returns the elements that only failed records reach, with those that
// read an errors port themselves.
func (w *wiring) failed() map[*Element]bool {
	side := make(map[*Element]bool)
	for grown := true; grown; {
		grown = false
		for _, x := range w.Elements {
			if side[x] || len(x.From) == 0 || slices.ContainsFunc(x.From, func(f engine.Port) bool {
				return f.Name != engine.ErrorsPort && !side[w.byAddress[f.Element]]
			}) {
				continue
			}
			side[x], grown = true, true
		}
	}
	return side
}

// allErrors reports whether only failed records of the port errors, that of
// all elements, reach x.
func (w *wiring) allErrors(x *Element) bool {
	seen := make(map[*Element]bool)
	var look func(x *Element) bool
	look = func(x *Element) bool {
		if x == nil || seen[x] {
			return false
		}
		seen[x] = true
		return slices.ContainsFunc(x.From, func(f engine.Port) bool {
			return f.Element == "" || f.Name != engine.ErrorsPort && look(w.byAddress[f.Element])
		})
	}
	return look(x)
}

// from returns the inputs that lead to e.
func (w *wiring) from(e *Element) []*Element {
	seen := make(map[*Element]bool)
	var out []*Element
	var look func(x *Element)
	look = func(x *Element) {
		if x == nil || seen[x] {
			return
		}
		seen[x] = true
		if x.Kind == engine.KindInput {
			out = append(out, x)
		}
		for _, f := range x.From {
			if f.Element == "" {
				for _, y := range w.inputs() {
					look(y)
				}
				continue
			}
			look(w.byAddress[f.Element])
		}
	}
	look(e)
	return out
}
