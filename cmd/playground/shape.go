package playground

import (
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine/record"
)

// Bounds of what is looked at to tell what the fields of a sample are.
const (
	shapeRecords  = 500
	shapeNodes    = 5_000
	shapeDepth    = 20
	shapeElements = 50 // of an array
)

// shape is what stands at one path of a sample.
type shape struct {
	kinds    []record.Kind // in the order in which they were met
	count    int           // how often something stood here
	members  []namedShape
	elements *shape
	example  string
}

type namedShape struct {
	name string
	*shape
}

// shaper reads shapes from records, as many as its bounds allow.
type shaper struct{ nodes int }

func (s *shaper) add(to *shape, v record.Value, depth int) {
	to.count++
	if !slices.Contains(to.kinds, v.Kind()) {
		to.kinds = append(to.kinds, v.Kind())
	}
	if to.example == "" && !v.IsNil() && v.Kind() != record.Array && v.Kind() != record.Object {
		to.example = clip(plain(jsonLine(v)), 60)
	}
	if depth > shapeDepth {
		return
	}
	switch v.Kind() {
	case record.Object:
		for _, m := range membersOf(v) {
			if child := s.member(to, m.name); child != nil {
				s.add(child, m.value, depth+1)
			}
		}
	case record.Array:
		n := 0
		_ = v.Elements(func(e record.Value) error {
			if n++; n > shapeElements {
				return errStop
			}
			if to.elements == nil {
				if s.nodes++; s.nodes > shapeNodes {
					return errStop
				}
				to.elements = &shape{}
			}
			s.add(to.elements, e, depth+1)
			return nil
		})
	}
}

func (s *shaper) member(of *shape, name string) *shape {
	if child := of.member(name); child != nil {
		return child
	}
	if s.nodes++; s.nodes > shapeNodes {
		return nil
	}
	child := &shape{}
	of.members = append(of.members, namedShape{name, child})
	return child
}

func (s *shape) member(name string) *shape {
	for _, m := range s.members {
		if m.name == name {
			return m.shape
		}
	}
	return nil
}

// at follows a path; nil if the sample has nothing there.
func (s *shape) at(path record.Path) *shape {
	for _, p := range path {
		if s == nil {
			return nil
		}
		if p.IsIndex {
			s = s.elements
		} else {
			s = s.member(p.Name)
		}
	}
	return s
}

// typeText names the kinds: string or nil, array of object.
func (s *shape) typeText() string {
	var words []string
	null := false
	for _, k := range s.kinds {
		switch {
		case k <= record.Null:
			null = true
		case k == record.Array && s.elements != nil:
			words = append(words, "array of "+strings.ReplaceAll(s.elements.typeText(), " or ", "/"))
		default:
			words = append(words, k.String())
		}
	}
	if null || len(words) == 0 {
		words = append(words, "nil")
	}
	return strings.Join(words, " or ")
}

// pathRow is one line of :paths.
type pathRow struct{ path, typ, example string }

// rows lists all paths below a root, in the order of the sample. partly counts
// in how many of the parent's occurrences a member stands.
func (s *shape) rows(root string) []pathRow {
	var out []pathRow
	var walk func(path string, s *shape, of int)
	walk = func(path string, s *shape, of int) {
		typ := s.typeText()
		if s.count < of {
			typ += ", not always there"
		}
		out = append(out, pathRow{path, typ, s.example})
		for _, m := range s.members {
			walk(path+memberText(m.name), m.shape, s.objects())
		}
		if s.elements != nil && (len(s.elements.members) > 0 || s.elements.elements != nil) {
			walk(path+"[]", s.elements, 0)
		}
	}
	walk(root, s, 0)
	return out
}

// objects is how often an object stood here, at most.
func (s *shape) objects() int {
	if len(s.kinds) == 1 {
		return s.count
	}
	return 0
}

// memberText is a member as an expression writes it: .name or ["a.b"].
func memberText(name string) string {
	return strings.TrimPrefix(pathText("x", record.Path{{Name: name}}), "x")
}
