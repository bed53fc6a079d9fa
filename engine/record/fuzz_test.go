package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/limits"
)

// plainValid is the notion of validity that ours is compared with.
func plainValid(b []byte) bool {
	return json.Valid(b) && utf8.Valid(b) && depth(b) <= limits.JSONDepth
}

// depth of valid JSON.
func depth(b []byte) int {
	deepest, now, text := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

func FuzzValidate(f *testing.F) {
	for _, c := range validityCases {
		f.Add([]byte(c))
	}
	p := NewProjection()
	for _, s := range []string{"a", "b.c", "b.d[1]", "b.d[-1].e", "id", "items[0].sku"} {
		p.Add(mustPath(s))
	}
	d := NewDoc(p)
	f.Fuzz(func(t *testing.T, raw []byte) {
		checkValidity(t, d, raw)
	})
}

// checkValidity compares all three readers with encoding/json.
func checkValidity(t *testing.T, d *Doc, raw []byte) {
	t.Helper()
	want := plainValid(raw)
	err := ValidateJSON(raw)
	if (err == nil) != want {
		t.Fatalf("ValidateJSON(%q) = %v, want valid %v", raw, err, want)
	}
	x := explainer{b: raw}
	x.space()
	if x.value(0); x.err == nil {
		if x.space(); x.i < len(raw) {
			x.fail("after the value")
		}
	}
	if (x.err == nil) != want {
		t.Fatalf("explain(%q) = %v, want valid %v", raw, x.err, want)
	}
	for range 2 { // learning a shape, and with it
		d.Reset(JSON, append([]byte{}, raw...))
		if err := d.Check(); (err == nil) != want {
			t.Fatalf("Check(%q) = %v, want valid %v", raw, err, want)
		}
	}
	if !want {
		return
	}
	tr, err := parseTree(raw)
	if err != nil {
		t.Fatal(err)
	}
	m := modelDoc{root: tr}
	for id := range d.proj.nodes {
		compareGet(t, d, &m, PathID(id))
	}
}

func compareGet(t *testing.T, d *Doc, m *modelDoc, id PathID) Value {
	t.Helper()
	path := d.proj.Path(id)
	v, err := d.Get(id)
	want := m.get(path)
	if err != nil {
		var f float64
		if want != nil && want.kind == Int && json.Unmarshal([]byte(want.text), &f) != nil {
			return Value{} // out of range
		}
		t.Fatalf("Get(%s): %v, want %s", path, err, want)
	}
	compareValue(t, path, v, want)
	return v
}

func compareValue(t *testing.T, path Path, v Value, want *tree) {
	t.Helper()
	if want == nil {
		if v.Kind() != Missing {
			t.Fatalf("Get(%s) = %s, want Missing", path, v)
		}
		return
	}
	b, err := v.AppendJSON(nil)
	if err != nil {
		t.Fatalf("Get(%s): %v", path, err)
	}
	got, err := parseTree(b)
	if err != nil {
		t.Fatalf("Get(%s) = %q: %v", path, b, err)
	}
	if v.Kind() == Missing || got.String() != want.String() {
		t.Fatalf("Get(%s) = %s, want %s", path, b, want)
	}
	kind := want.kind
	if kind == Int && v.Kind() == Float {
		kind = Float
	}
	if v.Kind() != kind {
		t.Fatalf("Get(%s) has kind %d, want %d", path, v.Kind(), kind)
	}
	if v.Kind() == String && string(v.Text()) != want.text {
		t.Fatalf("Get(%s) = %q, want %q", path, v.Text(), want.text)
	}
}

func mustPath(s string) Path {
	p, err := ParsePath(s)
	if err != nil {
		panic(err)
	}
	return p
}

var editPaths = []string{
	"", "a", "b", "c", "a.a", "a.b", "b.a", "b.c", "a.b.c", "a.b.a",
	"c[0]", "c[1]", "c[-1]", "c[0].a", "c[-1].a", "c[-1].b", "a[0]", "a.a[0]", "a.a[1].b", `["\""]`,
}

// source hands out the fuzzer's bytes as decisions; zeros at the end.
type source struct{ b []byte }

func (s *source) next(n int) int {
	if len(s.b) == 0 {
		return 0
	}
	c := s.b[0]
	s.b = s.b[1:]
	return int(c) % n
}

var (
	genNames   = []string{`"a"`, `"b"`, `"c"`, `"\u0061"`, `"a"`, `"b"`, `"c"`, `"long name beyond 16"`, `"\""`, `"é"`}
	genScalars = []string{
		`1`, `"x"`, `null`, `true`, `-0`, `1.50`, `12345678901234567890`, `"é\n\ud83d\ude00"`, `""`, `1e400`,
		`"a longer text without any escape"`, `"\ud800"`, `false`, `1E-2`, `[]`, `{}`,
	}
	genSpaces = []string{"", "", "", " ", "\n", " \t\r\n"}
)

func (s *source) space(dst []byte) []byte { return append(dst, genSpaces[s.next(len(genSpaces))]...) }

func (s *source) json(dst []byte, deep int) []byte {
	kind := s.next(8)
	if deep > 4 || kind < 3 {
		return append(dst, genScalars[s.next(len(genScalars))]...)
	}
	object := kind < 6
	end := byte(']')
	if object {
		end = '}'
		dst = append(dst, '{')
	} else {
		dst = append(dst, '[')
	}
	for i, n := 0, s.next(5); i < n; i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = s.space(dst)
		if object {
			dst = append(dst, genNames[s.next(len(genNames))]...)
			dst = append(s.space(dst), ':')
			dst = s.space(dst)
		}
		dst = s.space(s.json(dst, deep+1))
	}
	dst = s.space(dst)
	return append(dst, end)
}

