package schema

import (
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine/limits"
)

// validationErrors is how many mistakes Validate tells of one schema.
const validationErrors = 10

// Validate checks that s is a schema: every type whole, names of fields,
// branches and symbols told apart, decimals possible, defaults values of their
// types, no cycle without a name, and all within limits.Schema*. It returns
// the first ten mistakes, each an *Error. Whoever makes a schema of what comes
// from outside calls it; all else in this package takes valid schemas.
func (s *Schema) Validate() error {
	if s == nil {
		return wrong("no schema")
	}
	v := validation{open: make(map[*Schema]int), done: make(map[*Schema]struct{})}
	v.schema(s, "", 0)
	if len(v.errs) > 0 {
		return errors.Join(v.errs...)
	}
	// Defaults last: a value can only be checked against what is whole.
	for _, d := range v.defaults {
		if err := Check(d.s, d.s.Default); err != nil && len(v.errs) < validationErrors {
			var e *Error
			at := d.path
			if errors.As(err, &e) {
				err = &Error{Msg: e.Msg}
				at = JoinPath(at, e.Path)
			}
			v.errs = append(v.errs, &Error{Path: at, Msg: "default: " + err.Error()})
		}
	}
	return errors.Join(v.errs...)
}

type located struct {
	s    *Schema
	path string
}

type validation struct {
	errs     []error
	open     map[*Schema]int // on the path, and how deep
	done     map[*Schema]struct{}
	names    []bool // of each schema on the path: it has a name
	bytes    int
	nodes    int
	stopped  bool
	defaults []located
}

func (v *validation) fail(path, format string, args ...any) {
	if len(v.errs) < validationErrors {
		v.errs = append(v.errs, &Error{Path: path, Msg: fmt.Sprintf(format, args...)})
	}
}

func (v *validation) full() bool { return v.stopped || len(v.errs) >= validationErrors }

func (v *validation) schema(s *Schema, path string, depth int) {
	if s == nil {
		v.fail(path, "no schema")
		return
	}
	if at, within := v.open[s]; within {
		for _, named := range v.names[at:] {
			if named {
				return
			}
		}
		v.fail(path, "a type within itself needs a name")
		return
	}
	if _, seen := v.done[s]; seen || v.full() {
		return
	}
	v.done[s] = struct{}{}
	v.nodes += 1 + len(s.Fields) + len(s.Branches) + len(s.Symbols)
	if v.nodes > limits.SchemaNodes {
		v.fail(path, "more than %d types, fields and symbols", limits.SchemaNodes)
		v.stopped = true
		return
	}
	if depth > limits.SchemaDepth {
		v.fail(path, "types nested deeper than %d", limits.SchemaDepth)
		return
	}
	v.open[s] = depth
	v.names = append(v.names, s.Name != "")
	v.attributes(s, path)
	v.texts(s, path)
	if len(s.Default) > 0 {
		v.defaults = append(v.defaults, located{s, path})
	}
	v.parts(s, path, depth)
	v.names = v.names[:len(v.names)-1]
	delete(v.open, s)
}

// parts looks at what s is made of.
func (v *validation) parts(s *Schema, path string, depth int) {
	switch s.Type {
	case Array:
		v.schema(s.Elem, JoinPath(path, "[]"), depth+1)
	case Map:
		v.schema(s.Key, JoinPath(path, "[key]"), depth+1)
		v.schema(s.Elem, JoinPath(path, "[value]"), depth+1)
	case Struct:
		v.fields(s, path, depth)
	case Union:
		v.branches(s, path, depth)
	default:
	}
}

