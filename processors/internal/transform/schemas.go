package transform

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Typing says what a step makes of values of a known schema; nil: not known.
type Typing func(s *schema.Schema) (*schema.Schema, []engine.Problem)

// Schemas is ProcessorFactory.Schemas of what changes the part: nothing is known
// where nothing was.
func (c *Common) Schemas(in engine.Schemas, step Typing) (engine.Schemas, []engine.Problem) {
	out, part := in, in.Value
	if c.Key() {
		part = in.Key
	}
	if part == nil {
		return in, nil
	}
	made, problems := step(part)
	for i := range problems {
		problems[i].InKey = c.Key()
	}
	if c.Key() {
		out.Key = made
	} else {
		out.Value = made
	}
	return c.Known(in, out), problems
}

// Known is what is known behind a step that makes in to out where when holds.
func (f *Filtered) Known(in, out engine.Schemas) engine.Schemas {
	if !f.When.IsZero() {
		out = engine.Schemas{Key: schema.Join(in.Key, out.Key), Value: schema.Join(in.Value, out.Value)}
	}
	for _, s := range []**schema.Schema{&out.Key, &out.Value} {
		if *s != nil && (*s).Type == schema.Any {
			*s = nil
		}
	}
	return out
}

// Converted is s with the type to at a path, whose values become ones of it
// wherever they are there.
func Converted(s *schema.Schema, path record.Path, to *schema.Schema) *schema.Schema {
	switch {
	case s == nil || len(path) == 0:
		return to
	case Many(s, path):
		return schema.Join(s, record.SchemaSetAs(s, path, to))
	}
	return record.SchemaRetype(s, path, to)
}

// Many reports that a path leads through an array or a map of s, so that its
// type is that of other values, too.
func Many(s *schema.Schema, path record.Path) bool {
	for i := range path {
		switch {
		case s == nil:
			return false
		case s.Type == schema.Array, s.Type == schema.Map:
			return true
		}
		s = record.TypeAt(s, path[i:i+1])
	}
	return false
}

// Nested sets the schema that a field has in other records where its parent is
// null, or another branch of a union, so that all records have one.
func Nested(d *record.Doc, id record.PathID, path record.Path, to *schema.Schema) error {
	s := SchemaOf(d)
	if s == nil || to == nil || len(path) < 2 && s.Type != schema.Union || Many(s, path) {
		return nil
	}
	return d.Retype(id, to)
}

// Missing is the problem of an option that names a field which values of s do
// not have; none if they have it, or if that is not known.
func Missing(option string, s *schema.Schema, path record.Path) []engine.Problem {
	at := s
	for i := range path {
		if at == nil || at.Type == schema.Any {
			return nil
		}
		next := record.TypeAt(at, path[i:i+1])
		if next == nil {
			return []engine.Problem{{Option: option, Summary: fmt.Sprintf("unknown field %s", path), Detail: lacks(path[:i], path[i], at), Missing: path}}
		}
		at = next
	}
	return nil
}

// lacks says what a part of a type has instead of a step.
func lacks(path record.Path, step record.Step, s *schema.Schema) string {
	what := "The records that come here"
	has := " have"
	if len(path) > 0 {
		what, has = path.String(), " has"
	}
	var names []string
	for i := range s.Fields {
		names = append(names, record.Path{{Name: s.Fields[i].Name}}.String())
	}
	for i := range s.Branches {
		names = append(names, record.Path{{Name: s.Branches[i].Name}}.String())
	}
	const most = 20
	switch {
	case s.Type == schema.Struct && step.IsIndex:
		return fmt.Sprintf("%s%s fields and no elements: write a name.", what, has)
	case s.Type == schema.Array:
		return fmt.Sprintf("%s%s elements and no fields: write the number of one, such as [0].", what, has)
	case len(names) > most:
		return fmt.Sprintf("%s%s the fields %s and %d more.", what, has, strings.Join(names[:most], ", "), len(names)-most)
	case len(names) > 0:
		return fmt.Sprintf("%s%s: %s.", what, has, strings.Join(names, ", "))
	case len(path) == 0:
		return fmt.Sprintf("The records that come here are of type %s and have no fields.", s.Type)
	}
	return fmt.Sprintf("%s is of type %s and has no fields.", path, s.Type)
}

// Unsettable is the problem of an option that names a field within what has no
// fields and is not null.
func Unsettable(option string, s *schema.Schema, path record.Path) []engine.Problem {
	for i := range path {
		switch {
		case s == nil || s.Type == schema.Any || s.Type == schema.Union:
			return nil
		case s.Type == schema.Struct && !path[i].IsIndex, s.Type == schema.Map && !path[i].IsIndex, s.Type == schema.Array && path[i].IsIndex:
			s = record.TypeAt(s, path[i:i+1])
			continue
		case s.Optional && !s.Type.IsComplex():
			return nil // a null gives place
		}
		return []engine.Problem{{Option: option, Summary: fmt.Sprintf("%s cannot be set", path), Detail: lacks(path[:i], path[i], s)}}
	}
	return nil
}

// Item is the path of an option's element: fields[1].
func Item(option string, i int) string { return option + "[" + strconv.Itoa(i) + "]" }

// Entry is the path of an option's entry: fields["a.b"].
func Entry(option, key string) string { return option + "[" + strconv.Quote(key) + "]" }

// Unfit is the problem of an option whose field has a type that does not go.
func Unfit(option string, path record.Path, s *schema.Schema, err error) []engine.Problem {
	what := path.String()
	if len(path) == 0 {
		what = "the whole"
	}
	return []engine.Problem{{Option: option, Summary: what + " is of the wrong type", Detail: fmt.Sprintf("It is of type %s here: %v. Name another field, or convert it before.", s.Type, err)}}
}
