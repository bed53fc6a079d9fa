package schema

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// ChangeKind is what became different.
type ChangeKind uint8

// The kinds of changes.
const (
	Added     ChangeKind = iota // a field, branch or symbol
	Removed                     // a field, branch or symbol
	Renamed                     // a field, known by an alias
	Moved                       // fields stand in another order
	Retyped                     // the type, or how it is made: digits, unit, size
	Nullness                    // optional or required
	Defaulted                   // the default
	Described                   // name, version, doc, aliases, parameters, tag
)

var changeNames = [...]string{"added", "removed", "renamed", "moved", "retyped", "nullness", "defaulted", "described"}

// String returns the kind in lower case.
func (k ChangeKind) String() string {
	if int(k) < len(changeNames) {
		return changeNames[k]
	}
	return "unknown"
}

// Change is one difference between two schemas.
type Change struct {
	Path string // in the new schema, of what is gone in the old
	Kind ChangeKind
	Text string // for people, without the path: type int32 -> int64
}

// String returns the change on one line.
func (c *Change) String() string {
	if c.Path == "" {
		return c.Text
	}
	return c.Path + ": " + c.Text
}

// Diff returns what is different in the new schema, in its order: nothing if
// they are Equal. A field is found again by its name, or by an alias that the
// new one has. What both schemas have in several places is told once.
func Diff(from, to *Schema) []Change {
	d := differ{seen: make(map[pair]struct{})}
	d.schema(from, to, "")
	return d.list
}

// DiffText returns changes one a line, as a list for people.
func DiffText(list []Change) string {
	var b strings.Builder
	for i := range list {
		sign := "~ "
		switch list[i].Kind {
		case Added:
			sign = "+ "
		case Removed:
			sign = "- "
		default:
		}
		b.WriteString(sign + list[i].String() + "\n")
	}
	return b.String()
}

type differ struct {
	list []Change
	seen map[pair]struct{}
}

func (d *differ) add(path string, kind ChangeKind, format string, args ...any) {
	d.list = append(d.list, Change{Path: path, Kind: kind, Text: fmt.Sprintf(format, args...)})
}

func (d *differ) schema(a, b *Schema, path string) {
	if a == b {
		return
	}
	if _, there := d.seen[pair{a, b}]; there {
		return
	}
	d.seen[pair{a, b}] = struct{}{}
	if a.Type != b.Type {
		d.add(path, Retyped, "type %s -> %s", bare(a), bare(b))
	} else if x, y := leafText(a), leafText(b); !a.Type.IsComplex() && a.Type != Enum && x != y {
		d.add(path, Retyped, "type %s -> %s", x, y)
	}
	switch {
	case a.Optional && !b.Optional:
		d.add(path, Nullness, "optional -> required")
	case !a.Optional && b.Optional:
		d.add(path, Nullness, "required -> optional")
	}
	d.value(path, Defaulted, "default", string(a.Default), string(b.Default))
	d.value(path, Described, "name", quotedOrNone(a.Name), quotedOrNone(b.Name))
	d.value(path, Described, "version", numberOrNone(a.Version), numberOrNone(b.Version))
	d.value(path, Described, "doc", quotedOrNone(a.Doc), quotedOrNone(b.Doc))
	d.value(path, Described, "aliases", strings.Join(a.Aliases, ", "), strings.Join(b.Aliases, ", "))
	d.parameters(a, b, path)
	if a.Type == b.Type {
		d.parts(a, b, path)
	}
}

// bare is a type without what is below it.
func bare(s *Schema) string {
	switch {
	case !s.Type.IsComplex():
		return leafText(s)
	case s.Name != "":
		return s.Type.String() + " " + s.Name
	}
	return s.Type.String()
}

// short is bare, with its question mark.
func short(s *Schema) string {
	if s.Optional {
		return bare(s) + "?"
	}
	return bare(s)
}

// long is how many bytes of a type stand on the line of a change.
const long = 60

// inline is all of a type if that is not long, and otherwise its beginning.
func inline(s *Schema) string {
	if text := s.String(); len(text) <= long && len(s.Default) == 0 { // that is told for itself
		return text
	}
	return short(s)
}

func quotedOrNone(s string) string {
	if s == "" {
		return ""
	}
	return strconv.Quote(s)
}

