package jsonschema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/schema"
)

// node reads what stands in the place of a type into s, or returns what it
// refers to. own: nobody else has the result.
func (r *reader) node(doc string, raw []byte, s *schema.Schema, depth int) (res *schema.Schema, own bool, err error) {
	if r.nodes++; r.nodes > limits.SchemaNodes {
		return nil, false, bad("more than %d types", limits.SchemaNodes)
	}
	if depth > limits.SchemaDepth {
		return nil, false, bad("types nested deeper than %d", limits.SchemaDepth)
	}
	switch string(raw) {
	case "true":
		return s, true, nil
	case "false":
		return nil, false, bad("false takes no value at all")
	}
	k, err := r.open(doc, raw)
	if err != nil {
		return nil, false, err
	}
	res, own, err = r.kind(k, s, depth)
	if err != nil {
		return nil, false, err
	}
	return r.defaultOf(k, res, own)
}

// kind finds which kind of node it is.
func (r *reader) kind(k *keywords, s *schema.Schema, depth int) (*schema.Schema, bool, error) {
	if ref := k.text("$ref"); ref != "" {
		res, err := r.reference(k.doc, ref, depth)
		return res, false, err
	}
	if list := elements(k.take("allOf")); len(list) == 1 && k.take("properties") == nil {
		return r.node(k.doc, list[0], s, depth)
	} else if len(list) > 0 {
		return s, true, r.merge(k, list, s, depth)
	}
	list := elements(k.take("oneOf"))
	list = append(list, elements(k.take("anyOf"))...)
	if len(list) > 0 {
		return r.alternatives(k, list, s, depth)
	}
	return s, true, r.body(k, s, depth)
}

// elements returns the elements of an array, none of anything else.
func elements(raw []byte) [][]byte {
	if len(raw) == 0 || raw[0] != '[' {
		return nil
	}
	var list [][]byte
	c := jsontext.New(raw)
	_ = c.Elements(func(int) error { // raw was read before
		e, err := c.Raw()
		list = append(list, e)
		return err
	})
	return list
}

// optional makes a type one that may be null.
func (r *reader) optional(s *schema.Schema, own bool) (*schema.Schema, bool) {
	if own {
		s.Optional = true
		return s, true
	}
	c := &schema.Schema{}
	r.copies = append(r.copies, derived{s: c, of: s, change: func(c *schema.Schema) { c.Optional = true }})
	return c, false
}

// defaultOf notes the default that stands beside a type.
func (r *reader) defaultOf(k *keywords, s *schema.Schema, own bool) (*schema.Schema, bool, error) {
	text, typed := k.take("default"), k.take("flow.default")
	if text == nil && typed == nil {
		return s, own, nil
	}
	if !own {
		c := &schema.Schema{}
		r.copies = append(r.copies, derived{s: c, of: s, change: func(*schema.Schema) {}})
		s = c
	}
	if typed != nil {
		text = typed
	}
	r.defaults = append(r.defaults, value{s: s, text: slices.Clone(text), typed: typed != nil})
	return s, own, nil
}

func isNull(raw []byte) bool {
	t, _ := member(raw, "type")
	return string(t) == `"null"`
}

// alternatives reads oneOf and anyOf: null makes the rest optional, several
// others make a union.
func (r *reader) alternatives(k *keywords, list [][]byte, s *schema.Schema, depth int) (*schema.Schema, bool, error) {
	others := slices.DeleteFunc(slices.Clone(list), isNull)
	null := len(others) < len(list)
	if len(others) == 1 && k.text("flow.type") != "union" {
		res, own, err := r.node(k.doc, others[0], s, depth)
		if err != nil || !null {
			return res, own, err
		}
		res, own = r.optional(res, own)
		return res, own, nil
	}
	k.text("flow.type")
	if len(others) == 0 {
		return nil, false, bad("null alone is no type for a value")
	}
	s.Type, s.Optional = schema.Union, null
	for _, raw := range others {
		b := schema.Branch{Name: branchName(raw)}
		for n := 2; s.BranchIndex(b.Name) >= 0; n++ {
			b.Name = branchName(raw) + strconv.Itoa(n)
		}
		if tag, _ := member(raw, "flow.tag"); tag != nil {
			b.Tag, _ = strconv.Atoi(string(tag))
		}
		var own bool
		var err error
		if b.Schema, own, err = r.node(k.doc, raw, &schema.Schema{}, depth+1); err != nil {
			return nil, false, within(err, "("+b.Name+")")
		}
		r.branch(s, &b, own)
		s.Branches = append(s.Branches, b)
	}
	k.take("type")
	return s, true, r.attributes(k, s)
}

// branch makes the type of a branch required: the union is optional instead.
func (r *reader) branch(s *schema.Schema, b *schema.Branch, own bool) {
	if own {
		s.Optional = s.Optional || b.Schema.Optional
		b.Schema.Optional = false
	}
}

// branchName is what a branch is called: as flow says, by its title, by what it
// refers to, or by its type.
func branchName(raw []byte) string {
	for _, key := range []string{"flow.branch", "title", "$ref", "type"} {
		v, _ := member(raw, key)
		if len(v) == 0 || v[0] != '"' {
			continue
		}
		c := jsontext.New(v)
		t, err := c.Text()
		if err != nil || t == "" {
			continue
		}
		if key == "$ref" {
			t = t[strings.LastIndexAny(t, "/#")+1:]
		}
		if t != "" {
			return t
		}
	}
	return "any"
}

