package jsonschema

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/schema"
)

// typed reads a type by its word, empty where none is said.
func (r *reader) typed(k *keywords, word string, s *schema.Schema, depth int) error {
	connect := k.text("connect.type")
	if word == "" {
		word = r.guess(k)
	}
	switch word {
	case "":
		s.Type = schema.Any
	case "boolean":
		s.Type = schema.Bool
	case "integer":
		s.Type = schema.Int64
		numeric(s, connect)
	case "number":
		s.Type = schema.Float64
		numeric(s, connect)
	case "string":
		r.text(k, connect, s)
	case "array":
		return r.array(k, connect, s, depth)
	case "object":
		return r.object(k, s, depth)
	default:
		return bad("JSON Schema has no type %q", word)
	}
	return r.logical(k, connect, s)
}

// guess finds the type where only its keywords stand.
func (r *reader) guess(k *keywords) string {
	switch {
	case k.take("properties") != nil || k.take("additionalProperties") != nil:
		return "object"
	case k.take("items") != nil:
		return "array"
	}
	raw := k.take("enum")
	if raw == nil {
		if raw = k.take("const"); raw != nil {
			raw = slices.Concat([]byte{'['}, raw, []byte{']'})
		}
	}
	list := elements(raw)
	for _, e := range list {
		if e[0] != '"' && string(e) != "null" {
			k.unuse("enum", "const")
			return ""
		}
	}
	if len(list) > 0 {
		return "string"
	}
	return ""
}

func (k *keywords) unuse(names ...string) {
	for i := range k.members {
		if slices.Contains(names, k.members[i].name) {
			k.members[i].used = false
		}
	}
}

func numeric(s *schema.Schema, connect string) {
	switch connect {
	case "int8":
		s.Type = schema.Int8
	case "int16":
		s.Type = schema.Int16
	case "int32":
		s.Type = schema.Int32
	case "int64":
		s.Type = schema.Int64
	case "float32":
		s.Type = schema.Float32
	case "float64":
		s.Type = schema.Float64
	}
}

// text reads what is a string in JSON.
func (r *reader) text(k *keywords, connect string, s *schema.Schema) {
	s.Type = schema.String
	if connect == "bytes" {
		s.Type = schema.Bytes
		return
	}
	switch f := k.text("format"); f {
	case "uuid":
		s.Type = schema.UUID
	case "date":
		s.Type = schema.Date
		s.Parameters = map[string]string{paramFormat: f}
	case "date-time":
		s.Type = schema.Timestamp
		s.Parameters = map[string]string{paramFormat: f}
	default:
		k.unuse("format")
	}
	if s.Type != schema.String {
		return
	}
	list := elements(k.take("enum"))
	if list == nil {
		if c := k.take("const"); c != nil {
			list = [][]byte{c}
		}
	}
	var symbols []string
	for _, raw := range list {
		c := jsontext.New(raw)
		if string(raw) == "null" {
			s.Optional = true
			continue
		}
		t, err := c.Text()
		if err != nil {
			k.unuse("enum", "const")
			return
		}
		symbols = append(symbols, t)
	}
	if symbols != nil {
		s.Type, s.Symbols = schema.Enum, symbols
	}
}

// logical finds Connect's logical types by their titles.
func (r *reader) logical(k *keywords, connect string, s *schema.Schema) error {
	switch title := k.text("title"); {
	case title == decimalName && connect == "bytes":
		s.Type = schema.Decimal
		return decimal(k, s)
	case title == dateName && connect == "int32":
		s.Type = schema.Date
	case title == timeName && connect == "int32":
		s.Type, s.Unit = schema.Time, schema.Millisecond
	case title == timestampName && connect == "int64":
		s.Type, s.Unit = schema.Timestamp, schema.Millisecond
	}
	return nil
}

func decimal(k *keywords, s *schema.Schema) error {
	all := schema.Schema{}
	raw := k.take("connect.parameters")
	if raw == nil {
		return bad("a Decimal needs the parameter scale")
	}
	if err := parameters(&all, raw); err != nil {
		return err
	}
	var err error
	if s.Scale, err = strconv.Atoi(all.Parameters["scale"]); err != nil {
		return bad("the scale of a Decimal is no number: %q", all.Parameters["scale"])
	}
	if p, err := strconv.Atoi(all.Parameters["connect.decimal.precision"]); err == nil && p > 0 && p >= s.Scale && p <= limits.DecimalDigits {
		s.Precision = p
	}
	return nil
}

