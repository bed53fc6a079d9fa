package record

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"
)

type named string

var (
	seoul = time.FixedZone("KST", 9*3600)
	noon  = time.Date(2026, 3, 14, 12, 0, 0, 500, seoul)
)

// valueCases are Go values, what they are as JSON and as text in a template.
var valueCases = []struct {
	in         any
	kind       Kind
	json, text string
}{
	{nil, Null, "null", ""},
	{true, Bool, "true", "true"},
	{false, Bool, "false", "false"},
	{5, Int, "5", "5"},
	{int8(-5), Int, "-5", "-5"},
	{uint16(7), Int, "7", "7"},
	{int64(math.MinInt64), Int, "-9223372036854775808", "-9223372036854775808"},
	{uint64(math.MaxUint64), Float, "18446744073709551615", "18446744073709551615"},
	{3.0, Float, "3", "3"},
	{2.5, Float, "2.5", "2.5"},
	{float32(0.1), Float, "0.1", "0.1"},
	{1e21, Float, "1e+21", "1e+21"},
	{1e-7, Float, "1e-7", "1e-7"},
	{math.Copysign(0, -1), Float, "-0", "-0"},
	{"a\"b\n<é>\u2028", String, "\"a\\\"b\\n<é>\u2028\"", "a\"b\n<é>\u2028"},
	{"\x00\x1f\b\f\r\t\\/\x7f", String, `"\u0000\u001f\b\f\r\t\\/` + "\x7f\"", "\x00\x1f\b\f\r\t\\/\x7f"},
	{"bad \xff utf-8", String, "\"bad \uFFFD utf-8\"", "bad \xff utf-8"},
	{"", String, `""`, ""},
	{named("n"), String, `"n"`, "n"},
	{[]byte("hi"), Bytes, `"aGk="`, "hi"},
	{noon, Time, `"2026-03-14T12:00:00.0000005+09:00"`, "2026-03-14T12:00:00.0000005+09:00"},
	{time.Time{}, Time, `"0001-01-01T00:00:00Z"`, "0001-01-01T00:00:00Z"},
	{90 * time.Second, Duration, `"1m30s"`, "1m30s"},
	{json.Number("1.50"), Float, "1.50", "1.50"},
	{json.Number("12345678901234567890"), Float, "12345678901234567890", "12345678901234567890"},
	{[]any{}, Array, "[]", "[]"},
	{[]any{1, "x", nil, []any{2.5}}, Array, `[1,"x",null,[2.5]]`, `[1,"x",null,[2.5]]`},
	{[]string{"a", "b"}, Array, `["a","b"]`, `["a","b"]`},
	{[2]int{1, 2}, Array, `[1,2]`, `[1,2]`},
	{map[string]any{}, Object, "{}", "{}"},
	{map[string]any(nil), Object, "{}", "{}"},
	{map[string]any{"b": 1, "a": map[string]any{"c": noon}}, Object, `{"a":{"c":"2026-03-14T12:00:00.0000005+09:00"},"b":1}`, `{"a":{"c":"2026-03-14T12:00:00.0000005+09:00"},"b":1}`},
	{map[string]int{"x": 1}, Object, `{"x":1}`, `{"x":1}`},
	{map[any][]any{"k": {1}, 2: {}, true: {}}, Object, `{"2":[],"k":[1],"true":[]}`, `{"2":[],"k":[1],"true":[]}`},
	{[]any{json.Number("1.00"), uint8(3), []string{"s"}, map[string]any{"d": time.Second}}, Array, `[1.00,3,["s"],{"d":"1s"}]`, `[1.00,3,["s"],{"d":"1s"}]`},
	{IntValue(9), Int, "9", "9"},
	{[]any{RawJSON([]byte(`{"z":1.0,"a":2}`))}, Array, `[{"z":1.0,"a":2}]`, `[{"z":1.0,"a":2}]`},
}

