package dsl

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// attr decodes one attribute into its field.
func (d *decoder) attr(o *engine.Option, field reflect.Value, e hclsyntax.Expression, path string) {
	switch p := field.Addr().Interface().(type) {
	case *engine.Expression:
		*p = d.expression(o, e)
	case *engine.Template:
		*p = d.template(o, e)
	case *engine.Assignments:
		*p = d.assignments(o, e, path)
	case *engine.Renames:
		*p = d.renames(o, e, path)
	case *engine.NamedExpressions:
		*p = d.namedExpressions(o, e, path)
	case *engine.ConnectionRef:
		*p = d.connectionRef(o, e)
	case *engine.SchemaOption:
		*p = d.schemaOption(o, e)
	default:
		d.plain(o, field, e, path)
	}
}

// plain decodes an option that an HCL expression gives a value.
func (d *decoder) plain(o *engine.Option, field reflect.Value, e hclsyntax.Expression, path string) {
	if field.Kind() == reflect.Slice {
		if t, ok := unwrapParens(e).(*hclsyntax.TupleConsExpr); ok {
			d.tuple(o, field, t, path)
			return
		}
	}
	if o.Secret {
		d.secretLiteral(o, e)
	} else {
		d.blotURLs(e)
	}
	val, ok := d.eval(e)
	if !ok {
		d.failed = true
		return
	}
	val, marks := val.UnmarkDeep()
	if isSecret(marks) && !o.Secret {
		d.fail(rules.SensitiveValue, e.Range(), fmt.Sprintf("sensitive value in option %q", o.Name),
			"This option is shown in logs and by explain, so it cannot hold a secret. Give the value to an option that is a secret, or use nonsensitive(...) if it is none.")
		return
	}
	if !val.IsWhollyKnown() {
		d.failed = true // depends on what is reported already
		return
	}
	if val.IsNull() {
		if o.Required {
			d.fail(rules.NullOption, e.Range(), fmt.Sprintf("option %q is null", o.Name), "Give it %s.%s", article(o.Type), exampleOf(o))
		}
		return // null: as if it were not given
	}
	before := len(d.diags)
	d.set(o, field, val, e, path)
	for _, x := range d.diags[before:] {
		if x.Severity == hcl.DiagError && x.Subject != nil && *x.Subject == e.Range() {
			x.Detail += d.valuesAt(sortedTraversals(e))
		}
	}
}

// valuesAt says what the variables and locals at fault are, for those that
// may be shown.
func (l *loader) valuesAt(ts []hcl.Traversal) string {
	var b strings.Builder
	seen := make(map[string]bool)
	for _, t := range ts {
		text := traversalText(t)
		if seen[text] || len(t) < 2 || t.RootName() != "var" && t.RootName() != "local" {
			continue
		}
		seen[text] = true
		v, diags := t.TraverseAbs(l.ctx)
		if diags.HasErrors() {
			continue
		}
		if s, ok := shownValue(v); ok {
			fmt.Fprintf(&b, "\n%s is %s", text, s)
		}
	}
	return b.String()
}

// shownValue writes a value for a message; false for one that comes from a
// secret or from outside (Invariant 7).
func shownValue(v cty.Value) (string, bool) {
	raw, marks := v.UnmarkDeep()
	if len(marks) > 0 || !raw.IsWhollyKnown() {
		return "", false
	}
	switch t := raw.Type(); {
	case raw.IsNull():
		return "null", true
	case t == cty.String:
		return shown(raw.AsString()), true
	case t == cty.Number:
		return numberText(raw), true
	case t == cty.Bool:
		return fmt.Sprint(raw.True()), true
	}
	return article(typeText(raw)), true
}

// tuple decodes a list that is written out, each element at its own place.
func (d *decoder) tuple(o *engine.Option, field reflect.Value, t *hclsyntax.TupleConsExpr, path string) {
	elem := elementOf(o)
	elem.Required = true
	field.Set(reflect.MakeSlice(field.Type(), 0, len(t.Exprs)))
	for i, e := range t.Exprs {
		v := reflect.New(field.Type().Elem()).Elem()
		at := fmt.Sprintf("%s[%d]", path, i)
		d.places[at], d.exprs[at] = e.Range(), e
		elem.Name = fmt.Sprintf("%s[%d]", o.Name, i)
		d.attr(&elem, v, e, at)
		field.Set(reflect.Append(field, v))
	}
}