// merge reads allOf: objects whose properties are those of one struct.
func (r *reader) merge(k *keywords, list [][]byte, s *schema.Schema, depth int) error {
	s.Type = schema.Struct
	if k.take("properties") != nil {
		if err := r.object(k, s, depth); err != nil {
			return err
		}
	}
	for _, raw := range list {
		part, _, err := r.node(k.doc, raw, &schema.Schema{}, depth+1)
		if err != nil {
			return err
		}
		if part.Type != schema.Struct {
			return bad("allOf of what are not objects with properties: flow takes one type, or objects")
		}
		for _, f := range part.Fields {
			if i := s.FieldIndex(f.Name); i >= 0 {
				s.Fields[i] = f
				continue
			}
			s.Fields = append(s.Fields, f)
		}
	}
	k.take("type")
	k.take("required")
	return r.attributes(k, s)
}

// attributes takes over what any type may have, and keeps what is left.
func (r *reader) attributes(k *keywords, s *schema.Schema) error {
	if s.Name == "" && !isLogical(s) {
		s.Name = k.text("title")
	}
	k.take("title")
	if name := k.text("flow.name"); name != "" {
		s.Name = name
	}
	s.Doc = k.text("description")
	if v := k.int("connect.version"); v != 1 || !isLogical(s) {
		s.Version = v
	}
	if k.text("flow.version") == "1" {
		s.Version = 1
	}
	s.Aliases, _ = k.texts("flow.aliases")
	if raw := k.take("connect.parameters"); raw != nil {
		if err := parameters(s, raw); err != nil {
			return err
		}
	}
	for _, name := range []string{"connect.type", "connect.index", "flow.field", "flow.tag", "flow.branch", "flow.default", "default", "required"} {
		k.take(name)
	}
	left := []byte{'{'}
	for _, m := range k.members {
		if m.used {
			continue
		}
		if len(left) > 1 {
			left = append(left, ',')
		}
		left = append(jsontext.AppendQuoted(left, m.name), ':')
		left = jsontext.AppendCompact(left, m.raw)
	}
	if len(left) > 1 {
		if s.Parameters == nil {
			s.Parameters = make(map[string]string)
		}
		s.Parameters[paramKeywords] = string(append(left, '}'))
	}
	return nil
}

func isLogical(s *schema.Schema) bool { return formOf(s).logical != "" }

func parameters(s *schema.Schema, raw []byte) error {
	c := jsontext.New(raw)
	err := c.Object(func(name []byte) error {
		key := string(name)
		if c.Peek() != '"' {
			return bad("parameter %q is no string", key)
		}
		v, err := c.Text()
		if s.Type == schema.Decimal && (key == "scale" || key == "connect.decimal.precision") {
			return err // read before
		}
		if s.Parameters == nil {
			s.Parameters = make(map[string]string)
		}
		s.Parameters[key] = v
		return err
	})
	return err
}

// body reads a node that says its type itself.
func (r *reader) body(k *keywords, s *schema.Schema, depth int) error {
	if word := k.text("flow.type"); word != "" {
		t, err := schema.Parse(word)
		if err != nil {
			return bad("flow.type: %s", err)
		}
		s.Type, s.Size, s.Unit = t.Type, t.Size, t.Unit
		k.take("type")
		if f := k.text("format"); f == "date-time" && !isOwn(s) {
			s.Parameters = map[string]string{paramFormat: f}
		}
		if s.Type == schema.Time && s.Unit == schema.Millisecond { // as a number it is Connect's own
			s.Parameters = map[string]string{paramFormat: "time"}
		}
		return r.attributes(k, s)
	}
	words, several := k.texts("type")
	if !several {
		if w := k.text("type"); w != "" {
			words = []string{w}
		}
	}
	if i := slices.Index(words, "null"); i >= 0 {
		words = slices.Delete(words, i, i+1)
		s.Optional = true
	}
	if len(words) > 1 {
		return r.several(k, words, s, depth)
	}
	word := ""
	if len(words) == 1 {
		word = words[0]
	} else if s.Optional {
		return bad("null alone is no type for a value")
	}
	if err := r.typed(k, word, s, depth); err != nil {
		return err
	}
	return r.attributes(k, s)
}

// isOwn reports whether flow itself writes the type as it stands.
func isOwn(s *schema.Schema) bool { return s.Type == schema.Timestamp && s.Unit != schema.Millisecond }

// several makes a union of a list of types.
func (r *reader) several(k *keywords, words []string, s *schema.Schema, depth int) error {
	s.Type = schema.Union
	for _, w := range words {
		if w == "" {
			return bad(`JSON Schema has no type ""`)
		}
		b := &schema.Schema{}
		if err := r.typed(k, w, b, depth+1); err != nil {
			return within(err, "("+w+")")
		}
		s.Branches = append(s.Branches, schema.Branch{Name: w, Schema: b})
	}
	return r.attributes(k, s)
}
