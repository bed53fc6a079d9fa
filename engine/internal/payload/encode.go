// Package payload turns typed JSON text into the JSON of a payload and back, for
// the formats that keep values as JSON beside a schema.
package payload

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/schema"
)

// Format is the parameter of a date or time that is text in a plain payload: the
// format that JSON Schema calls it.
const Format = "jsonschema.format"

// Absent is the parameter of an optional field whose null is left out of a plain
// payload.
const Absent = "jsonschema.absent"

// Options say how payloads are written and read.
type Options struct {
	// Plain is a payload for JSON Schema: all is as in typed JSON text, but that
	// unions have no name of a branch, that maps whose keys are no strings are
	// arrays of {"key":...,"value":...}, and that Connect's own dates and times
	// are numbers, as its JSON Schema converter writes them. Otherwise it is one
	// of Connect's JSON converter.
	Plain bool
	// Numeric, KeepNulls, FillIn and Lenient are those of connect.Options.
	Numeric   bool
	KeepNulls bool
	FillIn    bool
	Lenient   bool
	// Drop leaves out, when reading, members that the schema does not have.
	Drop bool
}

// Append appends typed JSON text of a valid schema as a payload, in one line.
// Fields that are not there become null or their default.
func Append(dst, typed []byte, s *schema.Schema, o Options) ([]byte, error) {
	e := encoder{Options: o, begin: len(dst)}
	c := jsontext.New(typed)
	dst, err := e.value(dst, &c, s)
	if err != nil {
		return dst, err
	}
	return dst, c.End()
}

var errLong = &schema.Error{Msg: fmt.Sprintf("the value would be more than %d bytes", limits.ConvertedBytes)}

type encoder struct {
	Options
	begin int
	buf   []byte

	tries int // of branches, to see which one a value would be read as
	again []byte
}

// value appends the value at c, or what stands for one that is not there.
func (e *encoder) value(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	if len(dst)-e.begin > limits.ConvertedBytes {
		return dst, errLong
	}
	if c == nil || s.Type != schema.Any && c.Peek() == 'n' && c.Word("null") {
		text, err := instead(s, e.Options, c == nil && e.FillIn)
		if err != nil || text == nil {
			return append(dst, "null"...), err
		}
		d := jsontext.New(text)
		c = &d
	}
	switch s.Type {
	case schema.Array:
		return e.array(dst, c, s)
	case schema.Map:
		return e.mapping(dst, c, s)
	case schema.Struct:
		return e.structure(dst, c, s)
	case schema.Union:
		return e.union(dst, c, s)
	default:
		return e.leaf(dst, c, s)
	}
}

// instead returns what stands for a value that is null or not there: the
// default, nil for null. absent: it is the default also where nulls are kept.
func instead(s *schema.Schema, o Options, absent bool) ([]byte, error) {
	switch {
	case len(s.Default) > 0 && string(s.Default) != "null" && (absent || !o.KeepNulls):
		return s.Default, nil
	case s.Optional, string(s.Default) == "null":
		return nil, nil
	case len(s.Default) > 0:
		return nil, bad("null where %s is required, and replacing nulls by defaults is switched off", s.Type)
	}
	return nil, bad("null where %s is required and has no default", s.Type)
}

func (e *encoder) array(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	dst = append(dst, '[')
	err := c.Elements(func(i int) (err error) {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = e.value(dst, c, s.Elem); err != nil {
			return within(err, "["+strconv.Itoa(i)+"]")
		}
		return nil
	})
	return append(dst, ']'), err
}

// objects reports whether a map is an object: Connect writes one where it sees
// strings as keys.
func (o *Options) objects(s *schema.Schema) bool {
	switch s.Key.Type {
	case schema.String:
		return true
	case schema.UUID, schema.Enum, schema.Any:
		return !o.Plain
	default:
		return false
	}
}

// Counted reports whether a date or time is a number of its units.
func (o *Options) Counted(s *schema.Schema) bool {
	if o.Plain && s.Parameters[Format] != "" {
		return false
	}
	if s.Type == schema.Date {
		return true
	}
	return s.Type.HasUnit() && (!o.Plain || s.Unit == schema.Millisecond && (s.Type == schema.Time || s.Type == schema.Timestamp))
}

