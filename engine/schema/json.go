package schema

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/limits"
)

// MarshalJSON returns the JSON form of s. ParseJSON makes an Equal schema of
// it:
//
//	{"type":"struct","name":"orders.Order","fields":[
//	  {"name":"id","type":{"type":"int64"}},
//	  {"name":"price","doc":"net","type":{"type":"decimal","optional":true,"precision":10,"scale":2,"default":1.50}},
//	  {"name":"tags","type":{"type":"array","items":{"type":"string"}}},
//	  {"name":"counts","type":{"type":"map","keys":{"type":"string"},"values":{"type":"int32"}}},
//	  {"name":"paid","type":{"type":"union","branches":[{"name":"card","type":{"type":"string"}}]}}]}
//
// The members of a type are, in this order, and absent where they say nothing:
// type, id, name, optional, version, doc, aliases, parameters, precision,
// scale, size, unit (s, ms, us, ns), symbols, items (of an array), keys and
// values (of a map), fields, branches, default (typed JSON). A field has name,
// doc, aliases, tag and type; a branch name, tag and type. A type that stands
// in several places, or within itself, has an id where it is written first and
// is {"ref":id} in the others.
func (s *Schema) MarshalJSON() ([]byte, error) {
	w := jsonWriter{uses: make(map[*Schema]int), ids: make(map[*Schema]int)}
	w.count(s)
	w.schema(s)
	return w.b, nil
}

type jsonWriter struct {
	b    []byte
	uses map[*Schema]int
	ids  map[*Schema]int
}

// count finds the types that stand in several places.
func (w *jsonWriter) count(s *Schema) {
	if !s.Type.IsComplex() {
		return
	}
	if w.uses[s]++; w.uses[s] > 1 {
		return
	}
	for c := range s.children() {
		w.count(c)
	}
}

func (w *jsonWriter) key(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(append(append(w.b, '"'), name...), '"', ':')
}

func (w *jsonWriter) text(name, v string) {
	if v != "" {
		w.key(name)
		w.b = jsontext.AppendQuoted(w.b, v)
	}
}

func (w *jsonWriter) int(name string, v int) {
	if v != 0 {
		w.key(name)
		w.b = strconv.AppendInt(w.b, int64(v), 10)
	}
}

func (w *jsonWriter) texts(name string, list []string) {
	if len(list) == 0 {
		return
	}
	w.key(name)
	w.b = append(w.b, '[')
	for i, t := range list {
		w.comma(i)
		w.b = jsontext.AppendQuoted(w.b, t)
	}
	w.b = append(w.b, ']')
}

func (w *jsonWriter) comma(i int) {
	if i > 0 {
		w.b = append(w.b, ',')
	}
}

func (w *jsonWriter) schema(s *Schema) {
	w.b = append(w.b, '{')
	if id, there := w.ids[s]; there {
		w.int("ref", id)
		w.b = append(w.b, '}')
		return
	}
	w.text("type", s.Type.String())
	if w.uses[s] > 1 {
		w.ids[s] = len(w.ids) + 1
		w.int("id", w.ids[s])
	}
	w.text("name", s.Name)
	if s.Optional {
		w.key("optional")
		w.b = append(w.b, "true"...)
	}
	w.int("version", s.Version)
	w.text("doc", s.Doc)
	w.texts("aliases", s.Aliases)
	if len(s.Parameters) > 0 {
		w.key("parameters")
		w.b = append(w.b, '{')
		for i, k := range slices.Sorted(maps.Keys(s.Parameters)) {
			w.comma(i)
			w.b = append(jsontext.AppendQuoted(w.b, k), ':')
			w.b = jsontext.AppendQuoted(w.b, s.Parameters[k])
		}
		w.b = append(w.b, '}')
	}
	w.int("precision", s.Precision)
	w.int("scale", s.Scale)
	w.int("size", s.Size)
	if s.Type.HasUnit() {
		w.text("unit", s.Unit.String())
	}
	w.texts("symbols", s.Symbols)
	w.parts(s)
	if len(s.Default) > 0 {
		w.key("default")
		w.b = append(w.b, s.Default...)
	}
	w.b = append(w.b, '}')
}

func (w *jsonWriter) parts(s *Schema) {
	part := func(name string, p *Schema) {
		if p != nil {
			w.key(name)
			w.schema(p)
		}
	}
	switch s.Type {
	case Array:
		part("items", s.Elem)
	case Map:
		part("keys", s.Key)
		part("values", s.Elem)
	case Struct:
		w.key("fields")
		w.b = append(w.b, '[')
		for i := range s.Fields {
			f := &s.Fields[i]
			w.comma(i)
			w.b = append(w.b, `{"name":`...)
			w.b = jsontext.AppendQuoted(w.b, f.Name)
			w.text("doc", f.Doc)
			w.texts("aliases", f.Aliases)
			w.int("tag", f.Tag)
			part("type", f.Schema)
			w.b = append(w.b, '}')
		}
		w.b = append(w.b, ']')
	case Union:
		w.key("branches")
		w.b = append(w.b, '[')
		for i := range s.Branches {
			br := &s.Branches[i]
			w.comma(i)
			w.b = append(w.b, `{"name":`...)
			w.b = jsontext.AppendQuoted(w.b, br.Name)
			w.int("tag", br.Tag)
			part("type", br.Schema)
			w.b = append(w.b, '}')
		}
		w.b = append(w.b, ']')
	default:
	}
}

