package funcs_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

func TestEdges(t *testing.T) {
	t.Parallel()
	tests := []struct{ expr, want, err string }{
		// Times.
		{expr: `parseTime("29/Feb/2028", "%d/%b/%Y")`, want: `"2028-02-29T00:00:00Z"`},
		{expr: `parseTime("29/Feb/2026", "%d/%b/%Y")`, err: `parseTime: "29/Feb/2026" does not match layout %d/%b/%Y: day out of range`},
		{expr: `parseTime("366 2026", "%j %Y")`, err: `parseTime: "366 2026" does not match layout %j %Y: day of the year out of range`},
		{expr: `parseTime("366 2028", "%j %Y")`, want: `"2028-12-31T00:00:00Z"`},
		{expr: `parseTime("12:05 AM 2026", "%I:%M %p %Y")`, want: `"2026-01-01T00:05:00Z"`},
		{expr: `parseTime("12:05 pm 2026", "%I:%M %p %Y")`, want: `"2026-01-01T12:05:00Z"`},
		{expr: `parseTime("Nov  2 03:04:05 2026", "%b %e %T %Y")`, want: `"2026-11-02T03:04:05Z"`},
		{expr: `parseTime("2026-10-25 02:30:00.123456 +0100", "%F %T.%f %z", "Europe/Berlin")`, want: `"2026-10-25T02:30:00.123456+01:00"`},
		{expr: `parseTime("2026-01-01 EST", "%F %Z", "America/New_York")`, want: `"2026-01-01T00:00:00-05:00"`},
		{expr: `parseTime("2026-01-01 CET", "%F %Z")`, err: `parseTime: "2026-01-01 CET" does not match layout %F %Z: zone "CET" is no offset and not known in the zone given`},
		{expr: `parseTime("Thu, 01 Jan 2026 00:00:00 CET", "rfc1123")`, err: `parseTime: "Thu, 01 Jan 2026 00:00:00 CET" does not match layout rfc1123: zone "CET" is no offset and not known in the zone given`},
		{expr: `parseTime("Thu, 01 Jan 2026 00:00:00 GMT", "rfc1123")`, want: `"2026-01-01T00:00:00Z"`},
		{expr: `parseTime("2026-02-30", "date")`, err: `parseTime: "2026-02-30" does not match layout date: day out of range`},
		{expr: `parseTime("2026-01-01x", "%F")`, err: `parseTime: "2026-01-01x" does not match layout %F: "x" is left over`},
		{expr: `parseTime("-1.5", "unix")`, want: `"1969-12-31T23:59:58.5Z"`},
		{expr: `parseTime("1767225600.000000001", "unix")`, want: `"2026-01-01T00:00:00.000000001Z"`},
		{expr: `parseTime("2026", "yyyy")`, err: `parseTime: layout "yyyy" has no element of a time`},
		{expr: `formatTime(fromUnix(0), "%G-W%V-%u %j %a %b %I%p %L %N %%")`, want: `"1970-W01-4 001 Thu Jan 12AM 000 000000000 %"`},
		{expr: `formatTime(fromUnix(-0.25), "%T.%f")`, want: `"23:59:59.750000"`},
		{expr: `toUnixMilli(fromUnixMilli(-1))`, want: `-1`},
		{expr: `toUnixNano(toTime("3000-01-01"))`, err: `toUnixNano: the time is too far from 1970 to be counted in nanoseconds`},
		{expr: `fromUnix(1767225600000)`, err: `fromUnix: the time lies outside the years 0 to 9999`},
		{expr: `truncateTime(toTime("2026-03-29T12:00:00+02:00"), "day", "Europe/Berlin")`, want: `"2026-03-29T00:00:00+01:00"`},
		{expr: `truncateTime(toTime("2026-03-01"), "week")`, want: `"2026-02-23T00:00:00Z"`},
		{expr: `truncateTime(toTime("2026-08-31"), "quarter")`, want: `"2026-07-01T00:00:00Z"`},
		{expr: `inZone(now(), "Local")`, err: `inZone: unknown zone "Local"`},
		{expr: `inZone(now(), "../../etc/passwd")`, err: `inZone: unknown zone "../../etc/passwd"`},
		{expr: `toTime(1767225600)`, err: `toTime: a number may count seconds or milliseconds`},

		// Durations.
		{expr: `parseDuration("1.1s")`, want: `"1.1s"`},
		{expr: `parseDuration("0.000000001s")`, want: `"1ns"`},
		{expr: `parseDuration("P1W")`, want: `"168h0m0s"`},
		{expr: `parseDuration("-PT0.5S")`, want: `"-500ms"`},
		{expr: `parseDuration("P1M")`, err: `parseDuration: "P1M" is not a duration`},
		{expr: `parseDuration("106752d")`, err: `parseDuration: "106752d" is not a duration`},
		{expr: `durationOf(9223372036854775807, "s")`, err: `durationOf: 9223372036854775807 is too long for a duration`},
		{expr: `formatDuration(parseDuration("-1.5s"), "iso")`, want: `"-PT1.5S"`},

		// Conversions.
		{expr: `toInt("9223372036854775807")`, want: `9223372036854775807`},
		{expr: `toInt("9223372036854775808")`, err: `toInt: "9223372036854775808" does not fit an int`},
		{expr: `toInt("1e17")`, err: `toInt: "1e17" is not exact as an int`},
		{expr: `toInt("0x10")`, err: `toInt: "0x10" is not an int`},
		{expr: `toInt(9.3e18)`, err: `toInt: 9.3e+18 does not fit an int`},
		{expr: `toInt(nil)`, err: `toInt: x is null`},
		{expr: `toInt("x", 7)`, want: `7`},
		{expr: `toFloat("NaN")`, err: `toFloat: "NaN" is not a number`},
		{expr: `toFloat("1e999")`, err: `toFloat: "1e999" is not a number`},
		{expr: `toBool(2)`, err: `toBool: 2 is neither 0 nor 1`},
		{expr: `toString(b"\xff")`, err: `toString: the bytes are not UTF-8`},
		{expr: `toString(1e-9) + toString(1e21)`, want: `"1e-91e+21"`},
		{expr: `map([1e21, 1e100, 1e300, -1e200, 1.5e30, 1e-7, 1e-10, 1e-100, 1e-300], toString(#))`,
			want: `["1e+21","1e+100","1e+300","-1e+200","1.5e+30","1e-7","1e-10","1e-100","1e-300"]`},
		{expr: `formatJSON([1e100, 1e300, 1e-7, 1e-100])`, want: `"[1e+100,1e+300,1e-7,1e-100]"`},
		{expr: `toString(-0.0) + toString(0.0 / 0) + toString(1 / 0.0)`, want: `"-0NaN+Inf"`},
		{expr: `parseInt("8000000000000000", 16)`, err: `parseInt: "8000000000000000" does not fit an int`},
		{expr: `parseInt("-8000000000000000", 16)`, want: `-9223372036854775808`},
		{expr: `parseInt("--1", 10)`, err: `parseInt: "--1" is not an int in base 10`},

		// Members, in the order of their names whatever these are.
		{expr: `keys(fromPairs([["b", 1], [1.5, 2], [10, 3], [nil, 4], ["a", 5], [true, 6], [2, 7], [duration("1s"), 8], [date("2026-01-01"), 9], [false, 10], [duration("9ms"), 11]]))`,
			want: `[null,false,true,1.5,2,10,"a","b","2026-01-01T00:00:00Z","9ms","1s"]`},
		{expr: `values(groupBy([3, 1, 2, 11], #))`, want: `[[1],[2],[3],[11]]`},
		{expr: `toPairs(groupBy(["b", "a"], #))`, want: `[["a",["a"]],["b",["b"]]]`},
		{expr: `fromPairs(toPairs({"b": 1, "a": 2}))`, want: `{"a":2,"b":1}`},
		{expr: `sortedKeys(groupBy(["b", "a"], #))`, want: `["a","b"]`},
		{expr: `sortedKeys(groupBy([1], #))`, err: `sortedKeys: obj is object, want object whose names are all text`},
		{expr: `keys(parseJSON("[]"))`, err: `keys: obj is array, want object`},

		// JSON.
		{expr: `parseJSON("9223372036854775807")`, want: `9223372036854775807`},
		{expr: `parseJSON("[1] x")`, err: `parseJSON: there is text behind the value`},
		{expr: `parseJSON("1e999")`, err: `parseJSON: the number "1e999" does not fit a float`},
		{expr: `parseJSON(repeat("[", 513) + repeat("]", 513))`, err: `parseJSON: nested deeper than 512`},
		{expr: `len(parseJSON(repeat("[", 512) + repeat("]", 512)))`, want: `1`},
		{expr: `parseJSON("[]]")`, err: `parseJSON: there is text behind the value`},
		{expr: `formatJSON({"<&>": "\u2028\x01"})`, want: `"{\"<&>\":\"\u2028\\u0001\"}"`},
		{expr: `formatJSON(0.0 / 0)`, err: `formatJSON: JSON has no number NaN`},

		// Text.
		{expr: `truncate("héllo", 2)`, want: `"hé"`},
		{expr: `truncate("hello", 2, "...")`, err: `truncate: suffix is longer than length`},
		{expr: `substring("abc", 2, 1)`, want: `""`},
		{expr: `substring("abc", -2, -1)`, want: `"b"`},
		{expr: `substring("abc", 5)`, want: `""`},
		{expr: `padLeft("a", 3, "é")`, want: `"ééa"`},
		{expr: `padLeft("a", 17000000)`, err: `padLeft: the result is longer than 16777216 bytes`},
		{expr: `padLeft("a", 9223372036854775807, "é")`, err: `padLeft: the result is longer than 16777216 bytes`},
		{expr: `mask("ééé", 1)`, want: `"**é"`},
		{expr: `mask("abc", -1)`, err: `mask: keepLast is negative`},
		{expr: `maskEmail("a@b.c")`, want: `"***@b.c"`},
		{expr: `maskCard("4111-1111-1111-1234 x")`, want: `"****-****-****-1234 *"`},
		{expr: `snakeCase("userID2FA naïveÉtat")`, want: `"user_id2_fa_naïve_état"`},
		{expr: `titleCase("it's o'clock")`, want: `"It's O'clock"`},
		{expr: `containsAny("abc", [1])`, err: `containsAny: element 0 of words is int, want string`},

		// Patterns.
		{expr: "regexReplace(\"abc\", `(?P<x>b)`, `[${x}$$]`)", want: `"a[b$]c"`},
		{expr: "regexReplace(\"abc\", `b`, `$name`)", err: `regexReplace: the pattern has no group name`},
		{expr: "regexReplace(padLeft(\"\", 1000000, \"a\"), `a`, padLeft(\"\", 20))", err: `regexReplace: the result is longer than 16777216 bytes`},
		{expr: "regexMatch(\"a\", `(`)", err: "regexMatch: pattern: missing closing ) at \"(\""},
		{expr: "regexMatch(\"a\", `((x{100}){100}){2}`)", err: "regexMatch: pattern"},
		{expr: "regexExtract(\"ab\", `(a)|(b)`, 2)", want: `null`},
		{expr: "regexExtract(\"ab\", `a`, 1)", err: `regexExtract: the pattern has no group 1`},
		{expr: "regexGroups(\"b\", `(?P<a>a)?(?P<b>b)`)", want: `{"a":null,"b":"b"}`},

		// Pairs, URLs, networks.
		{expr: `parseCSVRow("")`, want: `[]`},
		{expr: `parseCSVRow("a\nb")`, err: `parseCSVRow: "a\nb" is more than one CSV row`},
		{expr: `parseCSVRow('a"b')`, err: `parseCSVRow: "a\"b" is not a CSV row`},
		{expr: `parseLogfmt('a="x\\"y" b= c')`, want: `{"a":"x\"y","b":"","c":true}`},
		{expr: `parseLogfmt(formatLogfmt({"a": "x\n\"", "b": ""}))`, want: `{"a":"x\n\"","b":""}`},
		{expr: `parseURL("http://[::1]:80/").host`, want: `"::1"`},
		{expr: `parseURL("http://a:99999/")`, err: `parseURL: "http://a:99999/" is not a URL`},
		{expr: `ipInCIDR("::ffff:10.0.0.1", "10.0.0.0/8")`, want: `true`},
		{expr: `ipInCIDR("10.0.0.1", [])`, want: `false`},
		{expr: `ipInCIDR("x", "10.0.0.0/8")`, err: `ipInCIDR: "x" is not an IP address`},

		// Objects, arrays, numbers.
		{expr: `merge()`, want: `{}`},
		{expr: `pick({"a": 1}, ["a"], "b")`, want: `{"a":1}`},
		{expr: `renameKeys({"a": 1, "b": 2}, {"a": "b"})`, err: `renameKeys: two members would have the name "b"`},
		{expr: `renameKeys({"a": 1, "b": 2}, {"a": "b", "b": "a"})`, want: `{"a":2,"b":1}`},
		{expr: `mapKeys({"aB": 1, "a_b": 2}, "snakeCase")`, err: `mapKeys: two members would have the name "a_b"`},
		{expr: `unflattenObject(flattenObject({"a": {"b": {}, "c": [1]}}))`, want: `{"a":{"b":{},"c":[1]}}`},
		{expr: `flattenObject({"a": {"b": 1}, "a.b": 2})`, err: `flattenObject: two members would have the name "a.b"`},
		{expr: `getPath({"a": [1, 2]}, "a[-3]")`, want: `null`},
		{expr: `getPath({}, "a[")`, err: `getPath: path "a["`},
		{expr: `distinct([9007199254740993, 9007199254740992.0, nil, nil, {"a": 1}, {"a": 1.0}])`, want: `[9007199254740993,9007199254740992,null,{"a":1}]`},
		{expr: `zip([1, 2], ["a"])`, want: `[[1,"a"],[2,null]]`},
		{expr: `chunk([], 2)`, want: `[]`},
		{expr: `chunk([1], 0)`, err: `chunk: size is less than 1`},
		{expr: `roundTo(2.5, 0)`, want: `3`},
		{expr: `roundTo(-0.05, 1)`, want: `-0.1`},
		{expr: `roundTo(9.995, 2)`, want: `10`},
		{expr: `roundTo(0.004, 2)`, want: `0`},
		{expr: `roundTo(1e300, 2)`, want: `1e+300`},
		{expr: `formatNumber(-0.001, 2)`, want: `"0.00"`},
		{expr: `formatNumber(-9223372036854775807 - 1, 0, " ")`, want: `"-9 223 372 036 854 775 808"`},
		{expr: `clamp(5, 9, 1)`, err: `clamp: least is more than most`},
		{expr: `divInt(-9223372036854775807 - 1, -1)`, err: `divInt: the result does not fit an int`},
		{expr: `coalesce()`, want: `null`},
		{expr: `default(nil, nil)`, want: `null`},
		{expr: `sha256(nil)`, err: `sha256: data is null, want string or bytes`},
	}
	for _, tt := range tests {
		t.Run(tt.expr[:min(len(tt.expr), 60)], func(t *testing.T) {
			t.Parallel()
			// The variable keeps a nil from being refused by the checker.
			got, err := eval(t, strings.ReplaceAll(tt.expr, "(nil)", "(value)"), nil)
			if tt.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
					t.Fatalf("= %s, error %v, want %s", asJSON(got), err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if j := asJSON(got); !sameJSON(j, tt.want) {
				t.Errorf("= %s, want %s", j, tt.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []any
		arg  int
		msg  string
	}{
		{"regexMatch", []any{nil, "a+"}, -1, ""},
		{"regexMatch", []any{nil, nil}, -1, ""},
		{"regexMatch", []any{nil, "("}, 1, `pattern: missing closing ) at "("`},
		{"parseTime", []any{nil, "yyyy-MM-dd"}, 1, "has no element of a time"},
		{"parseTime", []any{nil, "%Q"}, 1, "unknown conversion %Q"},
		{"parseTime", []any{nil, "%V"}, 1, "%V can only be written, not read"},
		{"formatTime", []any{nil, "%V"}, -1, ""},
		{"formatTime", []any{nil, "%F", "Europe/Atlantis"}, 2, `unknown zone "Europe/Atlantis"`},
		{"inZone", []any{nil, "+02:00"}, -1, ""},
		{"hmac", []any{nil, nil, "sha3"}, 2, `unknown hash "sha3"`},
		{"uuidv5", []any{"web", nil}, 0, `unknown namespace "web"`},
		{"truncateTime", []any{nil, "fortnight"}, 1, `unknown unit "fortnight"`},
		{"durationOf", []any{1, "month"}, 1, `unknown unit "month"`},
		{"formatDuration", []any{nil, "pretty"}, 1, "unknown style"},
		{"mask", []any{nil, -1}, 1, "keepLast is negative"},
		{"mask", []any{nil, 4, "xx"}, 2, "char is not one character"},
		{"padLeft", []any{nil, 4, ""}, 2, "fill is not one character"},
		{"parseInt", []any{nil, 1}, 1, "base is not 2 to 36"},
		{"parseCSVRow", []any{nil, "\""}, 1, "separator is not one character"},
		{"ipInCIDR", []any{nil, []any{"10.0.0.0/8", "x"}}, 1, `"x" is not a network`},
		{"getPath", []any{nil, "a["}, 1, `path "a["`},
		{"mapKeys", []any{nil, "shout"}, 1, "unknown style"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.name, tt.args), func(t *testing.T) {
			t.Parallel()
			arg, msg := byName(t, tt.name).Check(tt.args)
			if arg != tt.arg || !strings.Contains(msg, tt.msg) || (tt.msg == "") != (msg == "") {
				t.Errorf("Check = %d, %q, want %d, %q", arg, msg, tt.arg, tt.msg)
			}
		})
	}
}

// has must see in a slot what a boxed value has lost.
func TestHasSlots(t *testing.T) {
	t.Parallel()
	f := byName(t, "has")
	for _, tt := range []struct {
		v    record.Value
		want bool
	}{{record.Value{}, false}, {record.NullValue(), true}, {record.IntValue(0), true}} {
		if got, _, err := f.Fast(nil, []record.Value{tt.v}); err != nil || got.Bool() != tt.want {
			t.Errorf("has(%v) = %v, %v", tt.v.Kind(), got.Bool(), err)
		}
	}
}

// More patterns than the cache holds, from several goroutines: each answer is
// that of its own pattern.
func TestPatternsOfManyGoroutines(t *testing.T) {
	t.Parallel()
	match := byName(t, "regexExtract")
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 600 {
				want := fmt.Sprint((i*7 + g) % 400)
				got, err := match.Call("<"+want+">", "<("+want+")>")
				if err != nil || got != want {
					t.Errorf("pattern %s: %v, %v", want, got, err)
				}
			}
		})
	}
	wg.Wait()
}

// Fast forms neither keep a pattern that lies in a record nor allocate.
func TestFastKeepsNothing(t *testing.T) {
	t.Parallel()
	f := byName(t, "regexMatch")
	pattern := []byte("^ab+$")
	args := []record.Value{record.StringValue("abb"), record.TextValue(pattern)}
	if v, _, err := f.Fast(nil, args); err != nil || !v.Bool() {
		t.Fatalf("= %v, %v", v.Bool(), err)
	}
	copy(pattern, "^xy+$")
	if v, _, err := f.Fast(nil, args); err != nil || v.Bool() {
		t.Fatalf("after the record changed = %v, %v", v.Bool(), err)
	}
	if v, _, err := f.Fast(nil, []record.Value{record.StringValue("abb"), record.StringValue("^ab+$")}); err != nil || !v.Bool() {
		t.Fatalf("the cached pattern = %v, %v", v.Bool(), err)
	}
}

var hot = []struct {
	name string
	args []any
}{
	{"mask", []any{"4111111111111111", 4}},
	{"maskEmail", []any{"jane.doe@example.com"}},
	{"maskCard", []any{"4111 1111 1111 1111"}},
	{"sha256", []any{"customer-4711"}},
	{"hexEncode", []any{"customer-4711"}},
	{"base64Encode", []any{"customer-4711"}},
	{"crc32", []any{"customer-4711"}},
	{"xxhash64", []any{"customer-4711"}},
	{"toInt", []any{"4711"}},
	{"toFloat", []any{"47.11"}},
	{"toBool", []any{"Yes"}},
	{"toString", []any{47.11}},
	{"default", []any{nil, "x"}},
	{"coalesce", []any{nil, nil, "x"}},
	{"has", []any{"x"}},
	{"isString", []any{"x"}},
	{"isEmpty", []any{"x"}},
	{"regexMatch", []any{"order-42", `^order-\d+$`}},
	{"formatTime", []any{time.Unix(1767225600, 0).UTC(), "%Y-%m-%d"}},
	{"uuidv4", nil},
	{"equalFold", []any{"Paid", "paid"}},
	{"isIPv4", []any{"10.0.0.1"}},
}

func slots(t testing.TB, args []any) []record.Value {
	t.Helper()
	out := make([]record.Value, len(args))
	for i, a := range args {
		v, err := record.FromAny(a)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = v
	}
	return out
}

func TestFastAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget")
	}
	for _, h := range hot {
		f, args := byName(t, h.name), slots(t, h.args)
		if f.Fast == nil {
			t.Errorf("%s has no fast form", h.name)
			continue
		}
		dst := make([]byte, 0, limits.ExcerptBytes*8)
		if n := testing.AllocsPerRun(100, func() {
			if _, _, err := f.Fast(dst, args); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations", h.name, n)
		}
	}
}

func BenchmarkFast(b *testing.B) {
	for _, h := range hot {
		f, args := byName(b, h.name), slots(b, h.args)
		b.Run(h.name, func(b *testing.B) {
			b.ReportAllocs()
			dst := make([]byte, 0, 1024)
			for b.Loop() {
				if _, _, err := f.Fast(dst, args); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCall(b *testing.B) {
	for _, h := range hot {
		f := byName(b, h.name)
		b.Run(h.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Call(h.args...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