func (e *encoder) mapping(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	if s.Key.Type == schema.String {
		first := true
		dst = append(dst, '{')
		err := c.Object(func(name []byte) (err error) {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(jsontext.AppendQuoted(dst, name), ':')
			if dst, err = e.value(dst, c, s.Elem); err != nil {
				return within(err, "["+strconv.Quote(string(name))+"]")
			}
			return nil
		})
		return append(dst, '}'), err
	}
	open, between, end, left, right := "[", ",", "]", "[", "]"
	if e.Plain {
		left, between, right = `{"key":`, `,"value":`, "}"
	}
	if e.objects(s) {
		open, between, end, left, right = "{", ":", "}", "", ""
	}
	dst = append(dst, open...)
	err := c.Elements(func(i int) error {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, left...)
		n := 0
		err := c.Elements(func(j int) (err error) {
			n++
			switch j {
			case 0:
				at := len(dst)
				if dst, err = e.value(dst, c, s.Key); err == nil && left == "" && dst[at] != '"' {
					err = bad("null cannot be the key of a map")
				}
				return within(err, "[key]")
			case 1:
				dst = append(dst, between...)
				dst, err = e.value(dst, c, s.Elem)
				return within(err, "[value]")
			}
			return bad("a pair has only a key and a value")
		})
		if err == nil && n < 2 {
			err = bad("a pair has a key and a value")
		}
		dst = append(dst, right...)
		return within(err, "["+strconv.Itoa(i)+"]")
	})
	return append(dst, end...), err
}

func (e *encoder) structure(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	dst, err := c.Members(append(dst, '{'), len(s.Fields),
		func(name []byte, next int) (int, error) { return fieldIndex(s, name, next) },
		func(dst []byte, i int, v *jsontext.Cursor) ([]byte, error) {
			f := &s.Fields[i]
			first := i == 0
			if e.Plain {
				if e.absent(v, f.Schema) {
					return dst, nil
				}
				first = dst[len(dst)-1] == '{'
			}
			dst = appendName(dst, f.Name, first)
			dst, err := e.value(dst, v, f.Schema)
			if err != nil {
				return dst, within(err, schema.FieldStep(f.Name))
			}
			return dst, nil
		})
	return append(dst, '}'), err
}

// absent reports whether a field is left out, and takes its null.
func (e *encoder) absent(v *jsontext.Cursor, s *schema.Schema) bool {
	return s.Optional && len(s.Default) == 0 && s.Parameters[Absent] != "" && (v == nil || v.Peek() == 'n' && v.Word("null"))
}

func appendName(dst []byte, name string, first bool) []byte {
	if !first {
		dst = append(dst, ',')
	}
	return append(jsontext.AppendQuoted(dst, name), ':')
}

func fieldIndex(s *schema.Schema, name []byte, next int) (int, error) {
	if next < len(s.Fields) && s.Fields[next].Name == string(name) {
		return next, nil
	}
	i := s.FieldIndex(string(name))
	if i < 0 {
		return i, &schema.Error{Path: schema.FieldStep(string(name)), Msg: "no field of this name in the schema"}
	}
	return i, nil
}

// union writes a struct whose fields are null but for one.
func (e *encoder) union(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	count := 0
	if !e.Plain {
		dst = append(dst, '{')
	}
	err := c.Object(func(name []byte) (err error) {
		at := s.BranchIndex(string(name))
		if count++; at < 0 || count > 1 {
			return bad("a union has one of its branches; it has %q", name)
		}
		if e.Plain {
			begin := len(dst)
			if dst, err = e.value(dst, c, s.Branches[at].Schema); err == nil && !e.Lenient {
				err = e.meant(dst[begin:], s, at)
			}
			return within(err, "("+s.Branches[at].Name+")")
		}
		for i := range s.Branches {
			dst = appendName(dst, s.Branches[i].Name, i == 0)
			if i != at {
				dst = append(dst, "null"...)
				continue
			}
			if dst, err = e.value(dst, c, s.Branches[i].Schema); err != nil {
				return within(err, "("+s.Branches[i].Name+")")
			}
		}
		return nil
	})
	if err == nil && count == 0 {
		err = bad("an empty object, where a branch of a union is expected")
	}
	if !e.Plain {
		dst = append(dst, '}')
	}
	return dst, err
}

