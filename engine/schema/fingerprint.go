package schema

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
)

// Fingerprint tells schemas apart: two have the same exactly if they are Equal.
// It is stable over processes and versions of flow that have the same
// attributes.
type Fingerprint [sha256.Size]byte

// String returns the fingerprint as hexadecimal digits.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// Fingerprint returns the fingerprint of s. It is computed once.
func (s *Schema) Fingerprint() Fingerprint {
	if f := s.load().fingerprint; f != nil {
		return *f
	}
	p := printer{state: make(map[*Schema]progress)}
	var f Fingerprint
	if p.explore(s) {
		f = p.finite(s)
	} else {
		f = p.infinite(s)
	}
	s.note(func(m *memoized) { m.fingerprint = &f })
	return f
}

// progress is what is known of a schema while a graph of them is explored.
type progress uint8

const (
	unseen  progress = iota
	open             // on the path to where the exploration is
	ends             // no path below it comes back
	endless          // it reaches a cycle
)

// printer computes fingerprints. A schema that ends is hashed from its leaves
// up. One that reaches a cycle has no leaves: there the schemas that nothing
// tells apart are found first, as states of an automaton are, and what is
// hashed is the smallest graph that unfolds to the same.
type printer struct {
	state map[*Schema]progress
	loops []*Schema // the endless ones
	class map[*Schema]int
}

// explore fills state below s, and reports whether s ends.
func (p *printer) explore(s *Schema) bool {
	switch p.state[s] {
	case open, endless:
		return false
	case ends:
		return true
	default:
	}
	p.state[s] = open
	all := true
	for c := range s.children() {
		all = p.explore(c) && all
	}
	if all {
		p.state[s] = ends
		return true
	}
	p.state[s] = endless
	p.loops = append(p.loops, s)
	return false
}

// finite hashes a schema that ends.
func (p *printer) finite(s *Schema) Fingerprint {
	m := s.load()
	if m.fingerprint != nil {
		return *m.fingerprint
	}
	text := appendLocal(append(make([]byte, 0, 256), 'F'), s)
	for c := range s.children() {
		f := p.finite(c)
		text = append(text, f[:]...)
	}
	f := Fingerprint(sha256.Sum256(text))
	s.note(func(m *memoized) { m.fingerprint = &f })
	return f
}

// infinite hashes a schema that reaches a cycle.
func (p *printer) infinite(root *Schema) Fingerprint {
	p.refine()
	numbers := make(map[int]int)
	text := []byte{'R'}
	var write func(s *Schema)
	write = func(s *Schema) {
		if p.state[s] == ends {
			f := p.finite(s)
			text = append(append(text, 'f'), f[:]...)
			return
		}
		class := p.class[s]
		if n, there := numbers[class]; there {
			text = binary.AppendUvarint(append(text, 'r'), uint64(n))
			return
		}
		numbers[class] = len(numbers)
		text = appendLocal(append(text, 'd'), s)
		for c := range s.children() {
			write(c)
		}
	}
	write(root)
	return sha256.Sum256(text)
}

// refine numbers the endless schemas so that those that are Equal, and only
// they, have one number: it begins with what each is by itself and splits the
// classes whose children differ until none splits.
func (p *printer) refine() {
	p.class = make(map[*Schema]int, len(p.loops))
	var key []byte
	for count := 0; ; {
		classes := make(map[string]int)
		next := make(map[*Schema]int, len(p.loops))
		for _, s := range p.loops {
			key = appendLocal(key[:0], s)
			key = binary.AppendUvarint(key, uint64(p.class[s]))
			for c := range s.children() {
				if p.state[c] == ends {
					f := p.finite(c)
					key = append(append(key, 'f'), f[:]...)
				} else {
					key = binary.AppendUvarint(append(key, 'r'), uint64(p.class[c]))
				}
			}
			n, there := classes[string(key)]
			if !there {
				n = len(classes)
				classes[string(key)] = n
			}
			next[s] = n
		}
		p.class = next
		if len(classes) == count {
			return
		}
		count = len(classes)
	}
}

// children yields the schemas that s is made of, in order.
func (s *Schema) children() func(yield func(*Schema) bool) {
	return func(yield func(*Schema) bool) {
		for i := range s.Fields {
			if c := s.Fields[i].Schema; c != nil && !yield(c) {
				return
			}
		}
		for i := range s.Branches {
			if c := s.Branches[i].Schema; c != nil && !yield(c) {
				return
			}
		}
		if s.Key != nil && !yield(s.Key) {
			return
		}
		if s.Elem != nil {
			yield(s.Elem)
		}
	}
}

// appendLocal appends all of s but its children. Texts have their length
// before them, so that no two schemas append the same.
func appendLocal(b []byte, s *Schema) []byte {
	flags := byte(0)
	for i, on := range []bool{s.Optional, s.Key != nil, s.Elem != nil, len(s.Default) > 0} {
		if on {
			flags |= 1 << i
		}
	}
	b = append(b, byte(s.Type), flags, byte(s.Unit))
	for _, n := range []int{s.Version, s.Precision, s.Scale, s.Size} {
		b = binary.AppendVarint(b, int64(n))
	}
	b = appendText(b, s.Name)
	b = appendText(b, s.Doc)
	b = appendText(b, string(s.Default))
	b = appendTexts(b, s.Aliases)
	b = appendTexts(b, s.Symbols)
	b = binary.AppendUvarint(b, uint64(len(s.Parameters)))
	for _, k := range slices.Sorted(maps.Keys(s.Parameters)) {
		b = appendText(appendText(b, k), s.Parameters[k])
	}
	b = binary.AppendUvarint(b, uint64(len(s.Fields)))
	for i := range s.Fields {
		f := &s.Fields[i]
		b = appendTexts(appendText(appendText(b, f.Name), f.Doc), f.Aliases)
		b = binary.AppendVarint(b, int64(f.Tag))
	}
	b = binary.AppendUvarint(b, uint64(len(s.Branches)))
	for i := range s.Branches {
		b = binary.AppendVarint(appendText(b, s.Branches[i].Name), int64(s.Branches[i].Tag))
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTexts(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendText(b, s)
	}
	return b
}
