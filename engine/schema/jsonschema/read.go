package jsonschema

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/schema"
)

func bad(format string, args ...any) error { return &schema.Error{Msg: fmt.Sprintf(format, args...)} }

func within(err error, step string) error {
	var e *schema.Error
	if errors.As(err, &e) {
		return &schema.Error{Path: schema.JoinPath(step, e.Path), Msg: e.Msg}
	}
	return err
}

// Parse reads a JSON Schema. resolve returns the text of another one by the name
// that a $ref gives it; nil: there are no others. The result is valid.
func Parse(text []byte, resolve func(name string) ([]byte, error)) (*schema.Schema, error) {
	r := reader{resolve: resolve, docs: make(map[string][]byte), done: make(map[string]*schema.Schema), building: make(map[string]bool)}
	s, err := r.document(text)
	if err != nil {
		return nil, fmt.Errorf("reading the JSON Schema: %w", err)
	}
	return s, nil
}

type reader struct {
	resolve  func(name string) ([]byte, error)
	docs     map[string][]byte // by name; the first one has none
	bytes    int
	nodes    int
	done     map[string]*schema.Schema // what a $ref led to
	building map[string]bool
	copies   []derived
	defaults []value
	unnamed  []unnamed
}

// derived is a type that differs from another in what the place says. It is
// filled at the end, when the other is whole.
type derived struct {
	s, of  *schema.Schema
	change func(s *schema.Schema)
	done   bool
}

// value is a default, to be read when the schema is known to be valid.
type value struct {
	s     *schema.Schema
	text  []byte
	typed bool
}

func (r *reader) document(text []byte) (*schema.Schema, error) {
	if err := r.add("", text); err != nil {
		return nil, err
	}
	s, err := r.reference("", "#", 0)
	if err != nil {
		return nil, err
	}
	r.finish()
	if err := s.Validate(); err != nil {
		return nil, err
	}
	for _, d := range r.defaults {
		if d.typed {
			if err := schema.Check(d.s, d.text); err != nil {
				return nil, fmt.Errorf("a default: %w", err)
			}
			d.s.Default = d.text
			continue
		}
		if d.s.Default != nil {
			continue
		}
		if string(d.text) == "null" {
			if d.s.Optional || d.s.Type == schema.Any {
				d.s.Default = d.text
			}
			continue
		}
		if d.s.Default, err = AppendTyped(nil, d.text, d.s, Options{KeepNulls: true, Lenient: true}); err != nil {
			return nil, fmt.Errorf("a default: %w", err)
		}
	}
	return s, nil
}

// finish fills the copies, and names the definitions that are within
// themselves.
func (r *reader) finish() {
	of := make(map[*schema.Schema]*derived, len(r.copies))
	copies := make(map[*schema.Schema][]*schema.Schema, len(r.copies))
	for i := range r.copies {
		d := &r.copies[i]
		of[d.s] = d
		copies[d.of] = append(copies[d.of], d.s)
	}
	var complete func(d *derived)
	complete = func(d *derived) {
		if d == nil || d.done {
			return
		}
		d.done = true
		complete(of[d.of])
		fill(d.s, d.of)
		d.change(d.s)
	}
	for i := range r.copies {
		complete(&r.copies[i])
	}
	for _, u := range r.unnamed {
		family := []*schema.Schema{u.s}
		seen := map[*schema.Schema]bool{u.s: true}
		within := false
		for i := 0; i < len(family); i++ {
			within = within || loops(family[i])
			for _, c := range copies[family[i]] {
				if !seen[c] {
					seen[c] = true
					family = append(family, c)
				}
			}
		}
		for _, s := range family {
			if within && s.Name == "" {
				s.Name = u.name
			}
		}
	}
}

// fill makes s what of is.
func fill(s, of *schema.Schema) {
	s.Type, s.Optional, s.Name, s.Version, s.Doc, s.Aliases = of.Type, of.Optional, of.Name, of.Version, of.Doc, of.Aliases
	s.Parameters, s.Precision, s.Scale, s.Size, s.Unit, s.Symbols = of.Parameters, of.Precision, of.Scale, of.Size, of.Unit, of.Symbols
	s.Elem, s.Key, s.Fields, s.Branches = of.Elem, of.Key, of.Fields, of.Branches
}

// add takes in a text, after a look at all of it.
func (r *reader) add(name string, text []byte) error {
	if r.bytes += len(text); r.bytes > limits.SchemaBytes {
		return fmt.Errorf("schemas of more than %d bytes", limits.SchemaBytes)
	}
	c := jsontext.New(text)
	if err := c.Skip(); err != nil {
		return err
	}
	if err := c.End(); err != nil {
		return err
	}
	r.docs[name] = text
	return nil
}

// reference returns what a $ref in the document leads to.
func (r *reader) reference(doc, ref string, depth int) (*schema.Schema, error) {
	name, fragment, _ := strings.Cut(ref, "#")
	if name != "" {
		doc = name
	}
	text, there := r.docs[doc]
	if !there {
		if r.resolve == nil {
			return nil, bad("$ref %q leads to a schema that is not given", ref)
		}
		other, err := r.resolve(name)
		if err != nil {
			return nil, fmt.Errorf("$ref %q: %w", ref, err)
		}
		if err := r.add(doc, other); err != nil {
			return nil, fmt.Errorf("$ref %q: %w", ref, err)
		}
		text = other
	}
	key := doc + "#" + strings.TrimPrefix(fragment, "/")
	if s := r.done[key]; s != nil {
		return s, nil
	}
	if r.building[key] {
		return nil, bad("$ref %q leads to itself", ref)
	}
	raw, err := find(text, fragment)
	if err != nil {
		return nil, bad("$ref %q: %s", ref, err)
	}
	r.building[key] = true
	defer delete(r.building, key)
	s := &schema.Schema{}
	// Structs and what may hold them are known before they are whole; a chain of
	// bare references is not.
	if !isReference(raw) {
		r.done[key] = s
	}
	built, _, err := r.node(doc, raw, s, depth+1)
	if err != nil {
		return nil, err
	}
	if built != s { // who met it within itself has s
		r.copies = append(r.copies, derived{s: s, of: built, change: func(*schema.Schema) {}})
	}
	r.done[key] = s
	if s.Name == "" && s.Type.IsComplex() {
		r.unnamed = append(r.unnamed, unnamed{s, lastStep(fragment)})
	}
	return s, nil
}

