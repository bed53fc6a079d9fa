package connect

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/schema"
)

// ParseSchema reads the node of a schema: its members in any order, those that
// Connect does not know left out. The result is valid.
func ParseSchema(text []byte) (*schema.Schema, error) {
	if len(text) > limits.SchemaBytes {
		return nil, fmt.Errorf("a schema of %d bytes: at most %d are read", len(text), limits.SchemaBytes)
	}
	r := reader{c: jsontext.New(text)}
	f, err := r.node(0, false)
	if err == nil {
		err = r.c.End()
	}
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	if err := f.Schema.Validate(); err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	// Defaults last: a value can only be read by what is known to be valid.
	// Those of inner types come before those of outer ones, which may need them.
	for _, d := range r.defaults {
		if d.s.Default, err = AppendTyped(nil, d.text, d.s, Options{}); err != nil {
			return nil, fmt.Errorf("reading the schema: the default of %s: %w", d.what, err)
		}
	}
	return f.Schema, nil
}

type reader struct {
	c        jsontext.Cursor
	nodes    int
	defaults []value
}

// value is the default of a schema, as it stands in the text.
type value struct {
	s    *schema.Schema
	what string
	text []byte
}

// node is what stands in the text of one.
type node struct {
	word, name, doc, field string
	optional               bool
	version                int
	versioned, named       bool
	params                 map[string]string
	items, keys, values    *schema.Schema
	fields                 []field
	fieldsThere            bool
	def                    []byte
}

// field is a node in a struct.
type field = schema.Field

func bad(format string, args ...any) error { return &schema.Error{Msg: fmt.Sprintf(format, args...)} }

// within returns err with a step before its path.
func within(err error, step string) error {
	var e *schema.Error
	if errors.As(err, &e) {
		return &schema.Error{Path: schema.JoinPath(step, e.Path), Msg: e.Msg}
	}
	return err
}

// node reads one node; in a struct the result has the field's name.
func (r *reader) node(depth int, inStruct bool) (field, error) {
	if depth > limits.SchemaDepth {
		return field{}, bad("types nested deeper than %d", limits.SchemaDepth)
	}
	if r.nodes++; r.nodes > limits.SchemaNodes {
		return field{}, bad("more than %d types", limits.SchemaNodes)
	}
	var n node
	err := r.c.Object(func(name []byte) error { return r.member(&n, string(name), depth) })
	if err != nil {
		return field{}, err
	}
	if inStruct && !n.named {
		return field{}, bad(`a field needs its name as "field"`)
	}
	f, err := n.build()
	if err == nil && n.def != nil {
		what := "the " + n.word
		if n.named {
			what = "field " + schema.FieldStep(n.field)
		}
		r.defaults = append(r.defaults, value{f.Schema, what, n.def})
	}
	return f, err
}

func (r *reader) member(n *node, name string, depth int) (err error) {
	if r.c.Peek() == 'n' { // null is as good as not there
		return r.c.Skip()
	}
	switch name {
	case "type":
		n.word, err = r.c.Text()
	case "name":
		n.name, err = r.c.Text()
	case "doc":
		n.doc, err = r.c.Text()
	case "field":
		n.field, err = r.c.Text()
		n.named = true
	case "optional":
		n.optional, err = r.c.Bool()
	case "version":
		n.version, err = r.c.Int()
		n.versioned = true
	case "parameters":
		err = r.parameters(n)
	case "default":
		n.def, err = r.c.Raw()
	case "items":
		n.items, err = r.part("[]", depth)
	case "keys":
		n.keys, err = r.part("[key]", depth)
	case "values":
		n.values, err = r.part("[value]", depth)
	case "fields":
		n.fieldsThere = true
		n.fields = nil
		err = r.c.Elements(func(i int) error {
			f, err := r.node(depth+1, true)
			if err != nil {
				return within(err, "fields["+strconv.Itoa(i)+"]")
			}
			n.fields = append(n.fields, f)
			return nil
		})
	default:
		err = r.c.Skip()
	}
	return err
}

func (r *reader) part(step string, depth int) (*schema.Schema, error) {
	f, err := r.node(depth+1, false)
	return f.Schema, within(err, step)
}

func (r *reader) parameters(n *node) error {
	n.params = make(map[string]string)
	return r.c.Object(func(name []byte) error {
		key := string(name)
		if r.c.Peek() != '"' {
			return bad("parameter %q is no string", key)
		}
		v, err := r.c.Text()
		n.params[key] = v
		return err
	})
}

// take returns a parameter that says something else, and drops it.
func (n *node) take(key string) (string, bool) {
	v, there := n.params[key]
	delete(n.params, key)
	return v, there
}

// build makes the schema, and the field that it may be the type of.
func (n *node) build() (field, error) {
	s := &schema.Schema{Optional: n.optional, Doc: n.doc}
	f := field{Name: n.field, Schema: s}
	t, known := plainTypes[n.word]
	if !known {
		if n.word == "" {
			return f, bad(`a schema needs a "type"`)
		}
		return f, bad("Kafka Connect has no type %q", n.word)
	}
	s.Type = t
	if err := n.parts(s); err != nil {
		return f, err
	}
	if err := n.meaning(s); err != nil {
		return f, err
	}
	if err := n.restore(s, &f); err != nil {
		return f, err
	}
	for k, v := range n.params {
		if s.Parameters == nil {
			s.Parameters = make(map[string]string, len(n.params))
		}
		s.Parameters[strings.TrimPrefix(k, paramEscape)] = v
	}
	return f, nil
}

