package dsl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// missing is a part of records that something reads and that is not there.
type missing struct {
	root string // value or key
	// path leads to it, up to the first step that is not there; whole is all of
	// the way.
	path, whole record.Path
	// detail is what the element knows of it by itself.
	detail string
	// addable: the schema could have it. It has none within a number or a text.
	addable bool
	// option: it stands in an option, where paths begin below the value or key.
	option bool
}

// write is a path as it is to be written where the part is missed.
func (m *missing) write(p record.Path) string {
	if m.option {
		return p.String()
	}
	return readAs(m.root, p)
}

// readAs is a path as an expression writes it.
func readAs(root string, p record.Path) string {
	text := p.String()
	if text == "" || text[0] == '[' {
		return root + text
	}
	return root + "." + text
}

func side(s engine.Schemas, root string) *schema.Schema {
	if root == "key" {
		return s.Key
	}
	return s.Value
}

// unknownField words that an option names a field which is not there.
func (t *typing) unknownField(e *element, p engine.Problem) string {
	m := missing{"value", p.Missing, p.Missing, p.Detail, true, true}
	if p.InKey {
		m.root = "key"
	}
	in, last := side(e.Types.In, m.root), 0
	if record.TypeAt(in, m.path) != nil || e.takes(in, m) {
		return "Another option of this block, which works before this one, has taken it away. " + p.Detail
	}
	for last < len(m.path)-1 && record.TypeAt(in, m.path[:last+1]) != nil {
		last++
	}
	m.path = m.path[:last+1]
	if s := record.TypeAt(in, m.path[:last]); s != nil && !m.path[last].IsIndex {
		var names []string
		for i := range s.Fields {
			names = append(names, s.Fields[i].Name)
		}
		m.detail += didYouMean(m.path[last].Name, names)
	}
	return t.missing(e, m)
}

// takes reports that an element itself removes or renames what a part is in.
func (e *element) takes(in *schema.Schema, m missing) bool {
	if e.Changes == nil || m.root != "value" {
		return false
	}
	gone := slices.Clone(e.Changes.Removes)
	for _, r := range e.Changes.Moves {
		gone = append(gone, r.From)
	}
	return slices.ContainsFunc(gone, func(p record.Path) bool {
		return len(p) > 0 && len(p) < len(m.path) && slices.Equal(p, m.path[:len(p)]) && record.TypeAt(in, p) != nil
	})
}

// missing words that a part is not there which an element reads: who took it
// away, or what to do so that it is there.
func (t *typing) missing(e *element, m missing) string {
	if by := t.taker(e, m.root, m.path); by != nil {
		return t.fate(e, by, m)
	}
	if strings.HasSuffix(m.detail, "?") || !m.addable {
		return m.detail
	}
	if at := elsewhere(side(e.Types.In, m.root), m.whole); at != nil {
		return fmt.Sprintf("%s There is %s.", m.detail, m.write(at))
	}
	return m.detail + t.remedy(e, m)
}

// remedy says where a field would have to be added.
func (t *typing) remedy(e *element, m missing) string {
	src := t.maker(e, m.root, map[*element]bool{})
	switch {
	case src == nil:
		return ""
	case src.Kind != engine.KindInput:
		return fmt.Sprintf(" The %s is what %s makes: add the field there.", m.root, who(e, src))
	}
	text := fmt.Sprintf(" If records have it, add it to the schema of %s", src.Address())
	conv := src.Value
	if m.root == "key" {
		conv = src.Key
	}
	if conv != nil && record.IsJSON(conv.Decoded()) {
		text += ", or leave the schema out there: without one every field may be read"
	}
	return text + "."
}

// maker is the first element that the keys or values of an element come from: an
// input, or a processor that makes them anew.
func (t *typing) maker(e *element, root string, seen map[*element]bool) *element {
	for _, f := range e.From {
		u := t.index[f.Element]
		if u == nil || seen[u] {
			continue
		}
		seen[u] = true
		c := u.Changes
		if u.Kind == engine.KindInput || c != nil && f.Name != engine.ErrorsPort && (root == "key" && c.Key || root == "value" && c.WholeValue) {
			return u
		}
		if src := t.maker(u, root, seen); src != nil {
			return src
		}
	}
	return nil
}