// meant fails if text, a value of a branch whose name is not written, would be
// read as one of an earlier branch, or as a null of the union.
func (e *encoder) meant(text []byte, s *schema.Schema, branch int) (err error) {
	if string(text) == "null" {
		return bad("a null would be read as one of the union, not of the branch")
	}
	for i := range branch {
		if e.tries++; e.tries > branchTries {
			return errTries
		}
		d := decoder{Options: e.Options, tries: e.tries}
		c := jsontext.New(text)
		e.again, err = d.value(e.again[:0], &c, s.Branches[i].Schema)
		if e.tries = d.tries; err == nil {
			return bad("this value would be read as one of the branch %q, since JSON does not tell them apart", s.Branches[i].Name)
		}
	}
	return nil
}

// leaf writes a value that is made of no others.
func (e *encoder) leaf(dst []byte, c *jsontext.Cursor, s *schema.Schema) ([]byte, error) {
	switch s.Type {
	case schema.Any:
		raw, err := c.Raw()
		if err != nil {
			return dst, err
		}
		if e.Plain {
			return jsontext.AppendCompact(dst, raw), nil
		}
		e.buf = jsontext.AppendCompact(e.buf[:0], raw)
		return jsontext.AppendQuoted(dst, e.buf), nil
	case schema.Bool:
		v, err := c.Bool()
		return strconv.AppendBool(dst, v), err
	case schema.String:
		raw, _, err := c.RawString()
		return append(dst, raw...), err
	default:
	}
	if s.Type.IsNumber() && c.Peek() != '"' {
		num, err := c.Number()
		if err != nil {
			return dst, err
		}
		return e.number(dst, num, s)
	}
	text, err := c.String(e.buf)
	if err != nil {
		return dst, err
	}
	if s.Type.IsNumber() && s.Type != schema.Float32 && s.Type != schema.Float64 {
		return dst, bad("%q is not of type %s", text, s.Type)
	}
	if err := schema.CheckText(s, text); err != nil {
		return dst, err
	}
	return e.clock(dst, text, s), nil
}

func (e *encoder) number(dst, num []byte, s *schema.Schema) ([]byte, error) {
	if err := schema.CheckNumber(s, num); err != nil {
		return dst, err
	}
	if s.Type != schema.Decimal && (s.Type != schema.Uint64 || e.Plain) {
		return append(dst, num...), nil
	}
	var err error
	if e.buf, err = schema.AppendUnscaled(e.buf[:0], num, s.Scale); err != nil {
		return dst, err
	}
	if e.Numeric {
		return schema.AppendDecimal(dst, e.buf, s.Scale)
	}
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, e.buf)
	return append(dst, '"'), nil
}

// clock writes what is a text in typed JSON: times as a count of their units,
// all else as text.
func (e *encoder) clock(dst, text []byte, s *schema.Schema) []byte {
	if !e.Counted(s) {
		return jsontext.AppendQuoted(dst, text)
	}
	var sec int64
	var nsec int
	switch s.Type {
	case schema.Date:
		days, _ := schema.ParseDate(text)
		return strconv.AppendInt(dst, days, 10)
	case schema.Time:
		sec, nsec, _ = schema.ParseTime(text)
	case schema.Timestamp, schema.LocalTimestamp:
		sec, nsec, _ = schema.ParseTimestamp(text, s.Type == schema.LocalTimestamp)
	case schema.Duration:
		d, _ := time.ParseDuration(string(text))
		return strconv.AppendInt(dst, int64(d)/(int64(time.Second)/s.Unit.PerSecond()), 10)
	default:
	}
	n, _ := s.Unit.Count(sec, nsec)
	return strconv.AppendInt(dst, n, 10)
}

func bad(format string, args ...any) error { return &schema.Error{Msg: fmt.Sprintf(format, args...)} }

// within returns err with a step before its path.
func within(err error, step string) error {
	var e *schema.Error
	if errors.As(err, &e) {
		return &schema.Error{Path: schema.JoinPath(step, e.Path), Msg: e.Msg}
	}
	return err
}