// parts takes over what an array, map or struct is made of.
func (n *node) parts(s *schema.Schema) error {
	switch s.Type {
	case schema.Array:
		if n.items == nil {
			return bad(`an array needs "items"`)
		}
		s.Elem = n.items
	case schema.Map:
		if n.keys == nil || n.values == nil {
			return bad(`a map needs "keys" and "values"`)
		}
		s.Key, s.Elem = n.keys, n.values
	case schema.Struct:
		if !n.fieldsThere {
			return bad(`a struct needs "fields"`)
		}
		s.Fields = n.fields
	default:
	}
	return nil
}

// meaning finds which type is meant: ours, Connect's logical or the plain one.
func (n *node) meaning(s *schema.Schema) error {
	if word, there := n.take(paramType); there {
		return n.foreign(s, word)
	}
	logical := &schema.Schema{Type: s.Type}
	switch n.name {
	case DecimalName:
		logical.Type = schema.Decimal
	case DateName:
		logical.Type = schema.Date
	case TimeName:
		logical.Type, logical.Unit = schema.Time, schema.Millisecond
	case TimestampName:
		logical.Type, logical.Unit = schema.Timestamp, schema.Millisecond
	}
	b := baseOf(logical)
	if b.logical == "" || b.word != n.word {
		s.Name = n.name
		n.versionInto(s, false)
		return nil
	}
	s.Type, s.Unit = logical.Type, logical.Unit
	n.versionInto(s, true)
	if s.Type == schema.Decimal {
		return n.decimal(s)
	}
	return nil
}

func (n *node) decimal(s *schema.Schema) error {
	text, there := n.take(paramScale)
	if !there {
		return bad("a Decimal needs the parameter scale")
	}
	scale, err := strconv.Atoi(text)
	if err != nil {
		return bad("the scale of a Decimal is no number: %q", text)
	}
	s.Scale = scale
	if p, ok := precisionOf(n.params[paramPrecision], scale); ok {
		s.Precision = p
		delete(n.params, paramPrecision)
	}
	return nil
}

// precisionOf reads a precision. One that a decimal of that scale cannot have
// stays a parameter.
func precisionOf(text string, scale int) (int, bool) {
	p, err := strconv.Atoi(text)
	return p, err == nil && p > 0 && p >= scale && p <= limits.DecimalDigits && strconv.Itoa(p) == text
}

// versionInto takes over the version. logical: Connect writes 1 there.
func (n *node) versionInto(s *schema.Schema, logical bool) {
	explicit := ""
	switch {
	case n.versioned && n.version == 0:
		explicit = "0"
	case !n.versioned && logical:
		explicit = "none"
	case n.version != 1 || !logical:
		s.Version = n.version
	}
	if explicit != "" {
		if n.params == nil {
			n.params = make(map[string]string)
		}
		n.params[paramVersion] = explicit
	}
}

// foreign makes s the type of ours that word says.
func (n *node) foreign(s *schema.Schema, word string) error {
	if word == "union" {
		s.Type = schema.Union
		s.Fields = nil
		for i := range n.fields {
			f := &n.fields[i]
			f.Schema.Optional = false
			s.Branches = append(s.Branches, schema.Branch{Name: f.Name, Schema: f.Schema, Tag: f.Tag})
		}
	} else {
		t, err := schema.Parse(word)
		if err != nil {
			return bad("parameter %s: %s", paramType, err)
		}
		s.Type, s.Size, s.Unit, s.Symbols = t.Type, t.Size, t.Unit, t.Symbols
	}
	b := baseOf(s)
	if !b.foreign || b.word != n.word {
		return bad("parameter %s says %s, which is not kept as %s", paramType, word, n.word)
	}
	if b.logical != "" { // uint64, as a decimal of scale 0
		delete(n.params, paramScale)
		n.versionInto(s, true)
		return nil
	}
	s.Name = n.name
	n.versionInto(s, false)
	return nil
}

// restore takes back what was kept as parameters.
func (n *node) restore(s *schema.Schema, f *field) (err error) {
	if v, there := n.take(paramName); there {
		s.Name = v
	}
	if _, there := n.take(paramOwnVersion); there {
		s.Version = 1
	}
	if v, there := n.take(paramAliases); there {
		if s.Aliases, err = list(paramAliases, v); err != nil {
			return err
		}
	}
	if v, there := n.take(paramFieldAliases); there {
		if f.Aliases, err = list(paramFieldAliases, v); err != nil {
			return err
		}
	}
	if v, there := n.take(paramDoc); there && v == "field" {
		f.Doc, s.Doc = s.Doc, ""
	}
	if v, there := n.take(paramFieldDoc); there {
		f.Doc = v
	}
	if v, there := n.take(paramFieldTag); there {
		if f.Tag, err = strconv.Atoi(v); err != nil {
			return bad("parameter %s is no number: %q", paramFieldTag, v)
		}
	}
	if v, there := n.take(paramDefault); there && v == "null" && (s.Optional || s.Type == schema.Any) {
		s.Default = []byte("null")
	}
	return nil
}

func list(key, text string) ([]string, error) {
	c := jsontext.New([]byte(text))
	var all []string
	err := c.Elements(func(int) error {
		t, err := c.Text()
		all = append(all, t)
		return err
	})
	if err == nil {
		err = c.End()
	}
	if err != nil {
		return nil, bad("parameter %s is no list of texts: %s", key, err)
	}
	return all, nil
}
