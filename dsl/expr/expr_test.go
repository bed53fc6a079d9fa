package expr_test

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine/record"
)

// rec makes a record over l whose value is a JSON text.
func rec(l *record.Layout, value string) *record.Record {
	r := record.NewRecord(l)
	r.Value.Reset(record.JSON, []byte(value))
	r.Key.Reset(record.Text, []byte("k1"))
	r.ResetHeaders([]record.Header{{Key: "h", Value: []byte("old")}, {Key: "h", Value: []byte("x")}, {Key: "empty"}})
	r.Topic, r.Partition, r.Offset = "orders", 3, 42
	r.Timestamp, r.HasTimestamp = 1_700_000_000_000_000_000, true
	r.Meta = map[string]string{"path": "/in/a.json"}
	return r
}

func env(t testing.TB) *expr.Env {
	t.Helper()
	e := expr.NewEnv()
	e.SetConst("var", map[string]any{
		"min": 100, "country": "KR", "list": []any{"a", "b", 1}, "none": nil,
		"rates": map[string]any{"KRW": 0.00075, "USD": 1}, "on": true, "half": 0.5,
	})
	e.SetConst("local", map[string]any{"prefix": "orders-"})
	for _, f := range []struct {
		name   string
		params []string
		body   string
	}{
		{"mask_card", []string{"s"}, "'****' + s[len(s)-4:]"},
		{"twice", []string{"n"}, "n * 2"},
		{"quad", []string{"n"}, "twice(twice(n))"},
		{"deep_b", []string{"o"}, "o?.a?.b ?? 'none'"},
		{"scaled", []string{"xs", "k"}, "map(xs, # * k)"},
		{"bump", []string{"n"}, "let m = n + 1; m * m"},
	} {
		if ps := e.AddFunction(f.name, f.params, f.body); len(ps) > 0 {
			t.Fatalf("function %s: %+v", f.name, ps)
		}
	}
	return e
}

func eval(t testing.TB, e *expr.Env, text, value string) (string, error) {
	t.Helper()
	s, ps := e.Compile(text, expr.WantAny)
	if len(ps) > 0 {
		t.Fatalf("compiling %q: %+v", text, ps)
	}
	l := record.NewLayout()
	p, err := s.Bind(l)
	if err != nil {
		t.Fatalf("binding %q: %v", text, err)
	}
	v, err := p.Eval(rec(l, value))
	if err != nil {
		return "", err
	}
	out, err := v.AppendJSON(nil)
	return string(out), err
}

// TestRecordParts reads what is beside the documents, absent and odd.
func TestRecordParts(t *testing.T) {
	t.Parallel()
	tests := []struct{ expr, want string }{
		{"timestamp == nil", "true"},
		{"timestamp ?? 'none'", `"none"`},
		{"has(timestamp)", "false"},
		{"type(headers.bin)", `"array"`},
		{"isBytes(headers.bin)", "true"},
		{"isBytes(headers['bin'] ?? 1) && len(headers) == 1", "true"},
		{"headers.bin == 'x'", "false"},
		{"'bin' in headers && 'nope' not in headers", "true"},
		{"topic == ''", "true"},
		{"meta.path == nil && len(meta) == 0", "true"},
		{"key == nil", "true"},
		{"value == nil", "true"},
		{"value?.a == nil", "true"},
		{"offset + partition", "0"},
	}
	e := env(t)
	for _, tt := range tests {
		for _, e := range []*expr.Env{e, e.VMOnly()} {
			l := record.NewLayout()
			p, err := compile(t, e, tt.expr).Bind(l)
			if err != nil {
				t.Fatal(err)
			}
			r := record.NewRecord(l)
			r.Value.Reset(record.JSON, nil)
			r.Key.Reset(record.Text, nil)
			r.ResetHeaders([]record.Header{{Key: "bin", Value: []byte{0xff, 'x'}}})
			v, err := p.Eval(r)
			if err != nil {
				t.Errorf("%s: %v", tt.expr, err)
				continue
			}
			if got, err := v.AppendJSON(nil); err != nil || string(got) != tt.want {
				t.Errorf("%s: got %s, error %v, want %s", tt.expr, got, err, tt.want)
			}
		}
	}
}

