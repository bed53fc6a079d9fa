package parquetfile

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/schema"
)

// everyType is a schema with all that Parquet carries.
func everyType(t testing.TB) *schema.Schema {
	t.Helper()
	opt := func(s *schema.Schema) *schema.Schema { return s.AsOptional() }
	point := schema.NewStruct("geo.Point", schema.F("x", schema.New(schema.Float64)), schema.F("y", opt(schema.New(schema.Float32))))
	fixed := &schema.Schema{Type: schema.Bytes, Size: 3, Name: "geo.Code"}
	list := []*schema.Schema{
		schema.New(schema.Bool), schema.New(schema.Int8), schema.New(schema.Int16), schema.New(schema.Int32), schema.New(schema.Int64),
		schema.New(schema.Uint8), schema.New(schema.Uint16), schema.New(schema.Uint32), schema.New(schema.Uint64),
		schema.New(schema.Float32), schema.New(schema.Float64), schema.New(schema.String), schema.New(schema.Bytes), fixed,
		schema.NewDecimal(9, 2), schema.NewDecimal(18, 4), schema.NewDecimal(38, 10), schema.NewDecimal(76, 0), schema.NewDecimal(0, 3),
		schema.New(schema.Date),
		schema.NewTime(schema.Time, schema.Second), schema.NewTime(schema.Time, schema.Millisecond), schema.NewTime(schema.Time, schema.Microsecond), schema.NewTime(schema.Time, schema.Nanosecond),
		schema.NewTime(schema.Timestamp, schema.Second), schema.NewTime(schema.Timestamp, schema.Millisecond), schema.NewTime(schema.Timestamp, schema.Microsecond), schema.NewTime(schema.Timestamp, schema.Nanosecond),
		schema.NewTime(schema.LocalTimestamp, schema.Millisecond), schema.NewTime(schema.LocalTimestamp, schema.Microsecond), schema.NewTime(schema.LocalTimestamp, schema.Nanosecond),
		schema.NewTime(schema.Duration, schema.Nanosecond), schema.NewTime(schema.Duration, schema.Second),
		schema.New(schema.UUID), schema.NewEnum("geo.Color", "RED", "GREEN"),
		schema.NewArray(schema.New(schema.Int32)), schema.NewArray(opt(schema.New(schema.String))), schema.NewArray(schema.NewArray(opt(point))),
		schema.NewMap(schema.New(schema.String), opt(schema.New(schema.Int64))), schema.NewMap(schema.New(schema.Int32), schema.NewArray(schema.New(schema.String))),
		point,
	}
	s := schema.NewStruct("shop.All", schema.F("z", schema.New(schema.Int64)))
	for i, e := range list {
		name := string(rune('a'+i/26)) + string(rune('a'+i%26))
		s.Fields = append(s.Fields, schema.Field{Name: name, Schema: e, Doc: "of " + name, Tag: i + 1}, schema.Field{Name: name + "_o", Schema: opt(e), Aliases: []string{name + "x"}})
	}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	return s
}