// ParseJSON reads the JSON form of a schema, as MarshalJSON describes it. A
// member that it does not know is an error. The result is valid.
func ParseJSON(text []byte) (*Schema, error) {
	if len(text) > limits.SchemaBytes {
		return nil, fmt.Errorf("a schema of %d bytes: at most %d are read", len(text), limits.SchemaBytes)
	}
	r := jsonReader{c: jsontext.New(text), ids: make(map[int]*Schema)}
	s, err := r.schema(0)
	if err == nil {
		err = r.c.End()
	}
	if err == nil {
		err = s.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	return s, nil
}

type jsonReader struct {
	c     jsontext.Cursor
	ids   map[int]*Schema
	nodes int
}

func (r *jsonReader) schema(depth int) (*Schema, error) {
	if depth > limits.SchemaDepth {
		return nil, wrong("types nested deeper than %d", limits.SchemaDepth)
	}
	if r.nodes++; r.nodes > limits.SchemaNodes {
		return nil, wrong("more than %d types", limits.SchemaNodes)
	}
	s := &Schema{}
	typed := false
	var ref *Schema
	err := r.c.Object(func(name []byte) (err error) {
		switch string(name) {
		case "type":
			typed = true
			err = r.typeName(s)
		case "ref":
			ref, err = r.reference()
		default:
			err = r.attribute(s, string(name), depth)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case ref != nil:
		return ref, nil
	case !typed:
		return nil, wrong(`a schema needs a "type"`)
	}
	return s, nil
}

func (r *jsonReader) typeName(s *Schema) error {
	name, err := r.c.Text()
	if err != nil {
		return err
	}
	t, ok := typeOf(name)
	if !ok {
		return wrong("there is no type %q", name)
	}
	s.Type = t
	return nil
}

func (r *jsonReader) reference() (*Schema, error) {
	id, err := r.c.Int()
	if err != nil {
		return nil, err
	}
	s := r.ids[id]
	if s == nil {
		return nil, wrong("no type before has the id %d", id)
	}
	return s, nil
}

func (r *jsonReader) attribute(s *Schema, name string, depth int) (err error) {
	switch name {
	case "id":
		var id int
		if id, err = r.c.Int(); err == nil {
			r.ids[id] = s
		}
	case "name":
		s.Name, err = r.c.Text()
	case "optional":
		s.Optional, err = r.c.Bool()
	case "version":
		s.Version, err = r.c.Int()
	case "doc":
		s.Doc, err = r.c.Text()
	case "aliases":
		s.Aliases, err = r.texts()
	case "parameters":
		s.Parameters = make(map[string]string)
		err = r.c.Object(func(name []byte) error {
			k := string(name)
			v, err := r.c.Text()
			s.Parameters[k] = v
			return err
		})
	case "precision":
		s.Precision, err = r.c.Int()
	case "scale":
		s.Scale, err = r.c.Int()
	case "size":
		s.Size, err = r.c.Int()
	case "unit":
		err = r.unit(s)
	case "symbols":
		s.Symbols, err = r.texts()
	case "items":
		s.Elem, err = r.schema(depth + 1)
		err = within(err, "[]")
	case "keys":
		s.Key, err = r.schema(depth + 1)
		err = within(err, "[key]")
	case "values":
		s.Elem, err = r.schema(depth + 1)
		err = within(err, "[value]")
	case "fields":
		s.Fields = make([]Field, 0, 4)
		err = r.c.Elements(func(int) error { return r.field(s, depth) })
	case "branches":
		err = r.c.Elements(func(int) error { return r.branch(s, depth) })
	case "default":
		var raw []byte
		raw, err = r.c.Raw()
		s.Default = slices.Clone(raw)
	default:
		err = wrong("a schema has no %q", name)
	}
	return err
}

func (r *jsonReader) unit(s *Schema) error {
	name, err := r.c.Text()
	if err != nil {
		return err
	}
	u, ok := unitOf(name)
	if !ok {
		return wrong("%q is no unit: it is one of s, ms, us and ns", name)
	}
	s.Unit = u
	return nil
}

func (r *jsonReader) texts() ([]string, error) {
	var list []string
	err := r.c.Elements(func(int) error {
		t, err := r.c.Text()
		list = append(list, t)
		return err
	})
	return list, err
}

func (r *jsonReader) field(s *Schema, depth int) error {
	var f Field
	err := r.c.Object(func(name []byte) (err error) {
		switch string(name) {
		case "name":
			f.Name, err = r.c.Text()
		case "doc":
			f.Doc, err = r.c.Text()
		case "aliases":
			f.Aliases, err = r.texts()
		case "tag":
			f.Tag, err = r.c.Int()
		case "type":
			f.Schema, err = r.schema(depth + 1)
		default:
			err = wrong("a field has no %q", name)
		}
		return err
	})
	s.Fields = append(s.Fields, f)
	return within(err, FieldStep(f.Name))
}

func (r *jsonReader) branch(s *Schema, depth int) error {
	var b Branch
	err := r.c.Object(func(name []byte) (err error) {
		switch string(name) {
		case "name":
			b.Name, err = r.c.Text()
		case "tag":
			b.Tag, err = r.c.Int()
		case "type":
			b.Schema, err = r.schema(depth + 1)
		default:
			err = wrong("a branch has no %q", name)
		}
		return err
	})
	s.Branches = append(s.Branches, b)
	return within(err, branchStep(b.Name))
}