func TestEval(t *testing.T) {
	t.Parallel()
	const doc = `{"a":1,"f":1.5,"s":"hello","nul":null,"t":true,"o":{"a":{"b":7},"a.b":"dot"},"items":[{"q":1},{"q":5}],"u":"Zoë1234","big":9007199254740993}`
	tests := []struct{ expr, want, err string }{
		{"value.a", "1", ""},
		{"value.a + 1", "2", ""},
		{"value.a / 2", "0.5", ""},
		{"value.missing == nil", "true", ""},
		{"value.nul == nil", "true", ""},
		{"value.missing > 100", "", "cannot compare nil with int: value.missing > 100"},
		{"value.s > 100", "", "cannot compare string with int: value.s > 100"},
		{"value.o.a.b", "7", ""},
		{`value.o["a.b"]`, `"dot"`, ""},
		{"value.items[0].q", "1", ""},
		{"value.items[-1].q", "5", ""},
		{"value.items[2]", "", "index 2 is out of range: value.items[2]"},
		{"value.x.y", "", "value.x is nil, so it has no member y"},
		{"value.x?.y", "null", ""},
		{"value.x?.y.z", "null", ""},
		{"value?.x?.y?.z ?? 'd'", `"d"`, ""},
		{"(value.x?.y).z", "null", ""},
		{"value.x?.y[0]", "", "value.x.y is nil, so it has no element 0"},
		{"value.s.x", "", "value.s is string, so it has no member x"},
		{"value.a?.x", "", "value.a is int, so it has no member x"},
		{"filter(value.items, .q > 1)", `[{"q":5}]`, ""},
		{"len(value.items)", "2", ""},
		{"headers.h", `"x"`, ""},
		{`headers["nope"]`, "null", ""},
		{"headers.empty", `""`, ""},
		{`"h" in headers`, "true", ""},
		{"topic + '-' + string(partition) + '-' + string(offset)", `"orders-3-42"`, ""},
		{"timestamp.Year()", "2023", ""},
		{"meta.path", `"/in/a.json"`, ""},
		{"meta.nope", "null", ""},
		{"key", `"k1"`, ""},
		{"value.a >= var.min", "false", ""},
		{"var.rates['USD']", "1", ""},
		{"var.rates[value.cur ?? 'KRW']", "0.00075", ""},
		{"value.a in var.list", "true", ""},
		{"local.prefix + value.s", `"orders-hello"`, ""},
		{"mask_card(value.u)", `"****1234"`, ""},
		{"mask_card(value.s + '99')", `"****lo99"`, ""},
		{"quad(value.a + 1)", "8", ""},
		{"bump(bump(value.a))", "25", ""},
		{"deep_b(value.o)", "7", ""},
		{"deep_b(value)", "", "value.a is int, so it has no member b"},
		{"deep_b(value.nope)", `"none"`, ""},
		{"scaled(map(value.items, .q), 2)", "[2,10]", ""},
		{"map(value.items, bump(.q))", "[4,36]", ""},
		{"value.items | map(.q) | sum()", "6", ""},
		{"value.u[2:3]", `"ë"`, ""},
		{`indexOf(value.u, "1")`, "3", ""},
		{"value.big", "9007199254740993", ""},
		{"value.big + 1", "9007199254740994", ""},
		{`5 in ["KR"]`, "", "x"},
		{"has(value.nul)", "true", ""},
		{"has(value.x.y.z)", "false", ""},
		{"has(headers.h) && !has(headers.g)", "true", ""},
		{"not value.t", "false", ""},
		{"!value.missing", "", "needs bool, got nil: value.missing"},
		{"value.s matches '^he'", "true", ""},
		{"value.t ? 'y' : 'n'", `"y"`, ""},
		{"value.a ? 1 : 2", "", "needs bool, got int: value.a"},
		{"let n = value.a; n + n", "2", ""},
		{"{b: value.a, a: value.s, c: [value.t, nil]}", `{"b":1,"a":"hello","c":[true,null]}`, ""},
		{"value.o['a']['b']", "7", ""},
		{"string(base64Decode('w6k='))", `"é"`, ""},
		{"map([base64Decode('aGk=')], string(#))", `["hi"]`, ""},
		{"value.a == 1 ? string(base64Decode('/w==')) : ''", "", "the bytes are not UTF-8: string(base64Decode('/w=='))"},
		{"map([value.a], string(base64Decode('/w==')))", "", "the bytes are not UTF-8: string(base64Decode('/w=='))"},
		{"type(now())", `"time"`, ""},
		{"type(timestamp - timestamp)", `"duration"`, ""},
		{"map([now()], type(#))", `["time"]`, ""},
		{"value[value.a]", "", "a member's name is text, not int: value[value.a]"},
		{"let v = value; v[0]", "", "a member's name is text, not int: v[0]"},
		{"map([value.o], #[0])", "", "a member's name is text, not int: #[0]"},
		{"value['it' + 'ems'][0].q", "1", ""},
		{"groupBy(value.items, string(.q))", `{"1":[{"q":1}],"5":[{"q":5}]}`, ""},
		{"1 < value.a + 1 < 3", "true", ""},
		{"upper(value.s)", `"HELLO"`, ""},
		{"value.t && value.missing", "null", ""},
	}
	e := env(t)
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(tt.expr, "5 in [") {
				if _, ps := e.Compile(tt.expr, expr.WantAny); len(ps) == 0 {
					t.Fatal("compiles")
				}
				return
			}
			got, err := eval(t, e, tt.expr, doc)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Fatalf("got %s, error %v; want error %s", got, err, tt.err)
				}
				if got, err = eval(t, e.VMOnly(), tt.expr, doc); err == nil {
					t.Fatalf("on the VM got %s; want an error", got)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Fatalf("got %s, error %v; want %s", got, err, tt.want)
			}
			if got, err = eval(t, e.VMOnly(), tt.expr, doc); err != nil || !sameJSON([]byte(got), []byte(tt.want)) {
				t.Fatalf("on the VM got %s, error %v; want %s", got, err, tt.want)
			}
		})
	}
}

