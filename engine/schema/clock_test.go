package schema_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine/schema"
)

func TestClockAgreesWithPackageTime(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		at := time.Unix(r.Int64N(253402300799+62135596800)-62135596800, r.Int64N(1e9)).UTC()
		want := at.Format("2006-01-02T15:04:05.999999999Z07:00")
		got := string(schema.AppendTimestamp(nil, at.Unix(), at.Nanosecond(), false))
		if got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		if sec, nsec, ok := schema.ParseTimestamp([]byte(got), false); !ok || sec != at.Unix() || nsec != at.Nanosecond() {
			t.Fatalf("%s: read as %d %d %v", got, sec, nsec, ok)
		}
	}
}

func TestClockOfAllNumbers(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		u := schema.Unit(r.IntN(3)) // seconds have numbers without a year
		n := int64(r.Uint64()) >> r.IntN(64)
		sec, nsec := u.Split(n)
		text := schema.AppendTimestamp(nil, sec, nsec, true)
		sec, nsec, ok := schema.ParseTimestamp(text, true)
		back, fits := u.Count(sec, nsec)
		if !ok || !fits || back != n {
			t.Fatalf("%d %s: %s came back as %d, %v, %v", n, u, text, back, ok, fits)
		}
	}
	for _, n := range []int64{math.MinInt64, math.MaxInt64, 0, -1} {
		for _, u := range []schema.Unit{schema.Nanosecond, schema.Microsecond, schema.Millisecond, schema.Second} {
			if back, ok := u.Count(u.Split(n)); !ok || back != n {
				t.Errorf("%d %s came back as %d, %v", n, u, back, ok)
			}
		}
	}
	if _, ok := schema.Nanosecond.Count(1<<40, 0); ok {
		t.Error("counted what does not fit")
	}
	if _, ok := schema.Millisecond.Count(1, 1); ok {
		t.Error("counted a part of a unit")
	}
}

func TestBadClocks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typ, text string }{
		{"date", "2023-02-29"}, {"date", "2023-13-01"}, {"date", "2023-00-01"}, {"date", "23-01-01"}, {"date", "10000-01-01"},
		{"date", "2023-01-01T"}, {"date", ""}, {"date", "+999999999-01-01"}, {"date", "2023-04-31"}, {"date", "1900-02-29"},
		{"time", "24:00:01"}, {"time", "23:60:00"}, {"time", "1:00:00"}, {"time", "12:00"}, {"time", "12:00:00."}, {"time", "12:00:00.1234567890"},
		{"time(ms)", "12:00:00.1234"}, {"timestamp", "2023-01-01T00:00:00"}, {"timestamp", "2023-01-01"}, {"timestamp", "2023-01-01T24:00:00Z"},
		{"timestamp", "2023-01-01T00:00:00+25:00"}, {"timestamp(s)", "2023-01-01T00:00:00.5Z"}, {"timestamp", "2500-01-01T00:00:00Z"},
		{"local_timestamp", "2023-01-01T00:00:00Z"}, {"duration", "5"}, {"duration(ms)", "1us"}, {"duration", "1d"},
		{"uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf"}, {"uuid", "f81d4fae_7dec_11d0_a765_00a0c91e6bf6"}, {"bytes", "AB=="}, {"bytes", "A==="}, {"bytes", "QQ"}, {"bytes(2)", "QQ=="},
	} {
		s := parse(t, c.typ)
		if err := schema.CheckText(s, []byte(c.text)); err == nil {
			t.Errorf("%s took %q", c.typ, c.text)
		}
	}
}

func TestUnscaled(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		n := new(big.Int)
		for range 1 + r.IntN(5) {
			n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(r.Uint64()>>r.IntN(64)))
		}
		if r.IntN(2) == 0 {
			n.Neg(n)
		}
		scale := r.IntN(40) - 10
		raw := schema.AppendBigInt(nil, n)
		text, err := schema.AppendDecimal(nil, raw, scale)
		if err != nil {
			t.Fatal(err)
		}
		value, ok := new(big.Rat).SetString(string(text))
		want := new(big.Rat).SetInt(n)
		ten := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(scale, -scale))), nil))
		if scale > 0 {
			want.Quo(want, ten)
		} else {
			want.Mul(want, ten)
		}
		if !ok || value.Cmp(want) != 0 || strings.ContainsAny(string(text), "eE") {
			t.Fatalf("%s of scale %d is %s", n, scale, text)
		}
		if back, err := schema.AppendUnscaled(nil, text, scale); err != nil || string(back) != string(raw) {
			t.Fatalf("%s of scale %d: %x, %v, want %x", text, scale, back, err, raw)
		}
	}
	for _, c := range []struct {
		text  string
		scale int
		want  string
	}{
		{"0", 2, "\x00"}, {"-0.00", 2, "\x00"}, {"1e3", 0, "\x03\xe8"}, {"1.5e1", 0, "\x0f"}, {"0.001e3", 0, "\x01"}, {"128", 0, "\x00\x80"},
		{"-128", 0, "\x80"}, {"-129", 0, "\xff\x7f"}, {"500", -2, "\x05"}, {"1.10", 1, "\x0b"}, {"100e-2", 0, "\x01"},
	} {
		if got, err := schema.AppendUnscaled(nil, []byte(c.text), c.scale); err != nil || string(got) != c.want {
			t.Errorf("%s of scale %d: %x, %v, want %x", c.text, c.scale, got, err, c.want)
		}
	}
	for _, c := range []struct {
		text  string
		scale int
	}{{"0.001", 2}, {"150", -2}, {"1e999999999999", 0}, {"1e200000", 0}, {"1e-300000", 5}} {
		if got, err := schema.AppendUnscaled(nil, []byte(c.text), c.scale); err == nil {
			t.Errorf("%s of scale %d: %x", c.text, c.scale, got)
		}
	}
	if _, err := schema.AppendDecimal(nil, make([]byte, 1<<17), 0); err == nil {
		t.Error("took a decimal without end")
	}
}

// TestEachDay: the text of each day of 10000 years is that of package time, and
// is read as the same day.
func TestEachDay(t *testing.T) {
	t.Parallel()
	at := time.Date(0, time.January, 1, 0, 0, 0, 0, time.UTC)
	var got, want []byte
	for days := at.Unix() / 86400; at.Year() < 10000; days++ {
		got, want = schema.AppendDate(got[:0], days), at.AppendFormat(want[:0], time.DateOnly)
		if back, ok := schema.ParseDate(got); string(got) != string(want) || !ok || back != days {
			t.Fatalf("day %d is %s, not %s, and is read as %d, %v", days, got, want, back, ok)
		}
		at = at.AddDate(0, 0, 1)
	}
}
