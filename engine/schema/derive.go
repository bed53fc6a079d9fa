package schema

import "sync"

// maxDerived is how many schemas are kept that were derived from one: edits
// depend on values that come from outside, so there may be any number.
const maxDerived = 64

// derived are the schemas that edits have made of one.
type derived struct {
	owner *Schema

	mu   sync.Mutex // guards made
	made map[any]*Schema
}

// Derived returns what make has made of s for that key before, and otherwise
// what it makes now. So the same edit of the same schema gives the same
// pointer, in all goroutines, and a stream of one schema stays one. Only the
// first few keys are kept; for more it is made anew each time. The schema lives
// as long as s. key must be comparable.
func (s *Schema) Derived(key any, make func() *Schema) *Schema {
	d := s.memo.d.Load()
	for d == nil || d.owner != s {
		fresh := &derived{owner: s, made: map[any]*Schema{}}
		if s.memo.d.CompareAndSwap(d, fresh) {
			d = fresh
			break
		}
		d = s.memo.d.Load()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.made[key]; t != nil {
		return t
	}
	t := make()
	if t != nil && len(d.made) < maxDerived {
		d.made[key] = t
	}
	return t
}
