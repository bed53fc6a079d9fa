package connect

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/schema"
)

// AppendSchema appends the node of a valid schema, its members in the order in
// which Connect writes them. It fails for a type within itself, which the
// envelope cannot write.
func AppendSchema(dst []byte, s *schema.Schema, o Options) ([]byte, error) {
	w := writer{Options: o, dst: dst, begin: len(dst)}
	err := w.node(s, nil, false)
	return w.dst, err
}

type writer struct {
	Options
	dst   []byte
	begin int
	path  []*schema.Schema
}

// node writes s, which is the type of that field if there is one. branch: the
// field is a branch of a union, null unless it is the one that counts.
func (w *writer) node(s *schema.Schema, f *schema.Field, branch bool) error {
	if slices.Contains(w.path, s) {
		return &schema.Error{Msg: s.Type.String() + " " + s.Name + " is within itself, which an envelope of Kafka Connect cannot say: use Avro or Protobuf"}
	}
	if len(w.dst)-w.begin > limits.SchemaBytes {
		return &schema.Error{Msg: "a schema of more than " + strconv.Itoa(limits.SchemaBytes) + " bytes in Kafka Connect's envelope"}
	}
	w.path = append(w.path, s)
	b := baseOf(s)
	w.dst = append(w.dst, `{"type":"`...)
	w.dst = append(append(w.dst, b.word...), '"')
	if err := w.parts(s); err != nil {
		return err
	}
	w.dst = append(w.dst, `,"optional":`...)
	w.dst = strconv.AppendBool(w.dst, s.Optional || branch)
	w.text("name", nameOf(s, b))
	if v, there := versionOf(s, b); there {
		w.dst = append(w.dst, `,"version":`...)
		w.dst = strconv.AppendInt(w.dst, int64(v), 10)
	}
	doc := s.Doc
	if doc == "" && f != nil {
		doc = f.Doc
	}
	w.text("doc", doc)
	w.parameters(s, f, b)
	if err := w.defaultOf(s); err != nil {
		return err
	}
	if f != nil {
		w.dst = append(w.dst, `,"field":`...)
		w.dst = jsontext.AppendQuoted(w.dst, f.Name)
	}
	w.dst = append(w.dst, '}')
	w.path = w.path[:len(w.path)-1]
	return nil
}

func (w *writer) text(name, value string) {
	if value != "" {
		w.dst = append(append(append(w.dst, ',', '"'), name...), '"', ':')
		w.dst = jsontext.AppendQuoted(w.dst, value)
	}
}

// parts writes what s is made of.
func (w *writer) parts(s *schema.Schema) error {
	part := func(name, step string, p *schema.Schema) error {
		w.dst = append(append(append(w.dst, ',', '"'), name...), '"', ':')
		return within(w.node(p, nil, false), step)
	}
	switch s.Type {
	case schema.Array:
		return part("items", "[]", s.Elem)
	case schema.Map:
		if err := part("keys", "[key]", s.Key); err != nil {
			return err
		}
		return part("values", "[value]", s.Elem)
	case schema.Struct, schema.Union:
		w.dst = append(w.dst, `,"fields":[`...)
		for i := range s.Fields {
			w.comma(i)
			if err := w.node(s.Fields[i].Schema, &s.Fields[i], false); err != nil {
				return within(err, schema.FieldStep(s.Fields[i].Name))
			}
		}
		for i := range s.Branches {
			br := &s.Branches[i]
			w.comma(i)
			if err := w.node(br.Schema, &schema.Field{Name: br.Name, Tag: br.Tag}, true); err != nil {
				return within(err, "("+br.Name+")")
			}
		}
		w.dst = append(w.dst, ']')
	default:
	}
	return nil
}

func (w *writer) comma(i int) {
	if i > 0 {
		w.dst = append(w.dst, ',')
	}
}

func nameOf(s *schema.Schema, b base) string {
	if b.logical != "" {
		return b.logical
	}
	return s.Name
}