// elementOf describes an element of a list.
func elementOf(o *engine.Option) engine.Option {
	elem := *o
	elem.Type = strings.TrimPrefix(o.Type, "list of ")
	elem.Example = ""
	return elem
}

// set converts a known value that is not null.
func (d *decoder) set(o *engine.Option, field reflect.Value, val cty.Value, e hclsyntax.Expression, path string) {
	switch p := field.Addr().Interface().(type) {
	case *time.Duration:
		d.setDuration(o, p, val, e)
		return
	case *engine.ByteSize:
		d.setSize(o, p, val, e)
		return
	case *engine.Secret:
		if s, ok := d.text(o, val, e); ok {
			*p = engine.NewSecret(s)
		}
		return
	case *engine.PathOption:
		if s, ok := d.text(o, val, e); ok {
			p.Path = d.path(s, e)
		}
		return
	case *engine.Pattern:
		if s, ok := d.text(o, val, e); ok {
			p.Regexp = d.pattern(s, e)
		}
		return
	}
	switch field.Kind() {
	case reflect.String:
		if s, ok := d.text(o, val, e); ok && d.oneOf(o, s, e) {
			field.SetString(s)
		}
	case reflect.Bool:
		if v, err := convert.Convert(val, cty.Bool); err != nil {
			d.wrongType(o, val, e)
		} else {
			field.SetBool(v.True())
		}
	case reflect.Slice:
		d.setList(o, field, val, e, path)
	case reflect.Map:
		d.setMap(o, field, val, e)
		d.keyPlaces(e, path)
	default:
		d.setNumber(o, field, val, e)
	}
}

func (d *decoder) setList(o *engine.Option, field reflect.Value, val cty.Value, e hclsyntax.Expression, path string) {
	if t := val.Type(); !t.IsListType() && !t.IsSetType() && !t.IsTupleType() {
		d.wrongType(o, val, e)
		return
	}
	elem := elementOf(o)
	field.Set(reflect.MakeSlice(field.Type(), 0, val.LengthInt()))
	for it := val.ElementIterator(); it.Next(); {
		_, x := it.Element()
		v := reflect.New(field.Type().Elem()).Elem()
		if x.IsNull() {
			d.fail(rules.NullOption, e.Range(), fmt.Sprintf("option %q holds a null", o.Name), "Each element must be %s. Take nulls out with compact(...).", article(elem.Type))
			return
		}
		d.set(&elem, v, x, e, path)
		field.Set(reflect.Append(field, v))
	}
}

// keyPlaces notes where the keys of a map stand that is written out.
func (d *decoder) keyPlaces(e hclsyntax.Expression, path string) {
	obj, ok := unwrapParens(e).(*hclsyntax.ObjectConsExpr)
	if !ok {
		return
	}
	for _, item := range obj.Items {
		if key, diags := item.KeyExpr.Value(d.ctx); !diags.HasErrors() {
			if key, _ = key.Unmark(); key.Type() == cty.String && key.IsKnown() && !key.IsNull() {
				d.places[entryPath(path, key.AsString())] = item.KeyExpr.Range()
			}
		}
	}
}

// entryPath is the path of an entry of a map: fields["customer.id"].
func entryPath(path, key string) string { return path + "[" + strconv.Quote(key) + "]" }

func (d *decoder) setMap(o *engine.Option, field reflect.Value, val cty.Value, e hclsyntax.Expression) {
	v, err := convert.Convert(val, cty.Map(cty.String))
	if err != nil {
		d.wrongType(o, val, e)
		return
	}
	field.Set(reflect.MakeMap(field.Type()))
	for it := v.ElementIterator(); it.Next(); {
		k, x := it.Element()
		if x.IsNull() {
			continue
		}
		elem := reflect.New(field.Type().Elem()).Elem()
		if s, ok := elem.Addr().Interface().(*engine.Secret); ok {
			*s = engine.NewSecret(x.AsString())
		} else {
			elem.SetString(x.AsString())
		}
		field.SetMapIndex(reflect.ValueOf(k.AsString()).Convert(field.Type().Key()), elem)
	}
}

