package schema

import "sync/atomic"

// smallStruct is how many fields are looked through one by one.
const smallStruct = 8

// memo keeps what is computed once of a Schema. The zero memo is empty. It
// knows whose it is, so that a Schema that was copied as a value starts anew.
type memo struct {
	p atomic.Pointer[memoized]
	d atomic.Pointer[derived]
}

type memoized struct {
	owner       *Schema
	fingerprint *Fingerprint
	index       map[string]int // of Fields, if there are many
}

// load returns what is known of s, never nil.
func (s *Schema) load() *memoized {
	if m := s.memo.p.Load(); m != nil && m.owner == s {
		return m
	}
	return &memoized{owner: s}
}

// note stores m changed by change. A race loses work at worst.
func (s *Schema) note(change func(*memoized)) {
	m := *s.load()
	change(&m)
	s.memo.p.Store(&m)
}

// FieldIndex returns which of Fields has the name, -1 if none has.
func (s *Schema) FieldIndex(name string) int {
	if len(s.Fields) <= smallStruct {
		for i := range s.Fields {
			if s.Fields[i].Name == name {
				return i
			}
		}
		return -1
	}
	index := s.load().index
	if index == nil {
		index = make(map[string]int, len(s.Fields))
		for i := range s.Fields {
			if _, there := index[s.Fields[i].Name]; !there {
				index[s.Fields[i].Name] = i
			}
		}
		s.note(func(m *memoized) { m.index = index })
	}
	if i, ok := index[name]; ok {
		return i
	}
	return -1
}

// Field returns the field of that name, nil if there is none.
func (s *Schema) Field(name string) *Field {
	if i := s.FieldIndex(name); i >= 0 {
		return &s.Fields[i]
	}
	return nil
}

// BranchIndex returns which of Branches has the name, -1 if none has.
func (s *Schema) BranchIndex(name string) int {
	for i := range s.Branches {
		if s.Branches[i].Name == name {
			return i
		}
	}
	return -1
}

// SymbolIndex returns which of Symbols is name, -1 if none is.
func (s *Schema) SymbolIndex(name string) int {
	for i := range s.Symbols {
		if s.Symbols[i] == name {
			return i
		}
	}
	return -1
}
