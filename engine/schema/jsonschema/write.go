package jsonschema

import (
	"maps"
	"slices"
	"strconv"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/schema"
)

// Append appends a valid schema as a JSON Schema of draft 7, in one line.
func Append(dst []byte, s *schema.Schema) ([]byte, error) {
	w := writer{b: dst, begin: len(dst), uses: make(map[*schema.Schema]int), names: make(map[*schema.Schema]string), taken: make(map[string]bool)}
	w.count(s)
	w.b = append(w.b, `{"$schema":"http://json-schema.org/draft-07/schema#"`...)
	err := w.use(s, nil, "")
	if err == nil && len(w.todo) > 0 {
		w.b = append(w.b, `,"definitions":{`...)
		for i := 0; i < len(w.todo) && err == nil; i++ {
			if i > 0 {
				w.b = append(w.b, ',')
			}
			w.b = append(jsontext.AppendQuoted(w.b, w.names[w.todo[i]]), ':', '{')
			err = w.body(w.todo[i], "")
			w.b = append(w.b, '}')
		}
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, '}')
	return w.b, err
}

type writer struct {
	b     []byte
	begin int
	uses  map[*schema.Schema]int
	names map[*schema.Schema]string // of definitions
	taken map[string]bool
	todo  []*schema.Schema
}

// count finds what stands in several places, or within itself.
func (w *writer) count(s *schema.Schema) {
	if !s.Type.IsComplex() {
		return
	}
	if w.uses[s]++; w.uses[s] > 1 {
		return
	}
	for i := range s.Fields {
		w.count(s.Fields[i].Schema)
	}
	for i := range s.Branches {
		w.count(s.Branches[i].Schema)
	}
	if s.Key != nil {
		w.count(s.Key)
	}
	if s.Elem != nil {
		w.count(s.Elem)
	}
}

func (w *writer) key(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(append(append(w.b, '"'), name...), '"', ':')
}

func (w *writer) text(name, v string) {
	if v != "" {
		w.key(name)
		w.b = jsontext.AppendQuoted(w.b, v)
	}
}

func (w *writer) texts(name string, list []string) {
	if list == nil {
		return
	}
	w.key(name)
	w.b = append(w.b, '[')
	for i, t := range list {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = jsontext.AppendQuoted(w.b, t)
	}
	w.b = append(w.b, ']')
}

// field is where a type stands in a struct.
type place struct {
	f     *schema.Field
	index int
}

// use writes the members of the object that stands where s is used: whether it
// may be null, its default, and what belongs to the place.
func (w *writer) use(s *schema.Schema, at *place, branch string) error {
	if len(w.b)-w.begin > limits.SchemaBytes {
		return &schema.Error{Msg: "a JSON Schema of more than " + strconv.Itoa(limits.SchemaBytes) + " bytes"}
	}
	var err error
	switch {
	case s.Optional && s.Type != schema.Union && !absent(s, at):
		// null is of any type, too.
		w.key(map[bool]string{true: "anyOf", false: "oneOf"}[s.Type == schema.Any])
		w.b = append(w.b, `[{"type":"null"},{`...)
		err = w.inner(s, branch)
		w.b = append(w.b, '}', ']')
	case w.uses[s] > 1:
		w.key("allOf")
		w.b = append(w.b, '[', '{')
		err = w.inner(s, branch)
		w.b = append(w.b, '}', ']')
	default:
		err = w.inner(s, branch)
	}
	if err != nil {
		return err
	}
	if at != nil {
		w.key("connect.index")
		w.b = strconv.AppendInt(w.b, int64(at.index), 10)
		w.field(at.f)
	}
	return w.defaultOf(s)
}

// absent reports whether a field is not there rather than null.
func absent(s *schema.Schema, at *place) bool {
	return at != nil && len(s.Default) == 0 && s.Parameters[paramAbsent] != ""
}

func (w *writer) field(f *schema.Field) {
	if f.Doc == "" && len(f.Aliases) == 0 && f.Tag == 0 {
		return
	}
	w.key("flow.field")
	w.b = append(w.b, '{')
	w.text("doc", f.Doc)
	w.texts("aliases", f.Aliases)
	if f.Tag != 0 {
		w.key("tag")
		w.b = strconv.AppendInt(w.b, int64(f.Tag), 10)
	}
	w.b = append(w.b, '}')
}

func (w *writer) defaultOf(s *schema.Schema) error {
	if len(s.Default) == 0 {
		return nil
	}
	w.key("default")
	var err error
	if w.b, err = AppendPayload(w.b, s.Default, s, Options{KeepNulls: true, Lenient: true}); err != nil {
		return err
	}
	if s.Type == schema.Union || s.Type.IsComplex() {
		// The payload does not say which branch it is.
		w.key("flow.default")
		w.b = append(w.b, s.Default...)
	}
	return nil
}

// inner writes s, or a reference to it.
func (w *writer) inner(s *schema.Schema, branch string) error {
	if w.uses[s] <= 1 {
		return w.body(s, branch)
	}
	name, there := w.names[s]
	if !there {
		name = s.Name
		for n := 2; name == "" || w.taken[name]; n++ {
			name = s.DefaultName() + strconv.Itoa(n)
		}
		w.names[s], w.taken[name] = name, true
		w.todo = append(w.todo, s)
	}
	w.text("$ref", "#/definitions/"+escapePointer(name))
	return nil
}