func TestFromAny(t *testing.T) {
	t.Parallel()
	for _, tt := range valueCases {
		v, err := FromAny(tt.in)
		if err != nil {
			t.Errorf("%#v: %v", tt.in, err)
			continue
		}
		for _, v := range []Value{v, v.Own()} {
			b, err := v.AppendJSON([]byte("x"))
			if err != nil || string(b) != "x"+tt.json || v.Kind() != tt.kind {
				t.Errorf("%#v: JSON %s of kind %d (%v), want %s", tt.in, b, v.Kind(), err, tt.json)
			}
			b, err = v.AppendText([]byte("x"))
			if err != nil || string(b) != "x"+tt.text || v.String() != tt.text {
				t.Errorf("%#v: text %q (%v), want %q", tt.in, b, err, tt.text)
			}
			if !v.Equal(v) {
				t.Errorf("%#v is not equal to itself", tt.in)
			}
			back, err := FromAny(v.Any())
			if err != nil || !back.Equal(v) {
				t.Errorf("%#v: Any gives %#v (%v)", tt.in, v.Any(), err)
			}
		}
		if err := ValidateJSON([]byte(tt.json)); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []any{struct{}{}, make(chan int), []any{func() {}}, map[string]any{"a": struct{}{}}, json.Number("x"), json.Number(""), map[any]any{[1]int{1}: 1}, map[any]any{1: 1, "1": 2}} {
		if v, err := FromAny(bad); err == nil {
			t.Errorf("%T became %s", bad, v)
		}
	}
	deep := []any{}
	for range 600 {
		deep = []any{deep}
	}
	if _, err := FromAny(deep); !errors.Is(err, errDeep) {
		t.Errorf("deep array: %v", err)
	}
	self := []any{nil}
	self[0] = self
	if _, err := FromAny(self); !errors.Is(err, errDeep) {
		t.Errorf("array in itself: %v", err)
	}
}

func TestNotFinite(t *testing.T) {
	t.Parallel()
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		b, err := FloatValue(f).AppendJSON([]byte("x"))
		if err == nil || string(b) != "x" {
			t.Errorf("%v is written %s", f, b)
		}
		v, err := FromAny([]any{1, f})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := v.AppendJSON([]byte("x")); err == nil || string(b) != "x" {
			t.Errorf("%v is written %s", f, b)
		}
		d, id := docOf("a")
		d.Reset(JSON, []byte(`{"a":1}`))
		if err := d.Set(id("a"), FloatValue(f)); err == nil || d.Edited() {
			t.Errorf("%v was set", f)
		}
		if err := d.Set(id("a"), RawJSON([]byte("1e999"))); err == nil || d.Edited() {
			t.Error("a number that cannot be read back was set")
		}
	}
}

func TestRawJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		kind Kind
		any  any
	}{
		{` null `, Null, nil},
		{"true\r\n", Bool, true},
		{`false`, Bool, false},
		{`0`, Int, 0},
		{`-0`, Int, 0},
		{`9223372036854775807`, Int, math.MaxInt64},
		{`-9223372036854775808`, Int, math.MinInt64},
		{`9223372036854775808`, Float, 9223372036854775808.0},
		{`-9223372036854775809`, Float, -9223372036854775809.0},
		{`99999999999999999999999`, Float, 99999999999999999999999.0},
		{`1.0`, Float, 1.0},
		{`-12.25`, Float, -12.25},
		{`0.1`, Float, 0.1},
		{`123456789012345.6`, Float, 123456789012345.6},
		{`9007199254740993.5`, Float, 9007199254740993.5},
		{`1e3`, Float, 1000.0},
		{`1.5E-3`, Float, 0.0015},
		{`5e-324`, Float, 5e-324},
		{`"a\u00e9\ud83d\ude00\n\/"`, String, "aé😀\n/"},
		{`"\ud800x\udc00\ud83d\u0041"`, String, "\uFFFDx\uFFFD\uFFFDA"},
		{`[1, {"a":[]}]`, Array, []any{1, map[string]any{"a": []any{}}}},
		{`{"a":1,"\u0061":2}`, Object, map[string]any{"a": 2}},
		{``, Missing, nil},
	}
	for _, tt := range tests {
		v := RawJSON([]byte(tt.in))
		if got := v.Any(); v.Kind() != tt.kind || !reflect.DeepEqual(got, tt.any) {
			t.Errorf("%s is %#v of kind %d", tt.in, got, v.Kind())
		}
		if tt.kind == String || tt.kind == Missing {
			continue // an escape need not be written as it came
		}
		b, err := v.AppendJSON(nil)
		if err != nil || string(b) != strings.TrimSpace(tt.in) {
			t.Errorf("%s is written %s (%v)", tt.in, b, err)
		}
	}
	b, err := RawJSON([]byte("{\"a\" :\r\n [1.0,\t\"x y\\n\"]}")).AppendJSON(nil)
	if err != nil || string(b) != `{"a":[1.0,"x y\n"]}` {
		t.Errorf("lines are written %q (%v)", b, err)
	}
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	all := []Value{
		{}, NullValue(), BoolValue(true), IntValue(1), FloatValue(1), StringValue("1"), BytesValue([]byte("1")),
		TimeValue(noon), DurationValue(1), RawJSON([]byte("[1]")), RawJSON([]byte(`{"a":1}`)),
	}
	for i, v := range all {
		if v.Kind() != Kind(i) {
			t.Errorf("value %d has kind %d", i, v.Kind())
		}
		if v.IsNil() != (i <= 1) || v.Bool() != (v.Kind() == Bool) || (v.Int() == 1) != (v.Kind() == Int) ||
			(v.Float() == 1) != (v.Kind() == Int || v.Kind() == Float) || (v.Text() != nil) != (v.Kind() == String || v.Kind() == Bytes) ||
			v.Time().IsZero() == (v.Kind() == Time) || (v.Duration() == 1) != (v.Kind() == Duration) {
			t.Errorf("kind %d: wrong payloads", i)
		}
		if v.Kind() != Array && (!v.Index(0).IsNil() || v.Elements(func(Value) error { return errors.New("called") }) != nil) {
			t.Errorf("kind %d has elements", i)
		}
		if v.Kind() != Object && (!v.Member("a").IsNil() || v.Members(func([]byte, Value) error { return errors.New("called") }) != nil) {
			t.Errorf("kind %d has members", i)
		}
	}
	if got := TimeValue(noon).Time(); !got.Equal(noon) || got.Location() != seoul {
		t.Errorf("time %v", got)
	}
	if size := unsafe.Sizeof(Value{}); size > 24 {
		t.Errorf("a Value has %d bytes", size)
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	raw := func(s string) Value { return RawJSON([]byte(s)) }
	tests := []struct {
		a, b Value
		want bool
	}{
		{Value{}, NullValue(), true},
		{NullValue(), BoolValue(false), false},
		{IntValue(1), FloatValue(1), true},
		{IntValue(1), raw("1.0"), true},
		{IntValue(math.MaxInt64), IntValue(math.MaxInt64 - 1), false},
		{FloatValue(math.NaN()), FloatValue(math.NaN()), false},
		{IntValue(1), StringValue("1"), false},
		{StringValue("é"), raw(`"\u00e9"`), true},
		{StringValue("a"), BytesValue([]byte("a")), false},
		{BytesValue([]byte("a")), BytesValue([]byte("a")), true},
		{TimeValue(noon), TimeValue(noon.UTC()), true},
		{TimeValue(noon), TimeValue(noon.Add(1)), false},
		{DurationValue(1), DurationValue(1), true},
		{DurationValue(1), IntValue(1), false},
		{raw("[1,2]"), raw("[1, 2.0]"), true},
		{raw("[1,2]"), raw("[1]"), false},
		{raw("[1]"), raw(`{"a":1}`), false},
		{raw(`{"a":1,"b":[null]}`), raw(`{"b":[null],"a":1}`), true},
		{raw(`{"a":null}`), raw(`{"b":null}`), false},
		{raw(`[{"a":1}]`), raw(`[{"a":1.0}]`), false},
	}
	for _, tt := range tests {
		if tt.a.Equal(tt.b) != tt.want || tt.b.Equal(tt.a) != tt.want {
			t.Errorf("%s == %s is not %v", tt.a, tt.b, tt.want)
		}
	}
}

