package funcs_test

import (
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/dsl/expr/funcs"
	"github.com/flowrecords/flow/engine/record"
)

// oddities are arguments that find trouble: the bounds of each kind, texts of
// every format that a function reads, and what the expression language makes
// besides a record's own types.
func oddities() []any {
	deep := any("x")
	for range 600 {
		deep = []any{map[string]any{"a": deep}}
	}
	zone := time.FixedZone("", -3*3600)
	return []any{
		nil, true, false, 0, 1, -1, 2, 16, 24, math.MaxInt, math.MinInt, 1 << 53, 62135596801,
		0.0, math.Copysign(0, -1), 1.5, -2.5, 1e300, -1e300, 5e-324, 1.005, 1e18, math.NaN(), math.Inf(1), math.Inf(-1), float64(1 << 62), 9.3e18,
		"", " ", "a", "ab", "é", "日本語", "\x00", "\xff", "a\xffb", "\u202e", strings.Repeat("é", 70), strings.Repeat("9", 400),
		"42", "-0", "+7", "1e400", "0x1p-2", "12345678901234567890", "3.0", "true", "Off", "NaN", "1_000",
		"$1", "${1}x", "${", "$$", "(", "(a)(?P<n>b)?", "a*", `\d+`, "(x{1000}){1000}", "^$",
		"%Y-%m-%d %H:%M:%S.%f %z", "%", "%q", "%j %Y", "%I %p", "%G-%V", "2006-01-02", "rfc3339", "rfc1123", "unixNano", "unix", "yyyy-MM-dd", "%s",
		"2026-02-30", "2026-03-01T12:30:00+02:00", "Sat, 28 Feb 2026 10:00:00 CET", "1767225600.5", "-1.5", "24:00:00", "9999-12-31",
		"Europe/Berlin", "UTC", "+02:00", "-99", "Local", "../etc/passwd", "day", "week", "quarter", "ns", "h", "iso", "go",
		"1h30m", "P1DT2H", "PT", "P", "-PT0.5S", "106751d", "9223372036854775807ns", "1.5.5s", ".", "1d",
		`{"a":[1,{"b":null}]}`, `[1e999]`, "[", strings.Repeat("[", 600), `"\ud800"`,
		"http://u:p@h:99999/p?x=%zz", "https://jo@example.com:8443/a?x=1&x=2#f", "mailto:a@b", "%zz", "a=1;b", "?a=1&a=2", "://",
		`a=1 b="x\"y" c`, `a="`, `"`, "=x", ",", ";", "\n", "\t", `"a, b",c`, "a\nb", `a"b`,
		"10.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0", "10.0.0.0/8", "::/0", "10.0.0.0/33", "a@b", "@", "é@x", "4111 1111 1111 1111",
		"sha256", "crc", "dns", "019b76da-a800-7000-bab0-c1d2e3f40516", "snakeCase", "HTTPServer2Id", "items[0].a", `["x"`, "a.b", "a..b",
		[]byte(nil), []byte{}, []byte("abc"), []byte{0xff, 0},
		time.Time{}, time.Unix(0, 0).UTC(), time.Date(2026, 5, 20, 10, 47, 31, 5, zone), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(292277026596, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Duration(0), time.Second, -time.Hour, time.Duration(math.MinInt64), time.Duration(math.MaxInt64),
		[]any{}, []any{1, 1.0, "1", nil, []any{2}, map[string]any{"key": "k", "value": 1}}, []any{"a", "b"}, []any{"10.0.0.0/8"},
		[]int{1, 2, 3}, []string{"a", "é"}, []float64{1.5}, []string(nil),
		map[string]any{}, map[string]any{"a": 1, "a.b": 2, "b": map[string]any{"c": nil}, "": "x"}, map[string]any{"aB": 1, "a_b": 2},
		map[string]any{"a": "b", "c": 7}, map[string]string{"a": "b"}, map[any]any{"a": 1}, map[any]any{1: 2}, map[any][]any{"x": {1}},
		int64(7), uint8(200), uint64(math.MaxUint64), int32(-1), float32(0.5), time.March, time.Sunday, deep,
	}
}

// plain reports whether v has only the types that a record's values have, so
// that boxing and unboxing it changes nothing.
func plain(v any) bool {
	switch x := v.(type) {
	case nil, bool, int, string, time.Duration:
		return true
	case float64:
		return true
	case []byte:
		return x != nil
	case time.Time:
		return x.Year() >= 0 && x.Year() <= 9999
	case []any:
		for _, e := range x {
			if !plain(e) {
				return false
			}
		}
		return true
	case map[string]any:
		for _, e := range x {
			if !plain(e) {
				return false
			}
		}
		return true
	}
	return false
}

// check calls f with args and holds it to its contract: no panic (the caller
// would see it), a result of the type that the checker was promised, a result
// that a record can hold if the arguments are such, an error that names the
// function, and a fast form that agrees.
func check(t *testing.T, f funcs.Func, args []any) {
	t.Helper()
	got, err := f.Call(args...)
	if f.Check != nil {
		if i, msg := f.Check(args); (i >= 0) != (msg != "") || i >= len(args) {
			t.Fatalf("%s(%.200v): Check = %d, %q", f.Name, args, i, msg)
		}
	}
	if err != nil {
		if !strings.HasPrefix(err.Error(), f.Name+": ") {
			t.Fatalf("%s(%.200v): the error does not name the function: %v", f.Name, args, err)
		}
		if len(err.Error()) > 2000 && f.Name != "throw" && f.Name != "assert" {
			t.Fatalf("%s: an error of %d bytes", f.Name, len(err.Error()))
		}
	} else {
		want := reflect.TypeOf(f.Types[0]).Elem().Out(0)
		if want.Kind() != reflect.Interface && reflect.TypeOf(got) != want {
			t.Fatalf("%s(%.200v) is %T, the checker expects %s", f.Name, args, got, want)
		}
		allPlain := true
		for _, a := range args {
			allPlain = allPlain && plain(a)
		}
		if _, boxErr := record.FromAny(got); boxErr != nil && allPlain && !strings.Contains(boxErr.Error(), "nested deeper") {
			t.Fatalf("%s(%.200v): %v", f.Name, args, boxErr)
		}
	}
	compareFast(t, f, args, got, err)
}

func compareFast(t *testing.T, f funcs.Func, args []any, want any, wantErr error) {
	t.Helper()
	// Boxed, a null and a missing value are the same, which has is there to
	// tell apart; a fresh UUID is never the same twice.
	if f.Fast == nil || f.Name == "has" || f.Group == "Identifiers" && !f.Pure {
		return
	}
	slots := make([]record.Value, len(args))
	for i, a := range args {
		v, err := record.FromAny(a)
		if err != nil || !plain(a) {
			return
		}
		slots[i] = v
	}
	prefix := []byte("what was there")
	got, dst, err := f.Fast(prefix, slots)
	if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
		t.Fatalf("%s(%.200v): the fast form says %v, the other %v", f.Name, args, err, wantErr)
	}
	if string(dst[:len(prefix)]) != "what was there" {
		t.Fatalf("%s: the fast form changed what it did not append", f.Name)
	}
	if err != nil {
		return
	}
	boxed, err := record.FromAny(want)
	if err != nil {
		return
	}
	if boxed.Kind() != got.Kind() {
		t.Fatalf("%s(%.200v): the fast form gives %v, the other %v", f.Name, args, got.Kind(), boxed.Kind())
	}
	a, errA := got.AppendJSON(nil)
	b, errB := boxed.AppendJSON(nil)
	if string(a) != string(b) || (errA == nil) != (errB == nil) {
		t.Fatalf("%s(%.200v): the fast form gives %s, the other %s", f.Name, args, a, b)
	}
}