// text converts a value to a string.
func (d *decoder) text(o *engine.Option, val cty.Value, e hclsyntax.Expression) (string, bool) {
	v, err := convert.Convert(val, cty.String)
	if err != nil {
		d.wrongType(o, val, e)
		return "", false
	}
	return v.AsString(), true
}

func (d *decoder) oneOf(o *engine.Option, s string, e hclsyntax.Expression) bool {
	if len(o.OneOf) == 0 || slices.Contains(o.OneOf, s) {
		return true
	}
	d.fail(rules.NotAllowed, e.Range(), fmt.Sprintf("invalid value of option %q", o.Name), "It can be %s.%s", anyOf(quoted(o.OneOf)), didYouMean(s, o.OneOf))
	return false
}

func (d *decoder) wrongType(o *engine.Option, val cty.Value, e hclsyntax.Expression) {
	detail := fmt.Sprintf("It is %s here.", article(typeText(val)))
	lone := strings.HasPrefix(o.Type, "list of ") && val.Type() == cty.String
	if lone {
		detail += fmt.Sprintf(" Put it into brackets: %s = [%s]", o.Name, d.source(e.Range()))
	} else {
		detail += exampleOf(o)
	}
	d.fail(rules.WrongType, e.Range(), fmt.Sprintf("option %q must be %s", o.Name, article(o.Type)), "%s", detail)
	if lone {
		d.fix(d.listed(e)...)
	}
}

// typeText names the type of a value for people.
func typeText(v cty.Value) string {
	switch t := v.Type(); {
	case v.IsNull():
		return "null"
	case t.IsTupleType():
		return "list"
	default:
		return t.FriendlyName()
	}
}

// article puts a or an before a noun; lists and such need it too.
func article(noun string) string {
	if noun != "" && strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// source is the text of a range as written, on one line and not too long.
func (l *loader) source(r hcl.Range) string {
	f := l.files[r.Filename]
	if f == nil || r.End.Byte > len(f.Bytes) || r.Start.Byte > r.End.Byte {
		return ""
	}
	s := strings.Join(strings.Fields(string(f.Bytes[r.Start.Byte:r.End.Byte])), " ")
	if len(s) > 60 {
		return "..."
	}
	return s
}

// inText is the place of a part of s if e is s literally, else all of e.
func (d *decoder) inText(e hclsyntax.Expression, s string, offset, length int) hcl.Range {
	if m, _ := d.literal(e); m != nil && m.text == s && s != "" {
		return m.at(offset, length)
	}
	return e.Range()
}

func (d *decoder) path(s string, e hclsyntax.Expression) record.Path {
	p, err := record.ParsePath(s)
	if err != nil {
		d.badPath(err, s, func(offset, length int) hcl.Range { return d.inText(e, s, offset, length) })
		return nil
	}
	return p
}

func (d *decoder) badPath(err error, s string, at func(offset, length int) hcl.Range) {
	offset := 0
	var pe *record.PathError
	if errors.As(err, &pe) {
		offset = pe.Offset
	}
	d.fail(rules.WrongPath, at(offset, 1), "invalid path", "%s in %s. Write a path as customer.email, items[0].sku, or [\"a.b\"] for a name with a dot.", upperFirst(err.Error()), shown(s))
}

// shown quotes a text of the config for a message, cut if it is long.
func shown(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "..."
	}
	return fmt.Sprintf("%q", s)
}

func (d *decoder) pattern(s string, e hclsyntax.Expression) *regexp.Regexp {
	re, err := regexp.Compile(s)
	if err == nil {
		return re
	}
	offset, length, why := 0, len(s), err.Error()
	var se *syntax.Error
	if errors.As(err, &se) {
		why = string(se.Code)
		if i := strings.Index(s, se.Expr); i >= 0 && se.Expr != "" {
			offset, length = i, len(se.Expr)
		}
	}
	d.fail(rules.WrongPattern, d.inText(e, s, offset, length), "invalid pattern", "%s. Patterns are regular expressions in RE2's syntax; a backslash of one is written twice in an HCL string.", upperFirst(why))
	return nil
}