func TestIterate(t *testing.T) {
	t.Parallel()
	boxed, err := FromAny(map[string]any{"a": 1, "b": []any{"x", 2}})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []Value{RawJSON([]byte("{ \"a\" : 0, \"b\":\n[ \"x\" , 2 ], \"\\u0061\":1 }")), boxed} {
		b := v.Member("b")
		if v.Len() != 2 || v.Member("a").Int() != 1 || v.Member("c").Kind() != Missing || b.Len() != 2 {
			t.Errorf("members of %s", v)
		}
		if string(b.Index(0).Text()) != "x" || b.Index(-1).Int() != 2 || b.Index(2).Kind() != Missing || b.Index(-3).Kind() != Missing {
			t.Errorf("elements of %s", b)
		}
		stop := errors.New("stop")
		calls := 0
		err := b.Elements(func(Value) error { calls++; return stop })
		err2 := v.Members(func([]byte, Value) error { calls++; return stop })
		if err != stop || err2 != stop || calls != 2 {
			t.Errorf("%d calls, %v, %v", calls, err, err2)
		}
	}
	if RawJSON([]byte("[ ]")).Len()+RawJSON([]byte("{ }")).Len() != 0 || StringValue("abc").Len() != 3 {
		t.Error("wrong lengths")
	}
}

// TestOwn overwrites the memory that a value came from.
func TestOwn(t *testing.T) {
	t.Parallel()
	for _, s := range []string{`"plain"`, `1.50`, `[1,"x"]`, `{"a":"y"}`} {
		b := []byte(s)
		v := RawJSON(b).Own()
		clear(b)
		if out, err := v.AppendJSON(nil); err != nil || string(out) != s {
			t.Errorf("%s became %s (%v)", s, out, err)
		}
	}
	text := []byte("text")
	inner := RawJSON([]byte(`{"n":1.0}`))
	boxed, err := FromAny([]any{text, inner})
	if err != nil {
		t.Fatal(err)
	}
	own := boxed.Own()
	clear(text)
	clear(inner.bytes())
	if out, err := own.AppendJSON(nil); err != nil || string(out) != `["dGV4dA==",{"n":1.0}]` {
		t.Errorf("became %s (%v)", out, err)
	}
}