// Every function with every oddity as its first argument, and with pairs and
// triples of them.
func TestOddArguments(t *testing.T) {
	t.Parallel()
	odd := oddities()
	step := 50
	if raceEnabled {
		step = 250
	}
	for _, f := range fixed() {
		if f.Builtin {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			check(t, f, nil)
			for i, a := range odd {
				check(t, f, []any{a})
				// Each argument meets a few of the others, not the same
				// ones in each function; the fuzz target tries the rest.
				for j := (i + len(f.Name)) % step; j < len(odd); j += step {
					b := odd[j]
					check(t, f, []any{a, b})
					check(t, f, []any{a, b, odd[(i*31+j*17)%len(odd)]})
				}
			}
		})
	}
}

func FuzzFunctions(f *testing.F) {
	all := fixed()
	odd := oddities()
	f.Add(uint16(0), uint8(1), uint8(2), uint8(3), "text", int64(3), 1.5)
	for i := range all {
		f.Add(uint16(i), uint8(250), uint8(251), uint8(252), "2026-03-01 a@b.c 10.0.0.1", int64(i), 0.5)
	}
	f.Fuzz(func(t *testing.T, which uint16, a, b, c uint8, text string, n int64, x float64) {
		fn := all[int(which)%len(all)]
		if fn.Builtin {
			return
		}
		pick := func(k uint8) any {
			switch {
			case k >= 254:
				return text
			case k == 253:
				return int(n)
			case k == 252:
				return x
			case k == 251:
				return []byte(text)
			case k == 250:
				return time.Unix(n%1e11, n%1e9).UTC()
			case k == 249:
				return time.Duration(n)
			case k == 248:
				return []any{text, int(n), x}
			case k == 247:
				return map[string]any{text: int(n), "a": text}
			}
			return odd[int(k)%len(odd)]
		}
		args := []any{pick(a), pick(b), pick(c)}
		for k := range len(args) + 1 {
			check(t, fn, args[:k])
		}
	})
}

func TestRandomnessFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("no more")
	for _, f := range funcs.New(funcs.Library{
		Now: time.Now, Rand: brokenReader{broken}, Hostname: func() (string, error) { return "", broken },
	}) {
		args := map[string][]any{"uuidv4": {}, "uuidv7": {}, "randomFloat": {}, "hostname": {}, "randomInt": {1, 6}}[f.Name]
		if args == nil {
			continue
		}
		if _, err := f.Call(args...); !errors.Is(err, broken) {
			t.Errorf("%s: error = %v", f.Name, err)
		}
	}
}

type brokenReader struct{ err error }

func (r brokenReader) Read([]byte) (int, error) { return 0, r.err }

var _ io.Reader = brokenReader{}