// attributes checks that what does not belong to the type is not there.
func (v *validation) attributes(s *Schema, path string) {
	if int(s.Type) >= len(typeNames) {
		v.fail(path, "no such type: %d", s.Type)
		return
	}
	only := func(what string, there bool, types ...Type) {
		if !there {
			return
		}
		for _, t := range types {
			if s.Type == t {
				return
			}
		}
		v.fail(path, "%s has no %s", s.Type, what)
	}
	only("precision", s.Precision != 0, Decimal)
	only("scale", s.Scale != 0, Decimal)
	only("size", s.Size != 0, Bytes)
	only("unit", s.Unit != 0, Time, Timestamp, LocalTimestamp, Duration)
	only("symbols", s.Symbols != nil, Enum)
	only("elements", s.Elem != nil, Array, Map)
	only("keys", s.Key != nil, Map)
	only("fields", s.Fields != nil, Struct)
	only("branches", s.Branches != nil, Union)
	switch s.Type {
	case Decimal:
		v.decimal(s, path)
	case Bytes:
		if s.Size < 0 || s.Size > limits.RecordBytes {
			v.fail(path, "a size of %d: at most %d", s.Size, limits.RecordBytes)
		}
	case Enum:
		v.unique(path, "symbol", len(s.Symbols), func(i int) string { return s.Symbols[i] })
	default:
		if s.Unit > Second {
			v.fail(path, "no such unit: %d", s.Unit)
		}
	}
}

func (v *validation) decimal(s *Schema, path string) {
	switch {
	case s.Precision < 0 || s.Precision > limits.DecimalDigits:
		v.fail(path, "a precision of %d: it is from 0 (any) to %d", s.Precision, limits.DecimalDigits)
	case s.Scale > limits.DecimalDigits || s.Scale < -limits.DecimalDigits:
		v.fail(path, "a scale of %d: it is at most %d", s.Scale, limits.DecimalDigits)
	case s.Precision > 0 && s.Scale > s.Precision:
		v.fail(path, "a scale of %d is more than the precision, %d", s.Scale, s.Precision)
	}
}

func (v *validation) fields(s *Schema, path string, depth int) {
	v.unique(path, "field", len(s.Fields), func(i int) string { return s.Fields[i].Name })
	v.tags(path, "field", len(s.Fields), func(i int) int { return s.Fields[i].Tag })
	for i := range s.Fields {
		f := &s.Fields[i]
		at := JoinPath(path, FieldStep(f.Name))
		v.text(at, "doc", f.Doc)
		for _, a := range f.Aliases {
			v.text(at, "alias", a)
		}
		v.schema(f.Schema, at, depth+1)
	}
}

func (v *validation) branches(s *Schema, path string, depth int) {
	if len(s.Branches) == 0 {
		v.fail(path, "a union of nothing")
	}
	v.unique(path, "branch", len(s.Branches), func(i int) string { return s.Branches[i].Name })
	v.tags(path, "branch", len(s.Branches), func(i int) int { return s.Branches[i].Tag })
	for i := range s.Branches {
		b := &s.Branches[i]
		at := JoinPath(path, branchStep(b.Name))
		if b.Schema != nil && b.Schema.Optional {
			v.fail(at, "a branch is never optional: the union is")
		}
		v.schema(b.Schema, at, depth+1)
	}
}

func (v *validation) unique(path, what string, n int, name func(int) string) {
	seen := make(map[string]struct{}, n)
	for i := range n {
		if _, twice := seen[name(i)]; twice {
			v.fail(path, "%s %q twice", what, name(i))
		}
		seen[name(i)] = struct{}{}
		v.text(path, what, name(i))
	}
}

func (v *validation) tags(path, what string, n int, tag func(int) int) {
	seen := make(map[int]struct{})
	for i := range n {
		t := tag(i)
		if t == 0 {
			continue
		}
		if _, twice := seen[t]; twice || t < 0 {
			v.fail(path, "%s number %d twice or below 0", what, t)
		}
		seen[t] = struct{}{}
	}
}

func (v *validation) texts(s *Schema, path string) {
	v.text(path, "name", s.Name)
	v.text(path, "doc", s.Doc)
	for _, a := range s.Aliases {
		v.text(path, "alias", a)
	}
	for k, p := range s.Parameters {
		v.text(path, "parameter", k)
		v.text(path, "parameter", p)
	}
	v.bytes += len(s.Default)
}

// text counts a text, and refuses what no format could carry.
func (v *validation) text(path, what, text string) {
	if !validText(text) {
		v.fail(path, "a %s that is not UTF-8: %q", what, excerpt([]byte(text)))
	}
	before := v.bytes
	if v.bytes += len(text); v.bytes > limits.SchemaBytes && before <= limits.SchemaBytes {
		v.fail(path, "names, docs and parameters of more than %d bytes", limits.SchemaBytes)
	}
}
