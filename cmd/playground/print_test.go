package playground

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine/record"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	object := record.RawJSON([]byte(`{"name":"a\nb","n":[1,2.50,true,null],"o":{"p":{}}}`))
	for _, c := range []struct {
		name  string
		style Style
		v     record.Value
		want  string
	}{
		{"one line", Style{}, object, `{"name":"a\nb","n":[1,2.50,true,null],"o":{"p":{}}}`},
		{"fits", Style{Pretty: true, Width: 80}, object, `{"name": "a\nb", "n": [1, 2.50, true, null], "o": {"p": {}}}`},
		{"does not fit", Style{Pretty: true, Width: 30}, object, "{\n  \"name\": \"a\\nb\",\n  \"n\": [1, 2.50, true, null],\n  \"o\": {\"p\": {}}\n}"},
		{"missing", Style{}, record.Value{}, "null"},
		{"missing, laid out", Style{Pretty: true}, record.Value{}, "null"},
		{"raw text", Style{Raw: true}, record.StringValue("a\n\"b\""), "a\n\"b\""},
		{"raw object", Style{Raw: true}, record.RawJSON([]byte(`{"a": 1}`)), `{"a":1}`},
		{"raw duration", Style{Raw: true}, record.DurationValue(90 * time.Minute), "1h30m0s"},
		{"raw bytes", Style{Raw: true}, record.BytesValue([]byte{'a', 0xff}), "a\xff"},
		{"colours", Style{Color: true}, record.RawJSON([]byte(`{"a":"x"}`)), "{\x1b[34;1m\"a\"\x1b[0m:\x1b[32m\"x\"\x1b[0m}"},
		{"nothing moves the cursor", Style{Pretty: true}, record.StringValue("\x1b[2J\u009b\u202e😀"), "\"\\u001b[2J\\u009b\\u202e😀\""},
		{"a private plane", Style{Pretty: true}, record.StringValue("\U000f0000"), `"\udb80\udc00"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := c.style.Append([]byte("before "), c.v)
			if err != nil || string(got) != "before "+c.want+"\n" {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

// TestLayoutMeansTheSame: however narrow the window, the JSON is the same.
func TestLayoutMeansTheSame(t *testing.T) {
	t.Parallel()
	const text = `{"a":[1,[2,[3,{"b":"` + "long text that is wider than most windows are" + `"}]],[]],"":{"":[{}]},"u":"\u2028"}`
	for width := 1; width < 120; width += 7 {
		got, err := Style{Pretty: true, Width: width}.Append(nil, record.RawJSON([]byte(text)))
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if json.Unmarshal([]byte(text), &a) != nil || json.Unmarshal(got, &b) != nil {
			t.Fatalf("width %d: %s", width, got)
		}
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if string(x) != string(y) {
			t.Errorf("width %d: %s", width, got)
		}
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	rec := func(value string) *Record { return &Record{Value: []byte(value), ValueAs: record.JSON} }
	a := rec(`{"same":1,"changed":{"x":1,"y":[1,2]},"gone":"x","digits":1,"a.b":1}`)
	a.Topic, a.Headers = "in", []record.Header{{Key: "h", Value: []byte("1")}, {Key: "gone", Value: []byte("x")}}
	b := rec(`{"same":1,"changed":{"x":2,"y":[1,3,4]},"digits":1.0,"a.b":2,"new":null}`)
	b.Topic, b.Headers, b.Key, b.KeyAs = "out", []record.Header{{Key: "h", Value: []byte("2")}}, []byte("k"), record.Text
	b.Timestamp, b.HasTimestamp = time.Unix(0, 0).UTC(), true
	got := strings.Join(Style{}.changeLines(Diff(a, b), func(s string) string { return s }), "\n")
	want := `  ~ value.changed.x     1 -> 2
  ~ value.changed.y[1]  2 -> 3
  + value.changed.y[2]  4
  - value.gone          "x"
  ~ value.digits        1 -> 1.0
  ~ value["a.b"]        1 -> 2
  + value.new           null
  + key                 "k"
  ~ headers.h           "1" -> "2"
  - headers.gone        "x"
  ~ topic               "in" -> "out"
  + timestamp           "1970-01-01T00:00:00Z"`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if d := Diff(a, a); len(d) != 0 {
		t.Errorf("a record differs from itself: %v", d)
	}
	if d := Diff(rec(`null`), &Record{ValueAs: record.JSON}); len(d) != 1 || d[0].New.Kind() != record.Missing {
		t.Errorf("a null and a tombstone: %v", d)
	}
}

func TestPlaceOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, err, want, summary string }{
		{"1 + value.n * 2", "cannot multiply string by int: value.n * 2", "value.n * 2", "cannot multiply string by int"},
		{"1 +\n  value.n\n  * 2", "cannot multiply string by int: value.n * 2", "value.n\n  * 2", "cannot multiply string by int"},
		{"value.customer.name", "value.customer is nil, so it has no member name", "value.customer", "value.customer is nil, so it has no member name"},
		{"value.a + value.a", "cannot add: value.a", "", ""},
		{"value.ab + value.a", "cannot: value.a", "value.a", "cannot"},
		{"upper(value.a) + lower(value.b)", "lower: needs text", "lower", "lower: needs text"},
		{"upper(value.a)", "something else", "", ""},
		{"", "x: y", "", ""},
	} {
		offset, length, summary, ok := placeOf(c.text, c.err)
		if ok {
			if got := c.text[offset : offset+length]; got != c.want || summary != c.summary {
				t.Errorf("%q in %q: %q %q", c.err, c.text, got, summary)
			}
		} else if c.want != "" {
			t.Errorf("%q in %q: no place", c.err, c.text)
		}
	}
}
