package avro

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Parse reads a schema in its JSON form. Names that it does not declare are
// looked for in refs and in what these hold.
func Parse(text []byte, refs ...*Schema) (*Schema, error) {
	if len(text) > maxText {
		return nil, errText
	}
	p := &parser{names: map[string]*Schema{}, again: map[*Schema]*Schema{}}
	for _, r := range refs {
		p.know(r)
	}
	p.known = maps.Clone(p.names)
	text = bytes.TrimSpace(text)
	if !json.Valid(text) {
		// A bare name is what some tools write for a primitive type.
		if _, ok := primitive(string(text)); !ok {
			return nil, fmt.Errorf("reading an Avro schema: %w", syntax(text))
		}
		text = strconv.AppendQuote(nil, string(text))
	}
	s, err := p.schema(text, "", 0)
	if err != nil {
		return nil, fmt.Errorf("reading an Avro schema: %w", err)
	}
	if !p.external {
		c := *s // a name that was declared by a reference is shared
		if !s.named() {
			s = &c
		}
		s.source = string(text)
	}
	return s, nil
}

// syntax says what is wrong with JSON text that is not valid.
func syntax(text []byte) error {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	return errors.New("no JSON")
}

type parser struct {
	names map[string]*Schema
	// again are the declarations of types that were declared before.
	again map[*Schema]*Schema
	// known are the types of the references; external: one of them was used.
	known    map[string]*Schema
	external bool
	count    int
}

// know makes the named types within s known.
func (p *parser) know(s *Schema) {
	if s == nil || s.named() && p.names[s.Name] != nil {
		return
	}
	if s.named() {
		p.names[s.Name] = s
	}
	p.know(s.Elem)
	for _, f := range s.Fields {
		p.know(f.Type)
	}
	for _, b := range s.Branches {
		p.know(b)
	}
}

// schema reads any schema within the namespace ns.
func (p *parser) schema(text []byte, ns string, depth int) (*Schema, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("types are nested deeper than %d", maxDepth)
	}
	if p.count++; p.count > maxFields {
		return nil, fmt.Errorf("more than %d types", maxFields)
	}
	switch text[0] {
	case '"':
		name, err := str(text)
		if err != nil {
			return nil, err
		}
		return p.lookup(name, ns)
	case '[':
		return p.union(text, ns, depth)
	case '{':
		return p.object(text, ns, depth)
	}
	return nil, fmt.Errorf("%s is no schema: want a name, an object or an array", excerpt(text))
}

// use notes where a type comes from.
func (p *parser) use(s *Schema) *Schema {
	p.external = p.external || p.known[s.Name] == s
	return s
}

func (p *parser) lookup(name, ns string) (*Schema, error) {
	if k, ok := primitive(name); ok {
		return &Schema{Kind: k}, nil
	}
	if !strings.Contains(name, ".") && ns != "" {
		if s := p.names[ns+"."+name]; s != nil {
			return p.use(s), nil
		}
	}
	if s := p.names[name]; s != nil {
		return p.use(s), nil
	}
	return nil, fmt.Errorf("%w %q", ErrUnknownName, name)
}

func (p *parser) union(text []byte, ns string, depth int) (*Schema, error) {
	list, err := array(text)
	if err != nil {
		return nil, err
	}
	u := &Schema{Kind: Union}
	for i, t := range list {
		b, err := p.schema(t, ns, depth+1)
		if err != nil {
			return nil, fmt.Errorf("branch %d: %w", i, err)
		}
		if b.Kind == Union {
			return nil, fmt.Errorf("branch %d: a union directly within a union", i)
		}
		for _, o := range u.Branches {
			if o.branchName() == b.branchName() {
				return nil, fmt.Errorf("branch %d: a union with two branches of the type %s", i, b.branchName())
			}
		}
		u.Branches = append(u.Branches, b)
	}
	if len(u.Branches) == 0 {
		return nil, errors.New("a union without branches")
	}
	return u, nil
}

func (p *parser) object(text []byte, ns string, depth int) (*Schema, error) {
	o, err := object(text)
	if err != nil {
		return nil, err
	}
	t := o.get("type")
	if t == nil {
		return nil, fmt.Errorf("%s has no type", excerpt(text))
	}
	if t[0] != '"' {
		// {"type": {...}} says nothing more than what is inside.
		inner, err := p.schema(t, ns, depth+1)
		if err != nil {
			return nil, err
		}
		return withProps(inner, o.rest("type")), nil
	}
	typ, err := str(t)
	if err != nil {
		return nil, err
	}
	switch typ {
	case "record", "error":
		return p.once(p.record(o, ns, depth, typ == "error"))
	case "enum":
		return p.once(p.enum(o, ns))
	case "fixed":
		return p.once(p.fixed(o, ns))
	case "array", "map":
		s := &Schema{Kind: Array}
		key := "items"
		if typ == "map" {
			s.Kind, key = Map, "values"
		}
		e := o.get(key)
		if e == nil {
			return nil, fmt.Errorf("%s without %s", typ, key)
		}
		if s.Elem, err = p.schema(e, ns, depth+1); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		s.Props = o.rest("type", key)
		s.logical()
		return s, nil
	}
	s, err := p.lookup(typ, ns)
	if err != nil {
		return nil, err
	}
	s = withProps(s, o.rest("type"))
	if !s.named() {
		s.logical()
	}
	return s, nil
}

