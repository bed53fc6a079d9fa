package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// tree is a document as a plain decoder sees it, with its members in order. It
// is what edits on raw bytes are compared with.
type tree struct {
	kind    Kind // Null, Bool, Int for any number, String, Array, Object
	text    string
	names   []string
	members []*tree // also the elements of an array
}

var errModel = errors.New("model error")

func parseTree(raw []byte) (*tree, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	t, err := readTree(dec)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("trailing data: %v", err)
	}
	return t, nil
}

func readTree(dec *json.Decoder) (*tree, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok := tok.(type) {
	case nil:
		return &tree{kind: Null}, nil
	case bool:
		return &tree{kind: Bool, text: strconv.FormatBool(tok)}, nil
	case json.Number:
		return &tree{kind: Int, text: string(tok)}, nil
	case string:
		return &tree{kind: String, text: tok}, nil
	case json.Delim:
		t := &tree{kind: Array}
		if tok == '{' {
			t.kind = Object
		}
		for dec.More() {
			name := ""
			if t.kind == Object {
				k, err := dec.Token()
				if err != nil {
					return nil, err
				}
				name = k.(string)
			}
			child, err := readTree(dec)
			if err != nil {
				return nil, err
			}
			if t.kind == Object {
				t.cut(name)
			}
			t.names = append(t.names, name)
			t.members = append(t.members, child)
		}
		_, err := dec.Token()
		return t, err
	}
	return nil, errModel
}

func (t *tree) clone() *tree {
	c := *t
	c.names = append([]string(nil), t.names...)
	c.members = nil
	for _, m := range t.members {
		c.members = append(c.members, m.clone())
	}
	return &c
}

func (t *tree) find(s Step) int {
	if s.IsIndex != (t.kind == Array) || t.kind != Array && t.kind != Object {
		return -1
	}
	if s.IsIndex {
		i := s.Index
		if i < 0 {
			i += len(t.members)
		}
		if i < 0 || i >= len(t.members) {
			return -1
		}
		return i
	}
	for i, n := range t.names {
		if n == s.Name {
			return i
		}
	}
	return -1
}

func (t *tree) drop(i int) {
	t.names = append(t.names[:i:i], t.names[i+1:]...)
	t.members = append(t.members[:i:i], t.members[i+1:]...)
}

func (t *tree) cut(name string) {
	if i := t.find(Step{Name: name}); i >= 0 {
		t.drop(i)
	}
}

// doc is the model of a Doc: nil is a null.
type modelDoc struct{ root *tree }

func (m *modelDoc) get(p Path) *tree {
	t := m.root
	if t == nil && len(p) == 0 {
		return &tree{kind: Null}
	}
	for _, s := range p {
		if t == nil {
			return nil
		}
		i := t.find(s)
		if i < 0 {
			return nil
		}
		t = t.members[i]
	}
	return t
}

func (m *modelDoc) set(p Path, v *tree) error {
	if len(p) == 0 {
		m.root = v
		if v.kind == Null {
			m.root = nil
		}
		return nil
	}
	root := m.root
	if root == nil {
		root = &tree{kind: Null}
	}
	root = root.clone()
	if err := root.set(p, v); err != nil {
		return err
	}
	m.root = root
	return nil
}

func (t *tree) set(p Path, v *tree) error {
	s := p[0]
	if t.kind == Null {
		t.kind = Object
		if s.IsIndex {
			t.kind = Array
		}
	}
	if i := t.find(s); i >= 0 {
		if len(p) == 1 {
			t.members[i] = v
			return nil
		}
		return t.members[i].set(p[1:], v)
	}
	switch {
	case t.kind != Array && t.kind != Object, s.IsIndex != (t.kind == Array):
		return errModel
	case s.IsIndex && s.Index != len(t.members):
		return errModel
	}
	child := v
	if len(p) > 1 {
		child = &tree{kind: Null}
		if err := child.set(p[1:], v); err != nil {
			return err
		}
	}
	t.names = append(t.names, s.Name)
	t.members = append(t.members, child)
	return nil
}

func (m *modelDoc) del(p Path) {
	if len(p) == 0 {
		m.root = nil
		return
	}
	parent := m.get(p[:len(p)-1])
	if parent == nil {
		return
	}
	if i := parent.find(p[len(p)-1]); i >= 0 {
		parent.drop(i)
	}
}

func (m *modelDoc) rename(from, to Path) error {
	if from.equal(to) {
		return nil
	}
	v := m.get(from)
	if v == nil || m.root == nil {
		return nil
	}
	n := len(from) - 1
	if len(from) == len(to) && n >= 0 && from[:n].equal(to[:n]) && !from[n].IsIndex && !to[n].IsIndex {
		parent := m.get(from[:n])
		parent.cut(to[n].Name)
		parent.names[parent.find(from[n])] = to[n].Name
		return nil
	}
	old := m.root.clone()
	m.del(from)
	if err := m.set(to, v); err != nil {
		m.root = old
		return err
	}
	return nil
}

func (m *modelDoc) keep(paths []Path) error {
	if m.root == nil || m.root.kind == Null {
		return nil
	}
	if m.root.kind != Object {
		return errModel
	}
	m.root.keep(paths)
	return nil
}

func (t *tree) keep(paths []Path) {
	for _, p := range paths {
		if len(p) == 0 {
			return
		}
	}
	if t.kind != Object && t.kind != Array {
		return
	}
	kept := &tree{kind: t.kind}
	for i, m := range t.members {
		var below []Path
		for _, p := range paths {
			if t.find(p[0]) == i {
				below = append(below, p[1:])
			}
		}
		whole := slices.ContainsFunc(below, func(p Path) bool { return len(p) == 0 })
		if below != nil && (whole || m.kind == Object || m.kind == Array) {
			m.keep(below)
			kept.names = append(kept.names, t.names[i])
			kept.members = append(kept.members, m)
		}
	}
	*t = *kept
}

// String is the tree as text: equal texts are equal trees.
func (t *tree) String() string {
	if t == nil {
		return "missing"
	}
	var b strings.Builder
	t.write(&b)
	return b.String()
}

func (t *tree) write(b *strings.Builder) {
	switch t.kind {
	case Null:
		b.WriteString("null")
	case String:
		b.WriteString(strconv.Quote(t.text))
	case Array, Object:
		b.WriteString([]string{"[", "{"}[t.kind-Array])
		for i, m := range t.members {
			if i > 0 {
				b.WriteByte(',')
			}
			if t.kind == Object {
				b.WriteString(strconv.Quote(t.names[i]) + ":")
			}
			m.write(b)
		}
		b.WriteString([]string{"]", "}"}[t.kind-Array])
	default:
		b.WriteString(t.text)
	}
}