// versionOf returns what stands as version. That of Connect's logical types is
// 1 unless the schema says otherwise.
func versionOf(s *schema.Schema, b base) (v int, there bool) {
	explicit := s.Parameters[paramVersion]
	switch {
	case s.Version != 0:
		return s.Version, true
	case explicit == "0":
		return 0, true
	case b.logical == "" || explicit == "none":
		return 0, false
	}
	return 1, true
}

// saysVersion reports whether the parameter connect.version of s is written as
// the version itself.
func saysVersion(s *schema.Schema, b base) bool {
	explicit := s.Parameters[paramVersion]
	return s.Version == 0 && (explicit == "0" || b.logical != "" && explicit == "none")
}

func (w *writer) parameters(s *schema.Schema, f *schema.Field, b base) {
	first := true
	add := func(key, value string) {
		if first {
			w.dst = append(w.dst, `,"parameters":{`...)
		} else {
			w.dst = append(w.dst, ',')
		}
		first = false
		w.dst = append(jsontext.AppendQuoted(w.dst, key), ':')
		w.dst = jsontext.AppendQuoted(w.dst, value)
	}
	if b.logical == DecimalName {
		add(paramScale, strconv.Itoa(s.Scale))
		if s.Precision > 0 {
			add(paramPrecision, strconv.Itoa(s.Precision))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.Parameters)) {
		v := s.Parameters[k]
		switch {
		case k == paramVersion && saysVersion(s, b):
		case w.escaped(s, b, k, v):
			add(paramEscape+k, v)
		default:
			add(k, v)
		}
	}
	for _, p := range kept(s, f, b) {
		add(p[0], p[1])
	}
	if !first {
		w.dst = append(w.dst, '}')
	}
}

// escaped reports whether the parameter would be read as something else.
func (w *writer) escaped(s *schema.Schema, b base, k, v string) bool {
	if slices.Contains(reserved, k) || strings.HasPrefix(k, paramEscape) {
		return true
	}
	if k == paramVersion {
		return v == "0" || v == "none"
	}
	if b.logical != DecimalName {
		return false
	}
	_, read := precisionOf(v, s.Scale)
	return k == paramScale || k == paramPrecision && read
}

// kept returns the parameters for what Connect has no place for.
func kept(s *schema.Schema, f *schema.Field, b base) [][2]string {
	var list [][2]string
	add := func(on bool, key, value string) {
		if on {
			list = append(list, [2]string{key, value})
		}
	}
	add(s.Aliases != nil, paramAliases, texts(s.Aliases))
	add(string(s.Default) == "null", paramDefault, "null")
	if f != nil {
		add(f.Doc != "" && s.Doc == "", paramDoc, "field")
		add(f.Aliases != nil, paramFieldAliases, texts(f.Aliases))
		add(f.Doc != "" && s.Doc != "", paramFieldDoc, f.Doc)
		add(f.Tag != 0, paramFieldTag, strconv.Itoa(f.Tag))
	}
	add(b.logical != "" && s.Name != "", paramName, s.Name)
	if b.foreign {
		word := "union"
		if s.Type != schema.Union {
			word = (&schema.Schema{Type: s.Type, Size: s.Size, Unit: s.Unit, Symbols: s.Symbols}).String()
		}
		add(true, paramType, word)
	}
	add(b.logical != "" && s.Version == 1, paramOwnVersion, "1")
	return list
}

func texts(list []string) string {
	b := []byte{'['}
	for i, t := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendQuoted(b, t)
	}
	return string(append(b, ']'))
}

func (w *writer) defaultOf(s *schema.Schema) error {
	if len(s.Default) == 0 || string(s.Default) == "null" {
		return nil
	}
	w.dst = append(w.dst, `,"default":`...)
	var err error
	if w.dst, err = AppendPayload(w.dst, s.Default, s, w.Options); err != nil {
		return within(err, "default")
	}
	return nil
}