// unnamed is a definition without a title, which needs a name only if it is
// within itself.
type unnamed struct {
	s    *schema.Schema
	name string
}

func lastStep(path string) string {
	if name := path[strings.LastIndexByte(path, '/')+1:]; name != "" {
		return name
	}
	return "Root"
}

// loops reports whether s is within itself.
func loops(s *schema.Schema) bool {
	seen := make(map[*schema.Schema]bool)
	var below func(c *schema.Schema) bool
	below = func(c *schema.Schema) bool {
		if c == nil || seen[c] {
			return c == s
		}
		seen[c] = true
		for i := range c.Fields {
			if below(c.Fields[i].Schema) {
				return true
			}
		}
		for i := range c.Branches {
			if below(c.Branches[i].Schema) {
				return true
			}
		}
		return below(c.Key) || below(c.Elem)
	}
	return below(s)
}

// find returns what a fragment points to: "", "/definitions/X", "anchor".
func find(text []byte, fragment string) ([]byte, error) {
	if f, err := url.PathUnescape(fragment); err == nil {
		fragment = f
	}
	if fragment == "" || fragment == "/" {
		return text, nil
	}
	if fragment[0] != '/' {
		return anchor(text, fragment)
	}
	for _, step := range strings.Split(fragment[1:], "/") {
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		next, err := member(text, step)
		if err != nil || next == nil {
			return nil, fmt.Errorf("there is no %q", step)
		}
		text = next
	}
	return text, nil
}

// member returns a member of an object or an element of an array, nil if there
// is none.
func member(text []byte, name string) (found []byte, err error) {
	c := jsontext.New(text)
	switch c.Peek() {
	case '{':
		err = c.Object(func(n []byte) error {
			match := string(n) == name
			raw, err := c.Raw()
			if match {
				found = raw
			}
			return err
		})
	case '[':
		at, e := strconv.Atoi(name)
		if e != nil {
			return nil, nil
		}
		err = c.Elements(func(i int) error {
			raw, err := c.Raw()
			if i == at {
				found = raw
			}
			return err
		})
	}
	return found, err
}

// anchor looks for a definition with that $anchor, or $id of older drafts.
func anchor(text []byte, name string) ([]byte, error) {
	for _, group := range []string{"$defs", "definitions"} {
		defs, err := member(text, group)
		if err != nil || defs == nil {
			continue
		}
		c := jsontext.New(defs)
		if c.Peek() != '{' {
			continue
		}
		var found []byte
		err = c.Object(func([]byte) error {
			raw, err := c.Raw()
			if err != nil {
				return err
			}
			for _, key := range []string{"$anchor", "$id", "id"} {
				if v, _ := member(raw, key); string(v) == strconv.Quote(name) || string(v) == strconv.Quote("#"+name) {
					found = raw
				}
			}
			return nil
		})
		if err == nil && found != nil {
			return found, nil
		}
	}
	return nil, fmt.Errorf("there is no anchor %q", name)
}

func escapePointer(name string) string {
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
}

// isReference reports whether a node stands for another one alone.
func isReference(raw []byte) bool {
	if ref, _ := member(raw, "$ref"); ref != nil {
		return true
	}
	return false
}

// keywords is a node.
type keywords struct {
	doc     string
	members []keyword
}

type keyword struct {
	name string
	raw  []byte
	used bool
}

// take returns the raw value of a keyword, nil if it is not there, the last one
// if it is there several times.
func (k *keywords) take(name string) []byte {
	var raw []byte
	for i := range k.members {
		if m := &k.members[i]; m.name == name {
			m.used, raw = true, m.raw
		}
	}
	return raw
}

// text returns a keyword that is a string, empty if it is not there or none.
func (k *keywords) text(name string) string {
	raw := k.take(name)
	if raw == nil || raw[0] != '"' {
		return ""
	}
	c := jsontext.New(raw)
	t, _ := c.Text()
	return t
}

func (k *keywords) int(name string) int {
	raw := k.take(name)
	n, _ := strconv.Atoi(string(raw))
	return n
}

func (k *keywords) texts(name string) ([]string, bool) {
	raw := k.take(name)
	if raw == nil || raw[0] != '[' {
		return nil, false
	}
	list := []string{}
	c := jsontext.New(raw)
	err := c.Elements(func(int) error {
		t, err := c.Text()
		list = append(list, t)
		return err
	})
	return list, err == nil
}

func (r *reader) open(doc string, raw []byte) (*keywords, error) {
	k := &keywords{doc: doc}
	c := jsontext.New(raw)
	err := c.Object(func(name []byte) error {
		n := string(name)
		v, err := c.Raw()
		if !slices.Contains(silent, n) {
			k.members = append(k.members, keyword{name: n, raw: v})
		}
		return err
	})
	return k, err
}

// silent are the keywords that say nothing of values.
var silent = []string{"$schema", "$id", "id", "$anchor", "$comment", "$vocabulary", "definitions", "$defs", "$dynamicAnchor", "$recursiveAnchor"}
