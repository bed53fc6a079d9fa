package schema

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/internal/jsontext"
)

// Check fails unless text is typed JSON text of a value of s: every value
// within its type, no field that s does not have, none missing that is
// required and has no default. An error of the value is an *Error.
func Check(s *Schema, text []byte) error {
	k := checker{c: jsontext.New(text)}
	if err := k.value(s); err != nil {
		return err
	}
	return k.c.End()
}

// checker reads one text.
type checker struct {
	c    jsontext.Cursor
	seen []bool // a stack: the fields of the structs that are being read
}

func wrong(format string, args ...any) error { return &Error{Msg: fmt.Sprintf(format, args...)} }

// unfit says that the value that comes next is none of s.
func (k *checker) unfit(s *Schema, why string) error {
	at := k.c
	raw, err := at.Raw()
	if err != nil {
		return err
	}
	if string(raw) == "null" {
		return wrong("null where %s is required: make it optional (%s?) or give it a default", s.Type, s.Type)
	}
	if why != "" {
		why = ": " + why
	}
	return wrong("%s is not %s%s", excerpt(raw), article(s), why)
}

func article(s *Schema) string {
	if s.Type.IsComplex() {
		return "of type " + s.Type.String()
	}
	return "of type " + (&Schema{Type: s.Type, Precision: s.Precision, Scale: s.Scale, Size: s.Size, Unit: s.Unit, Symbols: s.Symbols}).String()
}

func (k *checker) value(s *Schema) error {
	first := k.c.Peek()
	if first == 'n' && (s.Optional || s.Type == Any) && k.c.Word("null") {
		return nil
	}
	switch s.Type {
	case Any:
		return k.c.Skip()
	case Bool:
		if first != 't' && first != 'f' {
			return k.unfit(s, "")
		}
		_, err := k.c.Bool()
		return err
	case Array:
		if first != '[' {
			return k.unfit(s, "")
		}
		return k.array(s)
	case Map:
		return k.mapping(s, first)
	case Struct:
		if first != '{' {
			return k.unfit(s, "")
		}
		return k.structure(s)
	case Union:
		if first != '{' {
			return k.unfit(s, "it is an object with one member, the name of the branch")
		}
		return k.union(s)
	case Float32, Float64:
		if first == '"' {
			return k.text(s)
		}
		return k.number(s)
	default:
		if s.Type.IsNumber() {
			return k.number(s)
		}
		return k.text(s)
	}
}

func (k *checker) number(s *Schema) error {
	if c := k.c.Peek(); c != '-' && c-'0' > 9 {
		return k.unfit(s, "")
	}
	at := k.c
	num, err := k.c.Number()
	if err != nil {
		return err
	}
	if why := checkNumber(s, num); why != "" {
		k.c = at
		return k.unfit(s, why)
	}
	return nil
}

func (k *checker) text(s *Schema) error {
	if k.c.Peek() != '"' {
		return k.unfit(s, "")
	}
	if s.Type == String {
		_, _, err := k.c.RawString()
		return err
	}
	at := k.c
	text, err := k.c.String(nil)
	if err != nil {
		return err
	}
	if why := checkText(s, text); why != "" {
		k.c = at
		return k.unfit(s, why)
	}
	return nil
}

func (k *checker) array(s *Schema) error {
	if err := k.c.Open('['); err != nil {
		return err
	}
	for i := 0; ; i++ {
		more, err := k.c.More(']', i == 0)
		if !more {
			return err
		}
		if err := k.value(s.Elem); err != nil {
			return within(err, indexStep(i))
		}
	}
}

func (k *checker) mapping(s *Schema, first byte) error {
	if s.Key.Type == String {
		if first != '{' {
			return k.unfit(s, "")
		}
		return k.members(s)
	}
	if first != '[' {
		return k.unfit(s, "keys that are no strings make it an array of [key, value] pairs")
	}
	if err := k.c.Open('['); err != nil {
		return err
	}
	for i := 0; ; i++ {
		more, err := k.c.More(']', i == 0)
		if !more {
			return err
		}
		if err := k.pair(s); err != nil {
			return within(err, indexStep(i))
		}
	}
}