// taker returns the element before e behind which a part is gone; nil if it
// never was there.
func (t *typing) taker(e *element, root string, p record.Path) *element {
	seen := make(map[*element]bool)
	var look func(e *element) *element
	look = func(e *element) *element {
		for _, f := range e.From {
			u := t.index[f.Element]
			if u == nil || u.Kind != engine.KindProcessor || seen[u] {
				continue
			}
			seen[u] = true
			if f.Name != engine.ErrorsPort && record.TypeAt(side(u.Types.In, root), p) != nil {
				return u
			}
			if by := look(u); by != nil {
				return by
			}
		}
		return nil
	}
	return look(e)
}

// fate says what became of a part, by whom, and under which name it is there
// now. by has taken it away.
func (t *typing) fate(e, by *element, m missing) string {
	text := readAs(m.root, m.path) + " was "
	here, p := side(e.Types.In, m.root), m.path
	for range len(t.p.elements) { // as often as it can have another name
		to := by.moved(m.root, p)
		if to == nil {
			break
		}
		text += fmt.Sprintf("renamed to %s by %s", to, who(e, by))
		if record.TypeAt(here, to) != nil {
			return fmt.Sprintf("%s. Write %s.", text, m.write(slices.Concat(to, m.whole[len(m.path):])))
		}
		next := t.taker(e, m.root, to)
		if next == nil {
			return text + ". Use it before that, or keep it until here."
		}
		text, by, p = text+", and that was ", next, to
	}
	if c := by.Changes; m.root == "value" && c != nil && c.WholeValue {
		text = fmt.Sprintf("%s is not part of what %s makes of the value.", strings.TrimSuffix(text, " was "), who(e, by))
	} else {
		text += fmt.Sprintf("removed by %s.", who(e, by))
	}
	if at := elsewhere(here, m.whole); at != nil {
		return fmt.Sprintf("%s There is %s.", text, m.write(at))
	}
	return text + " Use it before that, or keep it until here."
}

// moved is where an element moves a part to; nil if it does not.
func (e *element) moved(root string, p record.Path) record.Path {
	if e.Changes == nil || root != "value" {
		return nil
	}
	for _, m := range e.Changes.Moves {
		if n := len(m.From); n > 0 && n <= len(p) && slices.Equal(m.From, p[:n]) {
			return slices.Concat(m.To, p[n:])
		}
	}
	return nil
}

// who names an element and its line, with the file if it is another one than
// that of e.
func who(e, by *element) string {
	at := by.block.DefRange()
	if e.block.DefRange().Filename == at.Filename {
		return fmt.Sprintf("%s (line %d)", by.Address(), at.Start.Line)
	}
	return fmt.Sprintf("%s (%s:%d)", by.Address(), at.Filename, at.Start.Line)
}

// elsewhere finds the one field of s that has the last name of a path, alone or
// behind those of what it was part of, and lies in no list or map; nil if there
// are none or several.
func elsewhere(s *schema.Schema, p record.Path) record.Path {
	if len(p) == 0 || p[len(p)-1].IsIndex {
		return nil
	}
	name := p[len(p)-1].Name
	const maxDepth = 6 // schemas may lead back to themselves
	steps := 10_000
	var found []record.Path
	var look func(s *schema.Schema, at record.Path)
	look = func(s *schema.Schema, at record.Path) {
		if s == nil || s.Type != schema.Struct || len(at) == maxDepth {
			return
		}
		for i := range s.Fields {
			if steps--; steps < 0 {
				return
			}
			f := &s.Fields[i]
			path := append(slices.Clone(at), record.Step{Name: f.Name})
			if f.Name == name || strings.HasSuffix(f.Name, "."+name) || strings.HasSuffix(f.Name, "_"+name) {
				found = append(found, path)
			}
			look(f.Schema, path)
		}
	}
	look(s, nil)
	if len(found) != 1 || steps < 0 {
		return nil
	}
	return found[0]
}