func (r *reader) array(k *keywords, connect string, s *schema.Schema, depth int) error {
	items := k.take("items")
	if connect == "map" {
		key, _ := r.inside(items, "properties", "key")
		value, _ := r.inside(items, "properties", "value")
		if key == nil || value == nil {
			return bad(`a map as an array has items with the properties "key" and "value"`)
		}
		s.Type = schema.Map
		var err error
		if s.Key, _, err = r.node(k.doc, key, &schema.Schema{}, depth+1); err != nil {
			return within(err, "[key]")
		}
		s.Elem, _, err = r.node(k.doc, value, &schema.Schema{}, depth+1)
		return within(err, "[value]")
	}
	s.Type = schema.Array
	if items == nil || items[0] == '[' { // a tuple
		k.unuse("items")
		s.Elem = &schema.Schema{Type: schema.Any}
		return nil
	}
	var err error
	s.Elem, _, err = r.node(k.doc, items, &schema.Schema{}, depth+1)
	return within(err, "[]")
}

func (r *reader) inside(raw []byte, path ...string) ([]byte, error) {
	for _, step := range path {
		next, err := member(raw, step)
		if err != nil || next == nil {
			return nil, err
		}
		raw = next
	}
	return raw, nil
}

func (r *reader) object(k *keywords, s *schema.Schema, depth int) (err error) {
	properties := k.take("properties")
	if properties != nil {
		s.Type = schema.Struct
		return r.fields(k, properties, s, depth)
	}
	more := k.take("additionalProperties")
	if string(more) == "false" {
		k.unuse("additionalProperties")
		s.Type = schema.Struct
		return nil
	}
	s.Type, s.Key, s.Elem = schema.Map, &schema.Schema{Type: schema.String}, &schema.Schema{Type: schema.Any}
	if names := k.take("propertyNames"); names != nil {
		if s.Key, _, err = r.node(k.doc, names, &schema.Schema{}, depth+1); err != nil {
			return within(err, "[key]")
		}
		if s.Key.Type != schema.String { // such as an enum: no key of an object in typed JSON
			k.unuse("propertyNames")
			s.Key = &schema.Schema{Type: schema.String}
		}
	}
	if more != nil && string(more) != "true" {
		s.Elem, _, err = r.node(k.doc, more, &schema.Schema{}, depth+1)
	}
	return within(err, "[value]")
}

// fields reads the properties of a struct, in the order of connect.index where
// they have it.
func (r *reader) fields(k *keywords, properties []byte, s *schema.Schema, depth int) error {
	required, _ := k.texts("required")
	type indexed struct {
		at int
		f  schema.Field
	}
	var list []indexed
	c := jsontext.New(properties)
	err := c.Object(func(name []byte) error {
		f := schema.Field{Name: string(name)}
		raw, err := c.Raw()
		if err != nil {
			return err
		}
		at := len(list)
		if i, _ := memberOf(raw, "connect.index"); i != nil {
			at, _ = strconv.Atoi(string(i))
		}
		if err := extras(&f, raw); err != nil {
			return within(err, schema.FieldStep(f.Name))
		}
		var own bool
		if f.Schema, own, err = r.node(k.doc, raw, &schema.Schema{}, depth+1); err != nil {
			return within(err, schema.FieldStep(f.Name))
		}
		if d, _ := memberOf(raw, "default"); d == nil && !slices.Contains(required, f.Name) {
			f.Schema = r.mayBeAbsent(f.Schema, own)
		}
		list = append(list, indexed{at, f})
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(a, b indexed) int { return cmp.Compare(a.at, b.at) })
	s.Fields = make([]schema.Field, 0, len(list))
	for i := range list {
		s.Fields = append(s.Fields, list[i].f)
	}
	return nil
}

// mayBeAbsent makes the type of a field that is not required optional, and notes
// that it is left out if no null is allowed in its place.
func (r *reader) mayBeAbsent(s *schema.Schema, own bool) *schema.Schema {
	note := func(s *schema.Schema) {
		if s.Optional || s.Type == schema.Any {
			s.Optional = true
			return
		}
		s.Optional = true
		if s.Parameters = maps.Clone(s.Parameters); s.Parameters == nil {
			s.Parameters = make(map[string]string)
		}
		s.Parameters[paramAbsent] = "true"
	}
	if own {
		note(s)
		return s
	}
	c := &schema.Schema{}
	r.copies = append(r.copies, derived{s: c, of: s, change: note})
	return c
}

// memberOf is member for what may be no object.
func memberOf(raw []byte, name string) ([]byte, error) {
	if len(raw) == 0 || raw[0] != '{' {
		return nil, nil
	}
	return member(raw, name)
}

// extras reads what flow says of a field beside its type.
func extras(f *schema.Field, raw []byte) error {
	text, _ := memberOf(raw, "flow.field")
	if text == nil {
		return nil
	}
	r := reader{}
	k, err := r.open("", text)
	if err != nil {
		return err
	}
	f.Doc, f.Tag = k.text("doc"), k.int("tag")
	f.Aliases, _ = k.texts("aliases")
	return nil
}