// value returns something to set, and its model.
func (s *source) value(t *testing.T, d *Doc, m *modelDoc) (Value, *tree) {
	now := time.Unix(1e9, 5).UTC()
	fixed := []any{
		nil, true, 7, -2.5, 3.0, 1e300, "plain", "quo\"te\n", "", []byte("bytes"), now, time.Minute,
		[]any{1, "x", 2.5}, map[string]any{"b": 1, "a": []any{}}, json.Number("1.00"), 5e-324,
	}
	switch s.next(3) {
	case 0:
		v, err := FromAny(fixed[s.next(len(fixed))])
		if err != nil {
			t.Fatal(err)
		}
		b, err := v.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := parseTree(b)
		if err != nil {
			t.Fatal(err)
		}
		return v, tr
	case 1:
		b := s.json(nil, 2)
		tr, err := parseTree(b)
		if err != nil {
			t.Fatal(err)
		}
		return RawJSON(b), tr
	}
	id := PathID(s.next(len(d.proj.nodes)))
	v, err := d.Get(id)
	if err != nil {
		return NullValue(), &tree{kind: Null} // out of range
	}
	tr := m.get(d.proj.Path(id))
	if tr != nil {
		tr = tr.clone()
	}
	return v, tr
}

type held struct {
	path Path
	v    Value
	want *tree
}

func FuzzEdits(f *testing.F) {
	p := NewProjection()
	for _, s := range editPaths {
		p.Add(mustPath(s))
	}
	d := NewDoc(p)
	seed := uint32(1)
	for n := range 200 {
		b := make([]byte, 20+n)
		for i := range b {
			seed = seed*1664525 + 1013904223
			b[i] = byte(seed >> 24)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkEdits(t, d, data) })
}

