package protobuf_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/protobuf"
	"github.com/flowrecords/flow/engine/schema"
)

// TestNames: a name that Protobuf does not have is an error that says so, or is
// scrubbed and read back.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want, scrubbed string }{
		{"field", `struct a.M{"a-b" int32}`, `a-b: "a-b" is no name in Protobuf`, "a_b"},
		{"field that begins with a digit", `struct a.M{"1a" int32}`, `"1a" is no name`, "_1a"},
		{"field beyond ASCII", `struct a.M{"ä" int32}`, `"ä" is no name`, "__"},
		{"field within", `struct a.M{x struct{"a b" int32}}`, `x.a b: "a b" is no name`, "a_b"},
		{"message", `struct "a.b-c"{x int32}`, `"b-c" is no name`, "b_c"},
		{"same name in JSON", "struct a.M{foo_bar int32, fooBar int32}", "foo_bar and fooBar have the name fooBar in Protobuf's JSON", ""},
		{"same name when scrubbed", `struct a.M{"a-b" int32, a_b int32}`, `"a-b" is no name`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := schema.Parse(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := protobuf.FromSchema(s, protobuf.FromOptions{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
			m, err := protobuf.FromSchema(s, protobuf.FromOptions{Scrub: true})
			if tt.scrubbed == "" {
				if err == nil {
					t.Errorf("taken:\n%s", m.File.Text())
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if text := m.File.Text(); !strings.Contains(text, tt.scrubbed) {
				t.Errorf("no %s in\n%s", tt.scrubbed, text)
			}
			got, err := protobuf.ToSchema(reprint(t, m))
			if err != nil || !schema.EqualTypes(untagged(got), s) {
				t.Errorf("%v: %s, want %s", err, got, s)
			}
		})
	}
}

// TestEditsThatProtobufCannotHold: what an edit makes and Protobuf has no form
// for leaves the record as typed JSON, with nothing lost.
func TestEditsThatProtobufCannotHold(t *testing.T) {
	t.Parallel()
	p := load(t, "all.proto", "all.All")
	data, err := proto.Marshal(dynamicpb.NewMessage(p.theirs))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		path  record.Path
		value record.Value
		text  string
	}{
		{"a name", record.Path{{Name: "a-b"}}, record.IntValue(1), `"a-b":1`},
		{"a name within", record.Path{{Name: "inner"}, {Name: "ü"}}, record.StringValue("x"), `"ü":"x"`},
		{"a name in JSON", record.Path{{Name: "byName"}}, record.BoolValue(true), `"byName":true`},
		{"a type", record.Path{{Name: "free"}}, record.RawJSON([]byte(`[1,"x"]`)), `"free":[1,"x"]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			proj := record.NewProjection()
			id := proj.Add(tt.path)
			d := record.NewDoc(proj)
			for range 2 { // what the first one found out is remembered
				d.Reset(p.ours, data)
				if err := d.Set(id, tt.value); err != nil {
					t.Fatal(err)
				}
				out, err := d.AppendTo(nil)
				if err != nil {
					t.Fatal(err)
				}
				s := record.SchemaOf(d.Encoding())
				if _, native := d.Encoding().(*protobuf.Encoding); native || s == nil {
					t.Fatalf("written as %s with the schema %v", d.Encoding().Name(), s)
				}
				if !bytes.Contains(out, []byte(tt.text)) {
					t.Errorf("no %s in %s", tt.text, out)
				}
				if s.Field(tt.path[0].Name) == nil {
					t.Errorf("the schema has no %s: %s", tt.path[0].Name, s)
				}
			}
		})
	}
}

// TestTextThatIsNotUTF8: such a value of an edit becomes what it is as typed
// JSON, and is not left out.
func TestTextThatIsNotUTF8(t *testing.T) {
	t.Parallel()
	p := load(t, "all.proto", "all.All")
	proj := record.NewProjection()
	s, fresh := proj.Add(record.Path{{Name: "s"}}), proj.Add(record.Path{{Name: "fresh"}})
	d := record.NewDoc(proj)
	d.Reset(p.ours, nil)
	for _, id := range []record.PathID{s, fresh} {
		if err := d.Set(id, record.StringValue("a\xffb")); err != nil {
			t.Fatal(err)
		}
	}
	out, err := d.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := d.Encoding().AppendJSON(nil, out)
	if err != nil || bytes.Count(text, []byte("a\uFFFDb")) != 2 {
		t.Errorf("%s, %v", text, err)
	}
}

// TestTimesBeyondNanoseconds: 64 bits of nanoseconds hold the years 1678 to
// 2261, and 292 years. Timestamps beyond are kept exactly, in every way that
// they can take; durations beyond are errors.
func TestTimesBeyondNanoseconds(t *testing.T) {
	t.Parallel()
	p := load(t, "all.proto", "all.All")
	at, took := p.theirs.Fields().ByName("at").Number(), p.theirs.Fields().ByName("took").Number()
	field := func(num int, m proto.Message) []byte {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		head := []byte{byte(num<<3 | 2), byte(num >> 4), byte(len(b))}
		if num < 16 {
			head = []byte{byte(num<<3 | 2), byte(len(b))}
		} else {
			head[0] |= 0x80
		}
		return append(head, b...)
	}
	proj := record.NewProjection()
	from, to, dur := proj.Add(record.Path{{Name: "at"}}), proj.Add(record.Path{{Name: "copy"}}), proj.Add(record.Path{{Name: "took"}})
	w, err := p.ours.NewWriter(p.ours.Schema(), protobuf.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		sec  int64
		nsec int32
		want string // empty: an error
	}{
		{-62_135_596_800, 0, "0001-01-01T00:00:00Z"},
		{-62_135_596_800, 1, "0001-01-01T00:00:00.000000001Z"},
		{253_402_300_799, 999_999_999, "9999-12-31T23:59:59.999999999Z"},
		{9_223_372_037, 854_775_807, "2262-04-11T23:47:17.854775807Z"},
		{-9_223_372_038, 1, "1677-09-21T00:12:42.000000001Z"},
		{-62_135_596_801, 0, ""},
		{253_402_300_800, 0, ""},
		{0, -1, ""},
		{0, 1_000_000_000, ""},
		{1<<63 - 1, 0, ""},
		{-1 << 63, 0, ""},
	} {
		data := field(int(at), &timestamppb.Timestamp{Seconds: tt.sec, Nanos: tt.nsec})
		text, err := p.ours.AppendJSON(nil, data)
		d := record.NewDoc(proj)
		d.Reset(p.ours, data)
		v, errGet := d.Get(from)
		if tt.want == "" {
			if err == nil || errGet == nil {
				t.Errorf("%d s and %d ns are %s and %v", tt.sec, tt.nsec, text, v)
			}
			continue
		}
		if err != nil || !bytes.Contains(text, []byte(`"at":"`+tt.want+`"`)) || errGet != nil {
			t.Errorf("%d s and %d ns: %s, %v, %v; want %s", tt.sec, tt.nsec, text, err, errGet, tt.want)
			continue
		}
		again, err := w.Append(nil, text)
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%s became %x, %v; want %x", tt.want, again, err, data)
		}
		if err := d.Set(to, v); err != nil {
			t.Fatal(err)
		}
		out, err := d.AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err = d.Encoding().AppendJSON(nil, out)
		if err != nil || !bytes.Contains(text, []byte(`"copy":"`+tt.want+`"`)) {
			t.Errorf("a copy of %s is %s, %v", tt.want, text, err)
		}
	}
	for _, tt := range []struct {
		sec  int64
		nsec int32
		ok   bool
	}{{9_223_372_035, 999_999_999, true}, {-9_223_372_035, -999_999_999, true}, {9_223_372_037, 0, false}, {-9_223_372_037, 0, false}, {315_576_000_000, 0, false}, {1, -1, false}, {0, 1_000_000_000, false}} {
		data := field(int(took), &durationpb.Duration{Seconds: tt.sec, Nanos: tt.nsec})
		text, err := p.ours.AppendJSON(nil, data)
		d := record.NewDoc(proj)
		d.Reset(p.ours, data)
		v, errGet := d.Get(dur)
		if (err == nil) != tt.ok || (errGet == nil) != tt.ok {
			t.Errorf("%d s and %d ns: %s and %v, %v, %v", tt.sec, tt.nsec, text, v, err, errGet)
		}
		if !tt.ok || err != nil {
			continue
		}
		if again, err := w.Append(nil, text); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%s became %s, %v; want %s", text, hex.EncodeToString(again), err, hex.EncodeToString(data))
		}
	}
}

// TestKeysThatMayBeNull: a map whose keys are texts is an object, also where they
// may be null, which no key of an object is.
func TestKeysThatMayBeNull(t *testing.T) {
	t.Parallel()
	s, err := schema.Parse("struct S{m map<string?, int32>}")
	if err != nil {
		t.Fatal(err)
	}
	m, err := protobuf.FromSchema(s, protobuf.FromOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := protobuf.NewEncoding(m)
	if err != nil {
		t.Fatal(err)
	}
	w, err := e.NewWriter(s, protobuf.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const text = `{"m":{"a":1}}`
	raw, err := w.Append(nil, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := e.AppendJSON(nil, raw); err != nil || string(got) != text || schema.Check(s, got) != nil {
		t.Errorf("%s comes back as %s, %v", text, got, err)
	}
}

// TestObjectsThatAreTimes: Protobuf's own JSON has dates and times of the day as
// objects; what none of the two is, is refused where it is written.
func TestObjectsThatAreTimes(t *testing.T) {
	t.Parallel()
	p := load(t, "all.proto", "all.All")
	tests := []struct{ text, want, why string }{
		{`{"day":{"year":2024,"month":2,"day":29}}`, `"day":"2024-02-29"`, ""},
		{`{"clock":{"hours":23,"minutes":5}}`, `"clock":"23:05:00"`, ""},
		{`{"day":{"month":2,"day":29}}`, "", `day: {"month":2,"day":29} is no google.type.Date`},
		{`{"day":{"year":2023,"month":2,"day":29}}`, "", "is no google.type.Date"},
		{`{"day":{}}`, "", "day: {} is no google.type.Date"},
		{`{"clock":{"hours":25}}`, "", `clock: {"hours":25} is no google.type.TimeOfDay`},
		{`{"clock":{}}`, `"clock":"00:00:00"`, ""},
	}
	for _, tt := range tests {
		for _, lenient := range []bool{false, true} {
			w, err := p.ours.NewWriter(nil, protobuf.WriterOptions{Lenient: lenient})
			if err != nil {
				t.Fatal(err)
			}
			raw, err := w.Append([]byte("before"), []byte(tt.text))
			if tt.why != "" {
				if err == nil || !strings.Contains(err.Error(), tt.why) {
					t.Errorf("%s: %v, want %s", tt.text, err, tt.why)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", tt.text, err)
				continue
			}
			if got, err := p.ours.AppendJSON(nil, raw[len("before"):]); err != nil || !strings.Contains(string(got), tt.want) {
				t.Errorf("%s is %s, %v", tt.text, got, err)
			}
		}
	}
}