// withProps returns s with properties. A named type that is only referred to
// has its own.
func withProps(s *Schema, props []Property) *Schema {
	if len(props) == 0 || s.named() {
		return s
	}
	c := *s
	c.Props = append(slices.Clone(s.Props), props...)
	return &c
}

// once returns the first declaration of a type. One that is repeated must say
// the same.
func (p *parser) once(s *Schema, err error) (*Schema, error) {
	prev := p.again[s]
	if err != nil || prev == nil {
		return s, err
	}
	if s.Text() != prev.Text() {
		return nil, fmt.Errorf("the type %s is declared twice, in two ways", s.Name)
	}
	p.names[s.Name] = prev
	return prev, nil
}

// declare gives s its name and makes it known.
func (p *parser) declare(s *Schema, o jsonObject, ns string) error {
	name, err := o.text("name")
	if err != nil {
		return err
	}
	space, err := o.text("namespace")
	if err != nil {
		return err
	}
	switch {
	case name == "":
		return fmt.Errorf("a %s without name", s.Kind)
	case strings.Contains(name, "."):
		s.Name = strings.TrimPrefix(name, ".")
	case o.get("namespace") != nil && space != "":
		s.Name = space + "." + name
	case o.get("namespace") == nil && ns != "":
		s.Name = ns + "." + name
	default:
		s.Name = name
	}
	if _, ok := primitive(s.Name); ok {
		return fmt.Errorf("a %s may not have the name %s of a primitive type", s.Kind, s.Name)
	}
	if prev := p.names[s.Name]; prev != nil {
		p.again[s] = prev
	}
	if s.Doc, err = o.text("doc"); err != nil {
		return err
	}
	if s.Aliases, err = o.texts("aliases"); err != nil {
		return err
	}
	for i, a := range s.Aliases {
		if !strings.Contains(a, ".") && namespace(s.Name) != "" {
			s.Aliases[i] = namespace(s.Name) + "." + a
		}
	}
	p.names[s.Name] = s
	return nil
}

func (p *parser) record(o jsonObject, ns string, depth int, isError bool) (*Schema, error) {
	s := &Schema{Kind: Record, Error: isError}
	if err := p.declare(s, o, ns); err != nil {
		return nil, err
	}
	s.Props = o.rest("type", "name", "namespace", "doc", "aliases", "fields")
	list, err := array(o.get("fields"))
	if err != nil {
		return nil, fmt.Errorf("fields of %s: %w", s.Name, err)
	}
	seen := make(map[string]bool, len(list))
	for i, t := range list {
		f, err := p.field(t, namespace(s.Name), depth)
		if err != nil {
			if f.Name == "" {
				f.Name = strconv.Itoa(i)
			}
			return nil, fmt.Errorf("field %s of %s: %w", f.Name, s.Name, err)
		}
		if seen[f.Name] {
			return nil, fmt.Errorf("%s has the field %s twice", s.Name, f.Name)
		}
		seen[f.Name] = true
		s.Fields = append(s.Fields, f)
	}
	return s, nil
}

func (p *parser) field(text []byte, ns string, depth int) (f Field, err error) {
	o, err := object(text)
	if err != nil {
		return f, err
	}
	if f.Name, err = o.text("name"); err != nil {
		return f, err
	}
	if f.Name == "" {
		return f, errors.New("no name")
	}
	t := o.get("type")
	if t == nil {
		return f, errors.New("no type")
	}
	if f.Type, err = p.schema(t, ns, depth+1); err != nil {
		return f, err
	}
	if f.Doc, err = o.text("doc"); err != nil {
		return f, err
	}
	if f.Aliases, err = o.texts("aliases"); err != nil {
		return f, err
	}
	if f.Order, err = o.text("order"); err != nil {
		return f, err
	}
	if d := o.get("default"); d != nil {
		f.Default = d
	}
	f.Props = o.rest("name", "type", "doc", "aliases", "order", "default")
	return f, nil
}