func numberOrNone(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// value tells of an attribute whose text is empty where it is not there.
func (d *differ) value(path string, kind ChangeKind, what, a, b string) {
	switch {
	case a == b:
	case a == "":
		d.add(path, kind, "%s %s added", what, b)
	case b == "":
		d.add(path, kind, "%s %s removed", what, a)
	default:
		d.add(path, kind, "%s %s -> %s", what, a, b)
	}
}

func (d *differ) parameters(a, b *Schema, path string) {
	names := slices.Concat(slices.Collect(maps.Keys(a.Parameters)), slices.Collect(maps.Keys(b.Parameters)))
	slices.Sort(names)
	for _, k := range slices.Compact(names) {
		x, thereX := a.Parameters[k]
		y, thereY := b.Parameters[k]
		if x == y && thereX == thereY {
			continue
		}
		old, now := "", ""
		if thereX {
			old = strconv.Quote(x)
		}
		if thereY {
			now = strconv.Quote(y)
		}
		d.value(path, Described, "parameter "+k, old, now)
	}
}

func (d *differ) parts(a, b *Schema, path string) {
	switch a.Type {
	case Enum:
		d.symbols(a, b, path)
	case Array:
		d.schema(a.Elem, b.Elem, JoinPath(path, "[]"))
	case Map:
		d.schema(a.Key, b.Key, JoinPath(path, "[key]"))
		d.schema(a.Elem, b.Elem, JoinPath(path, "[value]"))
	case Struct:
		d.fields(a, b, path)
	case Union:
		d.branches(a, b, path)
	default:
	}
}

func (d *differ) symbols(a, b *Schema, path string) {
	for _, s := range a.Symbols {
		if b.SymbolIndex(s) < 0 {
			d.add(path, Removed, "symbol %q removed", s)
		}
	}
	for _, s := range b.Symbols {
		if a.SymbolIndex(s) < 0 {
			d.add(path, Added, "symbol %q added", s)
		}
	}
	d.order(path, "symbols", len(a.Symbols), len(b.Symbols), func(i int) int { return a.SymbolIndex(b.Symbols[i]) })
}

// order tells if what is in both stands in another order.
func (d *differ) order(path, what string, before, now int, was func(i int) int) {
	last := -1
	for i := range now {
		at := was(i)
		if at < 0 || at >= before {
			continue
		}
		if at < last {
			d.add(path, Moved, "%s in another order", what)
			return
		}
		last = at
	}
}

func (d *differ) fields(a, b *Schema, path string) {
	was := make([]int, len(b.Fields))
	found := make([]bool, len(a.Fields))
	for i := range b.Fields {
		if was[i] = a.FieldIndex(b.Fields[i].Name); was[i] >= 0 {
			found[was[i]] = true
		}
	}
	for i := range b.Fields {
		for _, alias := range b.Fields[i].Aliases {
			if at := a.FieldIndex(alias); was[i] < 0 && at >= 0 && !found[at] {
				was[i] = at
				found[at] = true
			}
		}
	}
	for i := range a.Fields {
		if f := &a.Fields[i]; !found[i] {
			d.add(JoinPath(path, FieldStep(f.Name)), Removed, "removed, it was %s", short(f.Schema))
		}
	}
	d.order(path, "fields", len(a.Fields), len(b.Fields), func(i int) int { return was[i] })
	for i := range b.Fields {
		f := &b.Fields[i]
		at := JoinPath(path, FieldStep(f.Name))
		if was[i] < 0 {
			d.add(at, Added, "added, %s", described(f.Schema))
			continue
		}
		old := &a.Fields[was[i]]
		if old.Name != f.Name {
			d.add(at, Renamed, "renamed, it was %s", FieldStep(old.Name))
		}
		d.schema(old.Schema, f.Schema, at)
		d.value(at, Described, "doc of the field", quotedOrNone(old.Doc), quotedOrNone(f.Doc))
		d.value(at, Described, "aliases of the field", strings.Join(old.Aliases, ", "), strings.Join(f.Aliases, ", "))
		d.value(at, Described, "number", numberOrNone(old.Tag), numberOrNone(f.Tag))
	}
}

func described(s *Schema) string {
	text := inline(s)
	if len(s.Default) > 0 {
		text += " = " + excerpt(s.Default)
	}
	return text
}

func (d *differ) branches(a, b *Schema, path string) {
	for i := range a.Branches {
		if br := &a.Branches[i]; b.BranchIndex(br.Name) < 0 {
			d.add(JoinPath(path, branchStep(br.Name)), Removed, "branch removed, it was %s", short(br.Schema))
		}
	}
	d.order(path, "branches", len(a.Branches), len(b.Branches), func(i int) int { return a.BranchIndex(b.Branches[i].Name) })
	for i := range b.Branches {
		br := &b.Branches[i]
		at := JoinPath(path, branchStep(br.Name))
		was := a.BranchIndex(br.Name)
		if was < 0 {
			d.add(at, Added, "branch added, %s", inline(br.Schema))
			continue
		}
		d.schema(a.Branches[was].Schema, br.Schema, at)
		d.value(at, Described, "number", numberOrNone(a.Branches[was].Tag), numberOrNone(br.Tag))
	}
}
