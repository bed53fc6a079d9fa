package schema

import (
	"encoding/base64"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/limits"
)

// AppendDefault appends what a field of type s is that is not there: its
// default, or null. It fails for a required one without a default.
func AppendDefault(dst []byte, s *Schema) ([]byte, error) {
	switch {
	case len(s.Default) > 0:
		return append(dst, s.Default...), nil
	case s.Optional:
		return append(dst, "null"...), nil
	}
	return dst, wrong("missing: it is required and has no default")
}

// Convert appends typed JSON text of one schema as that of another, by the
// rules of Resolution. For many values make the plan once.
func Convert(dst, text []byte, from, to *Schema) ([]byte, error) {
	p, err := NewPlan(from, to, Resolution)
	if err != nil {
		return dst, err
	}
	return p.Append(dst, text)
}

// Append appends typed JSON text of p.From as that of p.To, in one line. An
// error of the value is an *Error.
func (p *Plan) Append(dst, text []byte) ([]byte, error) {
	w := converter{begin: len(dst)}
	c := jsontext.New(text)
	dst, err := w.value(dst, &c, p)
	if err != nil {
		return dst, err
	}
	return dst, c.End()
}

type converter struct{ begin int }

func (w *converter) value(dst []byte, c *jsontext.Cursor, p *Plan) ([]byte, error) {
	if len(dst)-w.begin > limits.ConvertedBytes {
		return dst, wrong("the value would be more than %d bytes", limits.ConvertedBytes)
	}
	if c == nil { // a field that is not there
		d, err := AppendDefault(nil, p.From)
		if err != nil {
			return dst, err
		}
		at := jsontext.New(d)
		c = &at
	}
	if p.Action == Keep {
		raw, err := c.Raw()
		return jsontext.AppendCompact(dst, raw), err
	}
	if c.Peek() == 'n' && c.Word("null") {
		switch {
		case p.Null != nil:
			return append(dst, p.Null...), nil
		case p.From.Optional:
			return append(dst, "null"...), nil
		}
		return dst, wrong("null where %s is required", p.From.Type)
	}
	switch p.Action {
	case Widen, Recode, Symbols:
		return w.leaf(dst, c, p)
	case Wrap:
		dst = appendMember(append(dst, '{'), p.To.Branches[p.Branch].Name, 0)
		dst, err := w.value(dst, c, p.Elem)
		return append(dst, '}'), err
	case Unwrap:
		return w.union(dst, c, p)
	default:
	}
	switch p.From.Type {
	case Array:
		return w.array(dst, c, p)
	case Map:
		return w.mapping(dst, c, p)
	case Struct:
		return w.structure(dst, c, p)
	default:
		return w.union(dst, c, p)
	}
}

func appendMember(dst []byte, name string, i int) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	return append(jsontext.AppendQuoted(dst, name), ':')
}

func (w *converter) array(dst []byte, c *jsontext.Cursor, p *Plan) ([]byte, error) {
	dst = append(dst, '[')
	err := c.Elements(func(i int) (err error) {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = w.value(dst, c, p.Elem); err != nil {
			return within(err, indexStep(i))
		}
		return nil
	})
	return append(dst, ']'), err
}

// mapping converts a map. Keys may become strings or stop being strings, which
// makes an object of pairs or the other way.
func (w *converter) mapping(dst []byte, c *jsontext.Cursor, p *Plan) ([]byte, error) {
	fromObject, toObject := p.From.Key.Type == String, p.To.Key.Type == String
	n := 0
	entry := func(key func() error, value func() error) error {
		if n > 0 {
			dst = append(dst, ',')
		}
		n++
		if !toObject {
			dst = append(dst, '[')
		}
		at := len(dst)
		if err := key(); err != nil {
			return within(err, "[key]")
		}
		separator := byte(',')
		if toObject {
			separator = ':'
			if dst[at] != '"' {
				return wrong("null cannot be the key of a map")
			}
		}
		dst = append(dst, separator)
		if err := value(); err != nil {
			return within(err, "[value]")
		}
		if !toObject {
			dst = append(dst, ']')
		}
		return nil
	}
	value := func() (err error) { dst, err = w.value(dst, c, p.Elem); return err }
	open, end := byte('['), byte(']')
	if toObject {
		open, end = '{', '}'
	}
	dst = append(dst, open)
	if fromObject {
		err := c.Object(func(name []byte) error {
			return entry(func() (err error) {
				k := jsontext.New(jsontext.AppendQuoted(nil, name))
				dst, err = w.value(dst, &k, p.Key)
				return err
			}, value)
		})
		return append(dst, end), err
	}
	err := c.Elements(func(int) error {
		return entry(func() (err error) {
			if err = c.Open('['); err == nil {
				dst, err = w.value(dst, c, p.Key)
			}
			return err
		}, func() error {
			if more, err := c.More(']', false); err != nil || !more {
				return firstError(err, wrong("a pair has a key and a value"))
			}
			if err := value(); err != nil {
				return err
			}
			if more, err := c.More(']', false); err != nil || more {
				return firstError(err, wrong("a pair has only a key and a value"))
			}
			return nil
		})
	})
	return append(dst, end), err
}