func (p *parser) enum(o jsonObject, ns string) (*Schema, error) {
	s := &Schema{Kind: Enum}
	if err := p.declare(s, o, ns); err != nil {
		return nil, err
	}
	var err error
	if s.Symbols, err = o.texts("symbols"); err != nil {
		return nil, fmt.Errorf("enum %s: %w", s.Name, err)
	}
	if s.Symbols == nil {
		return nil, fmt.Errorf("enum %s without symbols", s.Name)
	}
	if p.count += len(s.Symbols); p.count > maxFields {
		return nil, fmt.Errorf("more than %d types, fields and symbols", maxFields)
	}
	seen := make(map[string]bool, len(s.Symbols))
	for _, sym := range s.Symbols {
		if seen[sym] {
			return nil, fmt.Errorf("enum %s has the symbol %s twice", s.Name, sym)
		}
		seen[sym] = true
	}
	if d := o.get("default"); d != nil {
		if s.Default, err = o.text("default"); err != nil {
			return nil, fmt.Errorf("enum %s: %w", s.Name, err)
		}
		if s.HasDefault = true; !seen[s.Default] {
			return nil, fmt.Errorf("enum %s: the default %s is none of its symbols", s.Name, s.Default)
		}
	}
	s.Props = o.rest("type", "name", "namespace", "doc", "aliases", "symbols", "default")
	return s, nil
}

func (p *parser) fixed(o jsonObject, ns string) (*Schema, error) {
	s := &Schema{Kind: Fixed}
	if err := p.declare(s, o, ns); err != nil {
		return nil, err
	}
	size, err := strconv.Atoi(string(o.get("size")))
	if err != nil || size < 0 || size > maxFixed {
		return nil, fmt.Errorf("fixed %s: size %s is no number from 0 to %d", s.Name, o.get("size"), maxFixed)
	}
	s.Size = size
	s.Props = o.rest("type", "name", "namespace", "doc", "aliases", "size")
	s.logical()
	return s, nil
}

// fits says which logical types go with which types.
func (l Logical) fits(k Kind, size int) bool {
	switch l {
	case Decimal:
		return k == Bytes || k == Fixed
	case UUID:
		return k == String || k == Fixed && size == 16
	case Date, TimeMillis:
		return k == Int
	case Duration:
		return k == Fixed && size == 12
	case None:
		return false
	}
	return k == Long
}

// logical takes a logical type out of the properties. What is not known or
// does not fit stays a property, as the specification asks for.
func (s *Schema) logical() {
	var name string
	if json.Unmarshal(s.Prop("logicalType"), &name) != nil {
		return
	}
	i := slices.Index(logicalNames[:], name)
	if i <= 0 || !Logical(i).fits(s.Kind, s.Size) {
		return
	}
	drop := []string{"logicalType"}
	if Logical(i) == Decimal {
		precision, err := strconv.Atoi(string(s.Prop("precision")))
		scale := 0
		if t := s.Prop("scale"); t != nil && err == nil {
			scale, err = strconv.Atoi(string(t))
		}
		if err != nil || precision < 1 || scale < 0 || scale > precision || precision > maxDigits || s.Kind == Fixed && s.Size > maxDecimal {
			return
		}
		s.Precision, s.Scale = precision, scale
		drop = append(drop, "precision", "scale")
	}
	s.Logical = Logical(i)
	s.Props = slices.DeleteFunc(slices.Clone(s.Props), func(p Property) bool { return slices.Contains(drop, p.Name) })
	if len(s.Props) == 0 {
		s.Props = nil
	}
}

// jsonObject is an object with its members in order.
type jsonObject []Property

func object(text []byte) (jsonObject, error) {
	if len(text) == 0 || text[0] != '{' {
		return nil, fmt.Errorf("%s is no object", excerpt(text))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var o jsonObject
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if seen[name] {
			return nil, fmt.Errorf("the member %q is there twice", name)
		}
		seen[name] = true
		o = append(o, Property{Name: name, Value: v})
	}
	return o, nil
}

func array(text []byte) ([]json.RawMessage, error) {
	if len(text) == 0 || text[0] != '[' {
		return nil, fmt.Errorf("%s is no array", excerpt(text))
	}
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	return list, nil
}

func (o jsonObject) get(name string) []byte { return prop(o, name) }

// text returns a member that is a string, empty if there is none.
func (o jsonObject) text(name string) (string, error) {
	v := o.get(name)
	if v == nil || string(v) == "null" {
		return "", nil
	}
	s, err := str(v)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// texts returns a member that is a list of strings, nil if there is none.
func (o jsonObject) texts(name string) ([]string, error) {
	v := o.get(name)
	if v == nil || string(v) == "null" {
		return nil, nil
	}
	var list []string
	if err := json.Unmarshal(v, &list); err != nil {
		return nil, fmt.Errorf("%s: %s is no list of strings", name, excerpt(v))
	}
	return list, nil
}

// rest returns the members with other names, compact.
func (o jsonObject) rest(names ...string) []Property {
	var props []Property
	for _, m := range o {
		if slices.Contains(names, m.Name) {
			continue
		}
		var b bytes.Buffer
		if json.Compact(&b, m.Value) == nil {
			props = append(props, Property{Name: m.Name, Value: b.Bytes()})
		}
	}
	return props
}

func str(text []byte) (string, error) {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return "", fmt.Errorf("%s is no string", excerpt(text))
	}
	return s, nil
}

// excerpt is text for an error.
func excerpt(text []byte) string {
	const most = 60
	if len(text) == 0 {
		return "nothing"
	}
	if len(text) <= most {
		return string(text)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return string(text[:cut]) + "..."
}