// A record that comes again must give the same bytes.
func TestMembersInOrder(t *testing.T) {
	t.Parallel()
	e := env(t)
	const value = `{"o":{"h":1,"c":2,"a":3,"g":4,"b":5,"f":6,"d":7,"e":8},"items":[{"q":9},{"q":10},{"q":2},{"q":1},{"q":3}]}`
	for text, want := range map[string]string{
		"keys(value.o)":                               `["a","b","c","d","e","f","g","h"]`,
		"values(value.o)":                             `[3,5,2,7,8,6,4,1]`,
		"toPairs(value.o)[3]":                         `["d",7]`,
		"map(keys(value.o), # + '!')[7]":              `"h!"`,
		"keys(groupBy(value.items, .q))":              `[1,2,3,9,10]`,
		"keys({d: 1, b: value.o.a, a: 2, c: 3})":      `["a","b","c","d"]`,
		"join(keys(value.o), '') + topic":             `"abcdefghorders"`,
		"groupBy(value.items, .q > 2 ? 'hi' : 'low')": `{"hi":[{"q":9},{"q":10},{"q":3}],"low":[{"q":2},{"q":1}]}`,
	} {
		for range 10 {
			for mode, env := range map[string]*expr.Env{"closures": e, "vm": e.VMOnly()} {
				if got, err := eval(t, env, text, value); err != nil || got != want {
					t.Errorf("%s on %s: %s, error %v, want %s", text, mode, got, err, want)
				}
			}
		}
	}
}

// expr makes the bytes of a text uint8, which is another type to it than int.
func TestBytesOfTextAreInt(t *testing.T) {
	t.Parallel()
	e := env(t)
	for text, want := range map[string]string{
		"type(get(value.s, 0))":                             `"int"`,
		"type(value.s[0])":                                  `"int"`,
		"type(value.s[value.i])":                            `"int"`,
		"type(value.on ? value.s[value.i] : value.s)":       `"int"`,
		"get(value.s, 0) in [97, 98]":                       `true`,
		"get(value.s, -1) + get(value.s, value.i)":          `196`,
		"map([value.s], type(#[0]))":                        `["int"]`,
		"[type(nil), type(1.5), type(''), type(timestamp)]": `["nil","float","string","time"]`,
	} {
		for mode, env := range map[string]*expr.Env{"closures": e, "vm": e.VMOnly()} {
			if got, err := eval(t, env, text, `{"s":"abc","i":0,"on":true}`); err != nil || got != want {
				t.Errorf("%s on %s: %s, error %v, want %s", text, mode, got, err, want)
			}
		}
	}
}
