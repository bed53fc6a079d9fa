package payload

import (
	"bytes"
	"strconv"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/schema"
)

// AppendTyped appends a payload of a valid schema as typed JSON text in one
// line, with every field in the order of the schema. It is the inverse of
// Append.
func AppendTyped(dst, payload []byte, s *schema.Schema, o Options) ([]byte, error) {
	d := decoder{Options: o, begin: len(dst)}
	c := jsontext.New(payload)
	dst, err := d.value(dst, &c, s)
	if err != nil {
		return dst, err
	}
	return dst, c.End()
}

// AppendTypedPart is AppendTyped for a payload at the beginning of text, and
// returns how long it is.
func AppendTypedPart(dst, text []byte, s *schema.Schema, o Options) ([]byte, int, error) {
	d := decoder{Options: o, begin: len(dst)}
	c := jsontext.At(text, 1)
	dst, err := d.value(dst, &c, s)
	return dst, c.Offset(), err
}

type decoder struct {
	Options
	begin int
	buf   []byte
	tries int // of branches, where their names are not written
}

func (d *decoder) value(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	if len(dst)-d.begin > limits.ConvertedBytes {
		return dst, errLong
	}
	if c == nil || c.Peek() == 'n' && c.Word("null") {
		if s.Type == schema.Any && c != nil {
			return append(dst, "null"...), nil
		}
		text, err := instead(s, d.Options, c == nil && d.FillIn)
		if err != nil {
			return dst, err
		}
		if text == nil {
			return append(dst, "null"...), nil
		}
		return append(dst, text...), nil
	}
	switch s.Type {
	case schema.Array:
		if c.Peek() != '[' {
			return dst, d.unfit(c, s)
		}
		return d.array(dst, c, s)
	case schema.Map:
		return d.mapping(dst, c, s)
	case schema.Struct:
		if c.Peek() != '{' {
			return dst, d.unfit(c, s)
		}
		return d.structure(dst, c, s)
	case schema.Union:
		if d.Plain {
			return d.choose(dst, c, s)
		}
		if c.Peek() != '{' {
			return dst, d.unfit(c, s)
		}
		return d.union(dst, c, s)
	default:
		return d.leaf(dst, c, s)
	}
}

// unfit says that the value that comes next is no payload of s.
func (d *decoder) unfit(c *jsontext.Cursor, s *schema.Schema) error {
	raw, err := c.Raw()
	if err != nil {
		return err
	}
	const most = 60
	if len(raw) > most {
		raw = append(bytes.ToValidUTF8(raw[:most:most], nil), "..."...)
	}
	want := ""
	switch s.Type {
	case schema.Date, schema.Time, schema.Timestamp, schema.LocalTimestamp, schema.Duration:
		if want = ", which is an integer in a payload"; !d.Counted(s) {
			want = ""
		}
	case schema.Decimal, schema.Uint64:
		want = ", which is base64 or a number in a payload"
	case schema.Bytes:
		want = ", which is base64 in a payload"
	default:
	}
	return bad("%s is not of type %s%s", raw, s.Type, want)
}

func (d *decoder) array(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	dst = append(dst, '[')
	err := c.Elements(func(i int) (err error) {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = d.value(dst, c, s.Elem); err != nil {
			return within(err, "["+strconv.Itoa(i)+"]")
		}
		return nil
	})
	return append(dst, ']'), err
}

func (d *decoder) mapping(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	if !d.objects(s) {
		if c.Peek() != '[' {
			return dst, bad("a map whose keys are no strings is an array of [key, value] pairs")
		}
		return d.pairs(dst, c, s)
	}
	if c.Peek() != '{' {
		return dst, d.unfit(c, s)
	}
	plain := s.Key.Type == schema.String
	open, end := byte('{'), byte('}')
	if !plain {
		open, end = '[', ']'
	}
	dst = append(dst, open)
	first := true
	err := c.Object(func(name []byte) (err error) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if plain {
			dst = append(jsontext.AppendQuoted(dst, name), ':')
		} else {
			key := jsontext.New(jsontext.AppendQuoted(nil, name))
			if dst, err = d.value(append(dst, '['), &key, s.Key); err != nil {
				return within(err, "[key]")
			}
			dst = append(dst, ',')
		}
		if dst, err = d.value(dst, c, s.Elem); err != nil {
			return within(err, "["+strconv.Quote(string(name))+"]")
		}
		if !plain {
			dst = append(dst, ']')
		}
		return nil
	})
	return append(dst, end), err
}