func checkEdits(t *testing.T, d *Doc, data []byte) {
	s := &source{b: data}
	var m modelDoc
	var raw []byte
	if s.next(16) > 0 {
		raw = s.space(s.json(s.space(nil), 0))
		tr, err := parseTree(raw)
		if err != nil {
			t.Fatalf("generated %q: %v", raw, err)
		}
		m.root = tr
	}
	breaks := bytes.ContainsAny(raw, "\r\n")
	d.Reset(JSON, raw)
	history := fmt.Sprintf("raw %s", raw)
	defer func() {
		if t.Failed() {
			t.Log(history)
		}
	}()
	if m.root != nil && m.root.kind == Null {
		if s.next(2) == 0 {
			if _, err := d.Get(Root); err != nil {
				t.Fatal(err)
			}
		}
	}
	var keep []held
	var marked *modelDoc
	for len(s.b) > 0 {
		id := PathID(s.next(len(d.proj.nodes)))
		path := d.proj.Path(id)
		var err, want error
		switch op := s.next(8); op {
		case 0, 1:
			v, tr := s.value(t, d, &m)
			history += fmt.Sprintf("\nset %s = %s", path, v)
			err = d.Set(id, v)
			switch {
			case tr == nil:
				m.del(path)
			case math.IsInf(v.Float(), 0):
				want = errRange
			default:
				want = m.set(path, tr)
			}
		case 2:
			history += fmt.Sprintf("\ndelete %s", path)
			err = d.Delete(id)
			m.del(path)
		case 3:
			to := PathID(s.next(len(d.proj.nodes)))
			history += fmt.Sprintf("\nrename %s to %s", path, d.proj.Path(to))
			// A number beyond float64 is refused where it is read.
			if _, e := d.Get(id); e == nil {
				err = d.Rename(id, to)
				want = m.rename(path, d.proj.Path(to))
			}
		case 4:
			ids := []PathID{id, PathID(s.next(len(d.proj.nodes)))}
			history += fmt.Sprintf("\nkeep %s %s", path, d.proj.Path(ids[1]))
			err = d.Keep(ids)
			want = m.keep([]Path{path, d.proj.Path(ids[1])})
		case 5:
			history += "\nmark or roll back"
			if marked == nil {
				d.Mark()
				marked = &modelDoc{}
				if m.root != nil {
					marked.root = m.root.clone()
				}
			} else {
				d.Rollback()
				m, marked = *marked, nil
			}
		default:
			history += fmt.Sprintf("\nget %s", path)
			v := compareGet(t, d, &m, id)
			tr := m.get(path)
			if tr != nil && v.Kind() != Missing {
				keep = append(keep, held{path, v, tr.clone()})
			}
		}
		if (err == nil) != (want == nil) {
			t.Fatalf("error %v, want %v", err, want)
		}
	}
	for _, h := range keep {
		compareValue(t, h.path, h.v, h.want)
	}
	if d.IsNull() {
		if m.root != nil {
			t.Fatalf("null, want %s", m.root)
		}
		return
	}
	out, err := d.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseTree(out)
	if err != nil {
		t.Fatalf("wrote %q: %v", out, err)
	}
	if got.String() != m.root.String() {
		t.Fatalf("wrote %s\nwant %s", out, m.root)
	}
	if !breaks && bytes.ContainsAny(out, "\r\n") {
		t.Fatalf("wrote line breaks: %q", out)
	}
	for id := range d.proj.nodes {
		compareGet(t, d, &m, PathID(id))
	}
}

func FuzzFloat(f *testing.F) {
	for _, x := range []float64{0, 1, -1, 0.1, 1.005, 12.34, 1e21, 1e-7, 123456789.123456, 5e-324, math.MaxFloat64, math.Copysign(0, -1)} {
		f.Add(math.Float64bits(x), int64(x*100))
	}
	f.Fuzz(func(t *testing.T, bits uint64, cents int64) {
		for _, x := range []float64{math.Float64frombits(bits), float64(cents) / 100, float64(cents) / 1e6, float64(cents)} {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				continue
			}
			want, err := json.Marshal(x)
			if err != nil {
				t.Fatal(err)
			}
			got, err := FloatValue(x).AppendJSON(nil)
			if err != nil || string(got) != string(want) {
				t.Fatalf("%v is written %s, want %s (%v)", x, got, want, err)
			}
			v := RawJSON(got)
			if v.Float() != x {
				t.Fatalf("%s reads as %v", got, v.Float())
			}
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, s := range append(editPaths, `a["b.c"]`, `['x y'].z`, `["\u0041\n"]`, "a.", "a..b", "[x]", "[99999999999]", "a-b", "é.ü1") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePath(s)
		if err != nil {
			if e := err.(*PathError); e.Offset < 0 || e.Offset > len(s) || e.Msg == "" {
				t.Fatalf("bad error %+v", e)
			}
			return
		}
		q, err := ParsePath(p.String())
		if err != nil || !p.equal(q) {
			t.Fatalf("%q is written %q, which reads as %v (%v)", s, p.String(), q, err)
		}
	})
}