// pair reads [key, value].
func (k *checker) pair(s *Schema) error {
	if k.c.Peek() != '[' {
		return k.unfit(s, "each entry is a [key, value] pair")
	}
	if err := k.c.Open('['); err != nil {
		return err
	}
	for i, part := range []*Schema{s.Key, s.Elem} {
		more, err := k.c.More(']', i == 0)
		if err != nil {
			return err
		}
		if !more {
			return wrong("a pair has a key and a value")
		}
		if err := k.value(part); err != nil {
			return within(err, []string{"[key]", "[value]"}[i])
		}
	}
	if more, err := k.c.More(']', false); err != nil || more {
		return firstError(err, wrong("a pair has only a key and a value"))
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// members reads a map whose keys are strings.
func (k *checker) members(s *Schema) error {
	if err := k.c.Open('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := k.c.More('}', first)
		if !more {
			return err
		}
		key, err := k.c.Key(nil)
		if err != nil {
			return err
		}
		if err := k.value(s.Elem); err != nil {
			return within(err, "["+strconv.Quote(string(key))+"]")
		}
	}
}

func (k *checker) structure(s *Schema) error {
	if err := k.c.Open('{'); err != nil {
		return err
	}
	base := len(k.seen)
	for range s.Fields {
		k.seen = append(k.seen, false)
	}
	next := 0
	for first := true; ; first = false {
		more, err := k.c.More('}', first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		key, err := k.c.Key(nil)
		if err != nil {
			return err
		}
		i := next
		if i >= len(s.Fields) || string(key) != s.Fields[i].Name {
			if i = s.FieldIndex(string(key)); i < 0 {
				return &Error{Path: FieldStep(string(key)), Msg: "no field of this name in " + title(s)}
			}
		}
		next = i + 1
		k.seen[base+i] = true
		if err := k.value(s.Fields[i].Schema); err != nil {
			return within(err, FieldStep(s.Fields[i].Name))
		}
	}
	for i := range s.Fields {
		if f := &s.Fields[i]; !k.seen[base+i] && !f.Schema.mayBeAbsent() {
			return &Error{Path: FieldStep(f.Name), Msg: "missing: it is required and has no default"}
		}
	}
	k.seen = k.seen[:base]
	return nil
}

// mayBeAbsent: as a field that is not there, s is null or its default.
func (s *Schema) mayBeAbsent() bool { return s.Optional || len(s.Default) > 0 }

// title is what s is called in errors.
func title(s *Schema) string {
	if s.Name != "" {
		return s.Type.String() + " " + s.Name
	}
	return "the " + s.Type.String()
}

func (k *checker) union(s *Schema) error {
	if err := k.c.Open('{'); err != nil {
		return err
	}
	more, err := k.c.More('}', true)
	if err != nil {
		return err
	}
	if !more {
		return wrong("an empty object, where the name of the branch is expected")
	}
	key, err := k.c.Key(nil)
	if err != nil {
		return err
	}
	i := s.BranchIndex(string(key))
	if i < 0 {
		return wrong("no branch %q: the branches are %s", key, branchNames(s))
	}
	if err := k.value(s.Branches[i].Schema); err != nil {
		return within(err, branchStep(s.Branches[i].Name))
	}
	if more, err := k.c.More('}', false); err != nil || more {
		return firstError(err, wrong("a union has one branch at a time"))
	}
	return nil
}

func branchNames(s *Schema) string {
	text := ""
	for i := range s.Branches {
		if i > 0 {
			text += ", "
		}
		text += strconv.Quote(s.Branches[i].Name)
	}
	return text
}

func validText(s string) bool { return utf8.ValidString(s) }