// structure reads the old fields in their order and writes the new ones in
// theirs, which may differ: then the values are found first.
func (w *converter) structure(dst []byte, c *jsontext.Cursor, p *Plan) ([]byte, error) {
	index := make([]int, len(p.From.Fields)) // which new field an old one is, -1: none
	for i := range index {
		index[i] = -1
	}
	for i := range p.Fields {
		if p.Fields[i].From >= 0 {
			index[p.Fields[i].From] = i
		}
	}
	dst, err := c.Members(append(dst, '{'), len(p.Fields),
		func(name []byte, _ int) (int, error) {
			i := p.From.FieldIndex(string(name))
			if i < 0 {
				return -1, &Error{Path: FieldStep(string(name)), Msg: "no field of this name in " + title(p.From)}
			}
			return index[i], nil
		},
		func(dst []byte, i int, v *jsontext.Cursor) ([]byte, error) {
			dst = appendMember(dst, p.To.Fields[i].Name, i)
			f := &p.Fields[i]
			if f.From < 0 {
				return append(dst, f.Default...), nil
			}
			dst, err := w.value(dst, v, f.Plan)
			if err != nil {
				return dst, within(err, FieldStep(p.From.Fields[f.From].Name))
			}
			return dst, nil
		})
	return append(dst, '}'), err
}

func (w *converter) union(dst []byte, c *jsontext.Cursor, p *Plan) ([]byte, error) {
	count := 0
	err := c.Object(func(name []byte) (err error) {
		i := p.From.BranchIndex(string(name))
		if count++; i < 0 || count > 1 {
			return wrong("a union has one of its branches, %s; it has %q", branchNames(p.From), name)
		}
		b := &p.Branches[i]
		if b.To >= 0 {
			dst = appendMember(append(dst, '{'), p.To.Branches[b.To].Name, 0)
		}
		if dst, err = w.value(dst, c, b.Plan); err != nil {
			return within(err, branchStep(string(name)))
		}
		if b.To >= 0 {
			dst = append(dst, '}')
		}
		return nil
	})
	if err == nil && count == 0 {
		err = wrong("an empty object, where a branch of a union is expected")
	}
	return dst, err
}

// leaf converts a value that is made of no others.
func (w *converter) leaf(dst []byte, c *jsontext.Cursor, p *Plan) ([]byte, error) {
	if c.Peek() != '"' {
		raw, err := c.Raw()
		if err != nil {
			return dst, err
		}
		switch {
		case p.To.Type == Bool && (string(raw) == "true" || string(raw) == "false"):
			return append(dst, raw...), nil
		case !p.To.Type.IsNumber() || raw[0] != '-' && raw[0]-'0' > 9:
			return dst, wrong("%s is not %s", excerpt(raw), article(p.From))
		}
		return appendNumber(dst, raw, p)
	}
	text, err := c.String(nil)
	if err != nil {
		return dst, err
	}
	switch p.Action {
	case Recode:
		return recode(dst, text, p)
	case Symbols:
		if p.To.SymbolIndex(string(text)) < 0 {
			if d := enumDefault(p.To); d != nil && p.From.SymbolIndex(string(text)) >= 0 {
				return append(dst, d...), nil
			}
		}
	default:
	}
	if err := CheckText(p.To, text); err != nil {
		return dst, err
	}
	return jsontext.AppendQuoted(dst, text), nil
}

func appendNumber(dst, num []byte, p *Plan) ([]byte, error) {
	if err := CheckNumber(p.To, num); err != nil {
		return dst, err
	}
	if p.To.Type != Decimal {
		return append(dst, num...), nil
	}
	units, err := AppendUnscaled(nil, num, p.To.Scale)
	if err != nil {
		return dst, err
	}
	return AppendDecimal(dst, units, p.To.Scale)
}

// recode makes base64 of a text, or a text of base64.
func recode(dst, text []byte, p *Plan) ([]byte, error) {
	if p.To.Type == Bytes {
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), text)
		return append(dst, '"'), nil
	}
	raw, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return dst, wrong("%q is not of type bytes: bytes are written in base64", excerpt(text))
	}
	if !utf8.Valid(raw) {
		return dst, wrong("these bytes are no UTF-8, so they are no string")
	}
	return jsontext.AppendQuoted(dst, raw), nil
}