// samples are values of each field of everyType, in its order; each list is
// used in turn.
var samples = map[string][]string{
	"aa": {"true", "false"}, "ab": {"-128", "127"}, "ac": {"-32768", "32767"}, "ad": {"-2147483648", "2147483647"},
	"ae": {"-9223372036854775808", "9223372036854775807", "9007199254740993"}, "af": {"0", "255"}, "ag": {"0", "65535"}, "ah": {"0", "4294967295"},
	"ai": {"0", "18446744073709551615"}, "aj": {"1.5", `"NaN"`, `"Infinity"`, "-0.1"}, "ak": {"-1.5e+300", `"-Infinity"`, "0.1", "123456789.125"},
	"al": {`"a"`, `""`, `"ä\"\n€"`}, "am": {`""`, `"AAEC/w=="`}, "an": {`"AAEC"`},
	"ao": {"1234567.89", "-0.01", "0.00"}, "ap": {"-99999999999999.9999", "0.0001"}, "aq": {"1234567890123456789012345678.0123456789", "-0.0000000001"},
	"ar": {"9999999999999999999999999999999999999999999999999999999999999999999999999999", "-1"}, "as": {"12.345"},
	"at": {`"1969-12-31"`, `"2026-02-28"`, `"9999-12-31"`}, "au": {`"23:59:59"`}, "av": {`"00:00:00.001"`}, "aw": {`"12:00:00.000001"`}, "ax": {`"12:00:00.000000001"`},
	"ay": {`"2026-01-02T03:04:05Z"`}, "az": {`"1969-12-31T23:59:59.999Z"`}, "ba": {`"2026-01-02T03:04:05.000006Z"`}, "bb": {`"2026-01-02T03:04:05.123456789Z"`},
	"bc": {`"2026-01-02T03:04:05.001"`}, "bd": {`"0001-01-01T00:00:00"`}, "be": {`"2026-01-02T03:04:05.123456789"`}, "bf": {`"1h2m3.5s"`, `"-1ns"`}, "bg": {`"1h0m0s"`},
	"bh": {`"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"`}, "bi": {`"RED"`, `"GREEN"`},
	"bj": {"[]", "[1]", "[1,2,3]"}, "bk": {"[]", "[null]", `["a",null,"b"]`}, "bl": {"[]", "[[]]", `[[null],[],[{"x":1.5,"y":null},{"x":2.5,"y":3.5}]]`},
	"bm": {"{}", `{"a":1}`, `{"a":null,"b":2}`}, "bn": {"[]", `[[1,[]],[-2,["a","b"]]]`}, "bo": {`{"x":1.5,"y":2.5}`, `{"x":0.5,"y":null}`},
}

// sample is row i.
func sample(t testing.TB, s *schema.Schema, i int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(`{"z":`)
	b.WriteString(strings.Repeat("1", i%5+1))
	for _, f := range s.Fields[1:] {
		name, optional := strings.CutSuffix(f.Name, "_o")
		list := samples[name]
		if len(list) == 0 {
			t.Fatalf("no sample of %s", name)
		}
		b.WriteString(`,"` + f.Name + `":`)
		if optional && i%3 == 0 {
			b.WriteString("null")
		} else {
			b.WriteString(list[i%len(list)])
		}
	}
	b.WriteString("}")
	return b.String()
}

// file writes rows.
func file(t testing.TB, s *schema.Schema, o Options, w WriterOptions, rows ...string) []byte {
	t.Helper()
	p, err := FromSchema(s, o)
	if err != nil {
		t.Fatal(err)
	}
	pk, err := p.NewPacker()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	f, err := NewWriter(&out, p, w)
	if err != nil {
		t.Fatal(err)
	}
	var packed []byte
	for i, row := range rows {
		if packed, err = pk.Append(packed, []byte(row)); err != nil {
			t.Fatalf("row %d: %v", i, err)
		}
		if len(packed) > 1<<16 || i == len(rows)-1 {
			if err := f.Write(packed); err != nil {
				t.Fatal(err)
			}
			packed = packed[:0]
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// rows reads a file.
func rows(t testing.TB, data []byte, from int64) (list []string, s *schema.Schema) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Skip(from); err != nil {
		t.Fatal(err)
	}
	for {
		v, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list, r.Schema().Flow()
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(v))
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	s := everyType(t)
	var want []string
	for i := range 1000 {
		want = append(want, sample(t, s, i))
	}
	for _, codec := range Compressions {
		data := file(t, s, Options{}, WriterOptions{Compression: codec, GroupRows: 300}, want...)
		for _, from := range []int64{0, 1, 299, 300, 777, 1000} {
			got, is := rows(t, data, from)
			if !schema.Equal(is, s) {
				t.Fatalf("%s: the schema is %s", codec, is.Text())
			}
			if len(got) != len(want[from:]) {
				t.Fatalf("%s: %d rows from %d on", codec, len(got), from)
			}
			for i := range got {
				if got[i] != want[int(from)+i] {
					t.Fatalf("%s: row %d is\n%s, want\n%s", codec, int(from)+i, got[i], want[int(from)+i])
				}
			}
		}
	}
}
