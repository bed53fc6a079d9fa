package connectjson_test

import (
	"testing"
	"time"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/connectjson"
	"github.com/flowrecords/flow/engine/schema"
)

const (
	allType = "struct{n int64, u uint64, f float32, s string, b bytes, d decimal(9,2), day date, at timestamp(us), t time(ms), for duration(ms)?, any any, in struct{x int8, y string?}?, " +
		"un union{i int8, s string}, list array<int16>, m map<string, int32>, k map<int32, bool>}"
	allPayload = `{"n":-5,"u":18446744073709551615,"f":0.5,"s":"a\nb","b":"AP8=","d":12.30,"day":20000,"at":-1,"t":1000,"for":null,"any":"{\"p\":[1,2]}","in":{"x":1,"y":null},` +
		`"un":{"i":null,"s":"x"},"list":[1,2,3],"m":{"k":1,"é":2,"k":3},"k":[[1,true]]}`
)

func docOf(t *testing.T, paths ...string) (*record.Doc, []record.PathID) {
	t.Helper()
	s, err := schema.Parse(allType)
	if err != nil {
		t.Fatal(err)
	}
	p := record.NewProjection()
	var ids []record.PathID
	for _, text := range paths {
		path, err := record.ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.Add(path))
	}
	d := record.NewDoc(p)
	d.Reset(connectjson.Of(s, true), []byte(allPayload))
	return d, ids
}

// TestRead: what is a number or text in the payload is read as what it means.
func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path string
		kind record.Kind
		want string
	}{
		{"n", record.Int, "-5"}, {"u", record.Float, "18446744073709551615"}, {"f", record.Float, "0.5"}, {"s", record.String, `"a\nb"`}, {"b", record.Bytes, `"AP8="`},
		{"d", record.Float, "12.30"}, {"day", record.Time, `"2024-10-04T00:00:00Z"`}, {"at", record.Time, `"1969-12-31T23:59:59.999999Z"`}, {"t", record.Duration, `"1s"`},
		{"for", record.Null, "null"}, {"any", record.Object, `{"p":[1,2]}`}, {"any.p[1]", record.Int, "2"}, {"in", record.Object, `{"x":1,"y":null}`}, {"in.x", record.Int, "1"},
		{"in.y", record.Null, "null"}, {"un", record.Object, `{"s":"x"}`}, {"un.s", record.String, `"x"`}, {"un.i", record.Missing, "null"}, {"list[-1]", record.Int, "3"},
		{"list[3]", record.Missing, "null"}, {"m.k", record.Int, "3"}, {"m.é", record.Int, "2"}, {"m.z", record.Missing, "null"}, {"k", record.Array, "[[1,true]]"}, {"k[0][1]", record.Bool, "true"},
		{"nowhere", record.Missing, "null"},
	}
	paths := make([]string, len(tests))
	for i := range tests {
		paths[i] = tests[i].path
	}
	d, ids := docOf(t, paths...)
	for i, tt := range tests {
		v, err := d.Get(ids[i])
		if err != nil || v.Kind() != tt.kind {
			t.Errorf("%s: %s %v, %v, want %s", tt.path, v.Kind(), v, err, tt.kind)
			continue
		}
		if v.Kind() == record.Missing {
			continue
		}
		if got, err := v.AppendJSON(nil); err != nil || string(got) != tt.want {
			t.Errorf("%s: %s, %v, want %s", tt.path, got, err, tt.want)
		}
	}
}

// TestEdit: edits stand in the payload as Connect writes them, and the rest of it
// stays as it was.
func TestEdit(t *testing.T) {
	t.Parallel()
	d, ids := docOf(t, "n", "at", "s", "in.z", "b", "m", "un", "total", "f")
	long := record.IntValue(1 << 60)
	for i, v := range []record.Value{
		record.IntValue(7), record.TimeValue(time.Unix(1, 5000).UTC()), record.StringValue("é\""), record.BoolValue(true), record.BytesValue([]byte("x")),
		{}, record.RawJSON([]byte(`{"i":5}`)), record.DurationValue(time.Second),
	} {
		if err := d.Set(ids[i], v); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.SetAs(ids[8], long, schema.New(schema.Float32)); err != nil {
		t.Fatal(err)
	}
	got, err := d.AppendTo(nil)
	const want = `{"n":7,"u":18446744073709551615,"f":1152921504606846976,"s":"é\"","b":"eA==","d":12.30,"day":20000,"at":1000005,"t":1000,"for":null,"any":"{\"p\":[1,2]}","in":{"x":1,"y":null,"z":true},` +
		`"un":{"i":5,"s":null},"list":[1,2,3],"k":[[1,true]],"total":1000000000}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	if _, ok := d.Encoding().(*connectjson.Encoding); !ok {
		t.Errorf("the payload has become %s", d.Encoding().Name())
	}
}

// TestOtherForms: only the one form of a payload is taken.
func TestOtherForms(t *testing.T) {
	t.Parallel()
	s, err := schema.Parse("struct{a int8, b decimal(4,1)? = 1.5}")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		in  string
		err string
	}{
		{`{"a":1,"b":2.0}`, ""},
		{`{"a":1,"b":null}`, ""},
		{`{"a":1,"b":2}`, "a payload in another form than flow keeps it in"},
		{`{"a":1}`, "a payload in another form than flow keeps it in"},
		{`{"b":2.0,"a":1}`, "a payload in another form than flow keeps it in"},
		{`{"a": 1,"b":2.0}`, "a payload in another form than flow keeps it in"},
		{`{"a":1,"b":"FA=="}`, "a payload in another form than flow keeps it in"},
		{`{"a":300,"b":2.0}`, "a: 300 is not of type int8: out of range"},
		{`{"a":1,"b":2.0`, "unexpected end of the text where a comma or the end is expected at byte 14"},
	} {
		d := record.NewDoc(record.NewProjection())
		d.Reset(connectjson.Of(s, true), []byte(c.in))
		if err := d.Check(); (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("%s: %v, want %s", c.in, err, c.err)
		}
	}
}