func TestCompact(t *testing.T) {
	t.Parallel()
	b, err := Compact([]byte("x"), []byte(" { \"a b\" : [ 1.0 , \"\\\" \" ] }\r\n"))
	if err != nil || string(b) != `x{"a b":[1.0,"\" "]}` {
		t.Errorf("%s (%v)", b, err)
	}
	if b, err := Compact([]byte("x"), []byte("{")); err == nil || string(b) != "x" {
		t.Errorf("%s (%v)", b, err)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want Path
		out  string
	}{
		{"", Path{}, ""},
		{"a", Path{{Name: "a"}}, "a"},
		{"customer.email", Path{{Name: "customer"}, {Name: "email"}}, "customer.email"},
		{"items[0].sku", Path{{Name: "items"}, {Index: 0, IsIndex: true}, {Name: "sku"}}, "items[0].sku"},
		{"[-1][2]", Path{{Index: -1, IsIndex: true}, {Index: 2, IsIndex: true}}, "[-1][2]"},
		{`["a.b"].c`, Path{{Name: "a.b"}, {Name: "c"}}, `["a.b"].c`},
		{`a['it\'s']['b']`, Path{{Name: "a"}, {Name: "it's"}, {Name: "b"}}, `a["it's"].b`},
		{`[""]`, Path{{Name: ""}}, `[""]`},
		{`ключ._x$1`, Path{{Name: "ключ"}, {Name: "_x$1"}}, `ключ._x$1`},
		{`["\u0041\n"]`, Path{{Name: "A\n"}}, `["A\n"]`},
	}
	for _, tt := range tests {
		p, err := ParsePath(tt.in)
		if err != nil || !p.equal(tt.want) || p.String() != tt.out {
			t.Errorf("%q is %v, written %q (%v)", tt.in, p, p.String(), err)
		}
	}
	bad := map[string]int{
		".a": 0, "a.": 2, "a..b": 2, "a b": 1, "1a": 0, "a-b": 1, "a[": 2, "a[x]": 2, "a[1": 1, "a[99999999999]": 2,
		`a["b]`: 2, `a["\q"]`: 3, `a["b"`: 1, `a["b"]c`: 6, "a[]": 2, "a\xff": 1, `["` + "\xff" + `"]`: 2, `["\xff"]`: 1,
	}
	for in, offset := range bad {
		p, err := ParsePath(in)
		var pe *PathError
		if !errors.As(err, &pe) || pe.Offset != offset || pe.Error() == "" {
			t.Errorf("%q is %v (%+v), want an error at %d", in, p, err, offset)
		}
	}
}

func TestProjection(t *testing.T) {
	t.Parallel()
	p := NewProjection()
	ab := p.Add(mustPath("a.b"))
	a := p.Add(mustPath("a"))
	at := p.Add(mustPath("a[0]"))
	if p.Add(Path{{Name: "a"}, {Name: "ignored", Index: 0, IsIndex: true}}) != at || p.Add(mustPath("a.b")) != ab {
		t.Error("equal paths have two ids")
	}
	if p.Parent(ab) != a || p.Parent(a) != Root || p.Parent(Root) != -1 || p.Path(at).String() != "a[0]" || len(p.Path(Root)) != 0 {
		t.Error("wrong parents or paths")
	}
	if c := p.Children(a); len(c) != 2 || c[0] != ab || c[1] != at {
		t.Errorf("children %v", c)
	}
	p.Freeze()
	defer func() {
		if recover() == nil {
			t.Error("a frozen projection grew")
		}
	}()
	p.Add(mustPath("c"))
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	shared := []Header{{"a", []byte("1")}, {"b", []byte("2")}, {"a", []byte("3")}}
	r := NewRecord(NewLayout())
	r.ResetHeaders(shared)
	if v, ok := r.Header("a"); !ok || string(v) != "3" {
		t.Errorf("a is %s", v)
	}
	r.SetHeader("a", []byte("4"))
	r.DeleteHeader("b")
	r.DeleteHeader("none")
	r.SetHeader("c", nil)
	want := []Header{{"a", []byte("4")}, {"c", nil}}
	if !reflect.DeepEqual(r.Headers(), want) {
		t.Errorf("headers %v", r.Headers())
	}
	if string(shared[0].Value) != "1" || shared[1].Key != "b" {
		t.Errorf("the batch's headers became %v", shared)
	}
	r.ResetHeaders(shared)
	if len(r.Headers()) != 3 {
		t.Errorf("headers %v", r.Headers())
	}
	r.Timestamp = 5
	if !r.Time().IsZero() {
		t.Error("a record without timestamp has a time")
	}
	if r.HasTimestamp = true; !r.Time().Equal(time.Unix(0, 5)) {
		t.Errorf("time %v", r.Time())
	}
}