// body writes what s is, whoever uses it.
func (w *writer) body(s *schema.Schema, branch string) error {
	f := formOf(s)
	w.text("type", f.word)
	w.text("format", f.format)
	w.text("title", f.logical)
	if f.logical == "" && !saysLogical(s.Name) {
		w.text("title", s.Name)
	} else {
		w.text("flow.name", s.Name)
	}
	w.text("description", s.Doc)
	w.text("connect.type", f.connect)
	w.version(s, f)
	w.parameters(s, f)
	w.texts("flow.aliases", s.Aliases)
	if f.own {
		word := "union"
		if s.Type != schema.Union {
			word = (&schema.Schema{Type: s.Type, Size: s.Size, Unit: s.Unit}).String()
		}
		w.text("flow.type", word)
	}
	w.text("flow.branch", branch)
	w.texts("enum", s.Symbols)
	return w.parts(s)
}

func (w *writer) version(s *schema.Schema, f form) {
	v := s.Version
	if f.logical != "" {
		if v == 1 {
			w.text("flow.version", "1")
		}
		v = max(v, 1)
		if s.Version < 0 {
			v = s.Version
		}
	}
	if v != 0 {
		w.key("connect.version")
		w.b = strconv.AppendInt(w.b, int64(v), 10)
	}
}

func (w *writer) parameters(s *schema.Schema, f form) {
	params := maps.Clone(s.Parameters)
	if f.logical == decimalName {
		if params == nil {
			params = make(map[string]string)
		}
		params["scale"] = strconv.Itoa(s.Scale)
		if delete(params, "connect.decimal.precision"); s.Precision > 0 {
			params["connect.decimal.precision"] = strconv.Itoa(s.Precision)
		}
	}
	if f.format != "" && params[paramFormat] == f.format {
		delete(params, paramFormat)
	}
	if s.Type == schema.Time {
		delete(params, paramFormat)
	}
	delete(params, paramAbsent)
	keywords := params[paramKeywords]
	delete(params, paramKeywords)
	if len(params) > 0 {
		w.key("connect.parameters")
		w.b = append(w.b, '{')
		for _, k := range slices.Sorted(maps.Keys(params)) {
			if w.b[len(w.b)-1] != '{' {
				w.b = append(w.b, ',')
			}
			w.b = append(jsontext.AppendQuoted(w.b, k), ':')
			w.b = jsontext.AppendQuoted(w.b, params[k])
		}
		w.b = append(w.b, '}')
	}
	c := jsontext.New([]byte(keywords))
	if c.Peek() != '{' {
		return
	}
	// What is no JSON is nobody's keywords.
	if raw, err := c.Raw(); err == nil && len(raw) > 2 && c.End() == nil {
		if w.b[len(w.b)-1] != '{' {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, raw[1:len(raw)-1]...)
	}
}

func (w *writer) parts(s *schema.Schema) error {
	switch s.Type {
	case schema.Array:
		return within(w.part("items", s.Elem), "[]")
	case schema.Map:
		if s.Key.Type == schema.String {
			if !plainKey(s.Key) {
				if err := w.part("propertyNames", s.Key); err != nil {
					return err
				}
			}
			return within(w.part("additionalProperties", s.Elem), "[value]")
		}
		w.key("items")
		w.b = append(w.b, `{"type":"object","properties":{`...)
		if err := w.part("key", s.Key); err != nil {
			return within(err, "[key]")
		}
		if err := w.part("value", s.Elem); err != nil {
			return within(err, "[value]")
		}
		w.b = append(w.b, `},"required":["key","value"]}`...)
	case schema.Struct:
		return w.fields(s)
	case schema.Union:
		return w.branches(s)
	default:
	}
	return nil
}

// plainKey: nothing is said of the keys but that they are strings.
func plainKey(s *schema.Schema) bool { return schema.Equal(s, &schema.Schema{Type: schema.String}) }

func (w *writer) part(name string, s *schema.Schema) error {
	w.key(name)
	w.b = append(w.b, '{')
	err := w.use(s, nil, "")
	w.b = append(w.b, '}')
	return err
}

func (w *writer) fields(s *schema.Schema) error {
	w.key("properties")
	w.b = append(w.b, '{')
	var required []string
	for i := range s.Fields {
		f := &s.Fields[i]
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(jsontext.AppendQuoted(w.b, f.Name), ':', '{')
		if err := w.use(f.Schema, &place{f, i}, ""); err != nil {
			return within(err, schema.FieldStep(f.Name))
		}
		w.b = append(w.b, '}')
		if !f.Schema.Optional && len(f.Schema.Default) == 0 {
			required = append(required, f.Name)
		}
	}
	w.b = append(w.b, '}')
	w.texts("required", required)
	return nil
}

func (w *writer) branches(s *schema.Schema) error {
	w.key("anyOf")
	w.b = append(w.b, '[')
	if s.Optional && s.Parameters[paramAbsent] == "" {
		w.b = append(w.b, `{"type":"null"},`...)
	}
	for i := range s.Branches {
		b := &s.Branches[i]
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, '{')
		if err := w.branch(b); err != nil {
			return within(err, "("+b.Name+")")
		}
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, ']')
	return nil
}

func (w *writer) branch(b *schema.Branch) error {
	if b.Tag != 0 {
		w.key("flow.tag")
		w.b = strconv.AppendInt(w.b, int64(b.Tag), 10)
	}
	if w.uses[b.Schema] > 1 { // the name is the use's, not the definition's
		w.text("flow.branch", b.Name)
		return w.use(b.Schema, nil, "")
	}
	return w.use(b.Schema, nil, b.Name)
}
