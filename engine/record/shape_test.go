package record

import (
	"bytes"
	"fmt"
	"testing"
)

// TestLearntShapes reads texts with a Doc that has learnt the shape of a
// similar one, and compares it with a Doc that has not: every prefix, and every
// byte replaced by each of those that mean something.
func TestLearntShapes(t *testing.T) {
	t.Parallel()
	p := NewProjection()
	var ids []PathID
	for _, path := range []Path{
		{{Name: "a"}}, {{Name: "name_of_16_bytes"}}, {{Name: "name_13_bytes"}}, {{Name: "name_14_bytes_"}}, {{Name: "é"}}, {{Name: "n"}},
		{{Name: "o"}, {Name: "x"}}, {{Name: "l"}, {Index: 0, IsIndex: true}}, {{Name: "l"}, {Index: -1, IsIndex: true}, {Name: "k"}},
	} {
		ids = append(ids, p.Add(path))
	}
	look := func(d *Doc, text []byte) string {
		d.Reset(JSON, text)
		if err := d.Check(); err != nil {
			return err.Error()
		}
		out := ""
		for _, id := range ids {
			v, err := d.Get(id)
			b, _ := v.AppendJSON(nil)
			out += fmt.Sprintf("%d %s %v;", v.Kind(), b, err)
		}
		return out
	}
	for _, text := range []string{
		`{"a":"plain","n":12.50,"o":{"x":1,"y":"text of some length"},"l":[1,{"k":2}],"name_of_16_bytes":"v"}`,
		`{"a":"é김치","é":"x\ny","n":-1.5e3,"name_13_bytes":7}`,
		`{"name_14_bytes_":1,"a":true,"n":null}`,
		`{ "a" : "spaced" , "n" : 1 , "o" : { "x" : 2 } }`,
		"{\"a\":\"b\",\n \"n\":10,\n \"o\": {}}",
		`{"a":1,"a":"twice","n":0,"n":0.25}`,
		`{"name_13_bytes":5}`,
		`{"name_14_bytes_":5}`,
		`{"name_of_16_bytes":5,"n":6}`,
	} {
		learnt := NewDoc(p)
		try := func(b []byte) {
			for range 2 {
				look(learnt, []byte(text))
			}
			// The text ends where its memory ends.
			b = bytes.Clone(b)
			if got, want := look(learnt, b[:len(b):len(b)]), look(NewDoc(p), b); got != want {
				t.Fatalf("%q after %q\n got %s\nwant %s", b, text, got, want)
			}
		}
		for i := range len(text) + 1 {
			try([]byte(text[:i]))
			for _, c := range []byte("\"\\{}[]:,. 0159-+eEtn\n\x00\x1f\x7f\x80\xc3\xff") {
				if i < len(text) {
					b := []byte(text)
					b[i] = c
					try(b)
				}
				try([]byte(text[:i] + string(rune(c)) + text[i:]))
				try([]byte(text + text[:i] + string([]byte{c})))
			}
		}
	}
}