func (d *decoder) pairs(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	dst = append(dst, '[')
	err := c.Elements(func(i int) error {
		if i > 0 {
			dst = append(dst, ',')
		}
		if d.Plain {
			return within(d.entry(&dst, c, s), "["+strconv.Itoa(i)+"]")
		}
		if c.Peek() != '[' {
			return bad("entry %d of a map is no [key, value] pair", i)
		}
		n := 0
		dst = append(dst, '[')
		err := c.Elements(func(j int) (err error) {
			n++
			switch j {
			case 0:
				dst, err = d.value(dst, c, s.Key)
				return within(err, "[key]")
			case 1:
				dst, err = d.value(append(dst, ','), c, s.Elem)
				return within(err, "[value]")
			}
			return bad("a pair has only a key and a value")
		})
		if err == nil && n < 2 {
			err = bad("a pair has a key and a value")
		}
		dst = append(dst, ']')
		return within(err, "["+strconv.Itoa(i)+"]")
	})
	return append(dst, ']'), err
}

// entry reads {"key":...,"value":...}.
func (d *decoder) entry(dst *[]byte, c *jsontext.Cursor, s *schema.Schema) error {
	parts := []schema.Field{{Name: "key", Schema: s.Key}, {Name: "value", Schema: s.Elem}}
	out, err := c.Members(append(*dst, '['), 2,
		func(name []byte, _ int) (int, error) {
			for i := range parts {
				if parts[i].Name == string(name) {
					return i, nil
				}
			}
			return -1, bad("an entry of a map has a key and a value, no %q", name)
		},
		func(dst []byte, i int, v *jsontext.Cursor) ([]byte, error) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst, err := d.value(dst, v, parts[i].Schema)
			return dst, within(err, "["+parts[i].Name+"]")
		})
	*dst = append(out, ']')
	return err
}

// branchTries bounds how often branches are tried for one payload.
const branchTries = 100_000

var errTries = bad("too many branches of unions to try")

// choose finds the branch that a value without a name is: the first that takes
// it.
func (d *decoder) choose(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	begin := len(dst)
	var why error
	for i := range s.Branches {
		if d.tries++; d.tries > branchTries {
			return dst, errTries
		}
		at := *c
		out, err := d.value(appendName(append(dst[:begin], '{'), s.Branches[i].Name, true), &at, s.Branches[i].Schema)
		dst = out
		if err == nil {
			*c = at
			return append(dst, '}'), nil
		}
		why = err
	}
	if len(s.Branches) == 1 {
		return dst, why
	}
	return dst, d.unfit(c, s)
}

func (d *decoder) structure(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	dst, err := c.Members(append(dst, '{'), len(s.Fields),
		func(name []byte, next int) (int, error) {
			i, err := fieldIndex(s, name, next)
			if err != nil && (d.Lenient || d.Drop) {
				err = nil
			}
			return i, err
		},
		func(dst []byte, i int, v *jsontext.Cursor) ([]byte, error) {
			f := &s.Fields[i]
			dst = appendName(dst, f.Name, i == 0)
			dst, err := d.value(dst, v, f.Schema)
			if err != nil {
				return dst, within(err, schema.FieldStep(f.Name))
			}
			return dst, nil
		})
	return append(dst, '}'), err
}

func (d *decoder) union(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	count := 0
	dst = append(dst, '{')
	err := c.Object(func(name []byte) (err error) {
		i := s.BranchIndex(string(name))
		if i < 0 {
			if d.Lenient {
				return c.Skip()
			}
			return bad("no branch %q in the union", name)
		}
		br := &s.Branches[i]
		// The payload null is a branch that does not count, also where the
		// branch is of type any, whose null is the text "null".
		if c.Peek() == 'n' && c.Word("null") {
			return nil
		}
		if count++; count > 1 {
			return bad("more than one branch of a union is not null")
		}
		if dst, err = d.value(appendName(dst, br.Name, true), c, br.Schema); err != nil {
			return within(err, "("+br.Name+")")
		}
		return nil
	})
	if err == nil && count == 0 {
		err = bad("every branch of a union is null")
	}
	return append(dst, '}'), err
}
