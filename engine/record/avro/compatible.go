package avro

import (
	"fmt"
	"slices"
	"strings"
)

// Incompatibility is why data of one schema cannot be read with another.
type Incompatibility struct {
	// Path is where in the reader's schema: customer.name, items[].price. Empty:
	// the whole.
	Path string
	// Reason says what is wrong there.
	Reason string
}

func (i Incompatibility) String() string {
	if i.Path == "" {
		return i.Reason
	}
	return i.Path + ": " + i.Reason
}

// Compatible reports why data of writer cannot always be read with reader, by
// the rules of the specification; nil if it can. Backward compatibility asks
// whether the new schema reads data of the old one, forward compatibility the
// reverse.
func Compatible(writer, reader *Schema) []Incompatibility {
	c := checker{seen: map[rpair]bool{}, steps: new(int)}
	c.check(writer, reader)
	return c.found
}

// maxFound bounds what Compatible tells: schemas that have nothing in common
// differ everywhere.
const maxFound = 100

// maxSteps bounds the work of Compatible.
const maxSteps = 1_000_000

type checker struct {
	seen map[rpair]bool
	// steps counts all comparisons: branches of unions within unions could be
	// tried in exponentially many ways.
	steps *int
	path  []string
	found []Incompatibility
}

func (c *checker) tell(format string, args ...any) {
	if len(c.found) < maxFound {
		path := strings.ReplaceAll(strings.Join(c.path, "."), ".[", "[")
		c.found = append(c.found, Incompatibility{Path: path, Reason: fmt.Sprintf(format, args...)})
	}
}

func (c *checker) within(step string, w, r *Schema) {
	c.path = append(c.path, step)
	c.check(w, r)
	c.path = c.path[:len(c.path)-1]
}

// readable is whether w can be read as r, telling nothing.
func (c *checker) readable(w, r *Schema) bool {
	quiet := checker{seen: map[rpair]bool{}, steps: c.steps}
	for k := range c.seen {
		quiet.seen[k] = true // what is being looked at counts as readable
	}
	quiet.check(w, r)
	return len(quiet.found) == 0
}

func (c *checker) check(w, r *Schema) {
	if w == r || c.seen[rpair{w, r}] || len(c.found) >= maxFound {
		return
	}
	if *c.steps++; *c.steps > maxSteps {
		c.tell("the schemas are too complex to compare")
		return
	}
	c.seen[rpair{w, r}] = true
	no := func() { c.tell("data has %s and the reader's schema has %s", typeName(w), typeName(r)) }
	switch {
	case w.Kind == Union:
		for _, b := range w.Branches {
			c.check(b, r)
		}
		return
	case r.Kind == Union:
		c.branch(w, r)
		return
	case w.Kind != r.Kind:
		if !promotes(w.Kind, r.Kind) {
			no()
		}
		return
	}
	if w.named() && !sameName(w, r) {
		c.tell("data has %s and the reader's schema has %s; an alias of the reader's would tell that they are the same", typeName(w), typeName(r))
	}
	switch w.Kind {
	case Fixed:
		if w.Size != r.Size {
			c.tell("data has %d bytes and the reader's schema has %d", w.Size, r.Size)
		}
	case Enum:
		var lost []string
		for _, s := range w.Symbols {
			if !slices.Contains(r.Symbols, s) {
				lost = append(lost, s)
			}
		}
		if len(lost) > 0 && !r.HasDefault {
			c.tell("the reader's enum lacks %s, and has no default for unknown symbols", listed(lost))
		}
	case Array, Map:
		c.within("[]", w.Elem, r.Elem)
	case Record:
		for i := range r.Fields {
			f := &r.Fields[i]
			from := writerField(w, f)
			if from >= 0 {
				c.within(f.Name, w.Fields[from].Type, f.Type)
			} else if f.Default == nil {
				c.path = append(c.path, f.Name)
				c.tell("the reader's schema asks for this field, data does not have it, and it has no default")
				c.path = c.path[:len(c.path)-1]
			}
		}
	}
}

// branch looks for the reader's branch that takes w.
func (c *checker) branch(w, r *Schema) {
	for _, b := range r.Branches {
		if c.readable(w, b) {
			return
		}
	}
	for _, b := range r.Branches {
		if b.Kind == w.Kind && (!w.named() || sameName(w, b)) {
			c.check(w, b) // it tells more than that no branch fits
			return
		}
	}
	c.tell("data has %s and the reader's %s has no branch for it", typeName(w), typeName(r))
}

// promotes lists what the specification lets a reader widen.
func promotes(w, r Kind) bool {
	switch w {
	case Int:
		return r == Long || r == Float || r == Double
	case Long:
		return r == Float || r == Double
	case Float:
		return r == Double
	case String:
		return r == Bytes
	case Bytes:
		return r == String
	}
	return false
}
