package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"reflect"
	"slices"
)

// Diff says where got first differs from want, schema and value, and "" if they
// are the same. A field that is not set and one that is null are the same, and
// so are maps in whatever order.
func Diff(want, got Data) string {
	if d := DiffSchema("schema", want.Schema, got.Schema); d != "" {
		return d
	}
	return DiffValue("value", want.Value, got.Value)
}

// DiffRecord compares all of a record that a transform may change: not its kind
// and not its offset.
func DiffRecord(want, got Record) string {
	for _, c := range []struct {
		what      string
		want, got any
	}{{"topic", deref(want.Topic), deref(got.Topic)}, {"partition", deref(want.Partition), deref(got.Partition)}, {"timestamp", deref(want.Timestamp), deref(got.Timestamp)}, {"number of headers", len(want.Headers), len(got.Headers)}} {
		if c.want != c.got {
			return fmt.Sprintf("%s: want %v, got %v", c.what, c.want, c.got)
		}
	}
	if d := Diff(want.Key, got.Key); d != "" {
		return "key " + d
	}
	if d := Diff(want.Value, got.Value); d != "" {
		return "value " + d
	}
	for i, h := range want.Headers {
		g := got.Headers[i]
		if h.Name != g.Name {
			return fmt.Sprintf("header %d: want name %q, got %q", i, h.Name, g.Name)
		}
		if d := Diff(Data{h.Schema, h.Value}, Data{g.Schema, g.Value}); d != "" {
			return fmt.Sprintf("header %d %s", i, d)
		}
	}
	return ""
}

func deref[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// DiffSchema compares two schemas with all their attributes; path begins the
// place that it tells.
func DiffSchema(path string, want, got *Schema) string {
	if want == nil || got == nil {
		if want == got {
			return ""
		}
		return fmt.Sprintf("%s: want %s, got %s", path, text(want), text(got))
	}
	for _, a := range []struct {
		what      string
		want, got any
	}{
		{"type", want.Type, got.Type}, {"optional", want.Optional, got.Optional}, {"name", deref(want.Name), deref(got.Name)}, {"version", deref(want.Version), deref(got.Version)}, {"doc", deref(want.Doc), deref(got.Doc)},
		{"default", want.Default != nil, got.Default != nil}, {"number of fields", len(want.Fields), len(got.Fields)},
	} {
		if a.want != a.got {
			return fmt.Sprintf("%s: want %s %v, got %v", path, a.what, a.want, a.got)
		}
	}
	if !maps.Equal(want.Parameters, got.Parameters) {
		return fmt.Sprintf("%s: want parameters %v, got %v", path, want.Parameters, got.Parameters)
	}
	if want.Default != nil {
		if d := DiffValue(path+" default", *want.Default, *got.Default); d != "" {
			return d
		}
	}
	for i, f := range want.Fields {
		if got.Fields[i].Name != f.Name {
			return fmt.Sprintf("%s: want field %q, got %q", path, f.Name, got.Fields[i].Name)
		}
		if d := DiffSchema(path+"."+f.Name, f.Schema, got.Fields[i].Schema); d != "" {
			return d
		}
	}
	if d := DiffSchema(path+"[key]", want.Keys, got.Keys); d != "" {
		return d
	}
	if want.Values == nil && got.Values == nil {
		return ""
	}
	return DiffSchema(path+"[]", want.Values, got.Values)
}

// DiffValue compares two values; path begins the place that it tells.
func DiffValue(path string, want, got Value) string {
	different := fmt.Sprintf("%s: want %s, got %s", path, text(want), text(got))
	if want.Kind != got.Kind || want.Int != got.Int || want.Bool != got.Bool || want.Text != got.Text || want.Scale != got.Scale ||
		!bytes.Equal(want.Bytes, got.Bytes) || len(want.Items) != len(got.Items) || len(want.Pairs) != len(got.Pairs) {
		return different
	}
	if math.Float64bits(want.Float) != math.Float64bits(got.Float) && (!math.IsNaN(want.Float) || !math.IsNaN(got.Float)) {
		return different
	}
	if want.Unscaled != nil && want.Unscaled.Cmp(got.Unscaled) != 0 {
		return different
	}
	for i := range want.Items {
		if d := DiffValue(fmt.Sprintf("%s[%d]", path, i), want.Items[i], got.Items[i]); d != "" {
			return d
		}
	}
	w, g := byKey(want.Pairs), byKey(got.Pairs)
	for k := range w {
		if _, ok := g[k]; !ok {
			return fmt.Sprintf("%s: want key %s", path, k)
		}
		if d := DiffValue(fmt.Sprintf("%s[%s]", path, k), w[k], g[k]); d != "" {
			return d
		}
	}
	return diffFields(path, want, got)
}

func diffFields(path string, want, got Value) string {
	names := map[string]bool{}
	for _, f := range slices.Concat(want.Fields, got.Fields) {
		names[f.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		w, _ := want.Field(name)
		g, _ := got.Field(name)
		if d := DiffValue(path+"."+name, w, g); d != "" {
			return d
		}
	}
	return ""
}

func byKey(pairs []Pair) map[string]Value {
	m := map[string]Value{}
	for _, p := range pairs {
		m[text(p.Key)] = p.Value
	}
	return m
}

// DiffJSON compares two documents: members in any order, numbers by their value
// however they are written.
func DiffJSON(want, got []byte) string {
	if (want == nil) != (got == nil) {
		return fmt.Sprintf("want %s, got %s", orNull(want), orNull(got))
	}
	if want == nil {
		return ""
	}
	w, err := document(want)
	if err != nil {
		return err.Error()
	}
	g, err := document(got)
	if err != nil {
		return err.Error()
	}
	if !reflect.DeepEqual(w, g) {
		return fmt.Sprintf("want %s, got %s", want, got)
	}
	return ""
}

func orNull(b []byte) string {
	if b == nil {
		return "no bytes"
	}
	return string(b)
}

func document(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("reading %s: %w", b, err)
	}
	return numbers(v), nil
}

// numbers replaces each number by one text for its value.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if r, ok := new(big.Rat).SetString(v.String()); ok {
			return json.Number(r.String())
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return v
}

func text(v any) string {
	b, err := marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
