package jsontext_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/internal/jsontext"
)

var texts = []string{
	`null`, ` true `, `false`, `0`, `-0.5e+3`, `01`, `1.`, `.5`, `-`, `1e`, `"a\n\u00e9\ud83d\ude00"`, `"\ud83d"`, `"\x"`, "\"\x01\"", "\"\xff\"",
	`{"a":[1,{"b":null}],"c":"d"}`, `{"a":1,}`, `[1,]`, `[,1]`, `{"a"}`, `{"a":}`, `{1:2}`, `[1 2]`, `{} {}`, ``, ` `, `tru`, `nul`, `"a`, `[`, `{"a":1`, "\v1", "[1]\x00",
}

func read(text []byte) error {
	c := jsontext.New(text)
	if err := c.Skip(); err != nil {
		return err
	}
	return c.End()
}

// FuzzSkip compares with encoding/json, which takes bad UTF-8 besides, and has
// another limit of depth.
func FuzzSkip(f *testing.F) {
	for _, t := range texts {
		f.Add([]byte(t))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		err := read(text)
		valid := json.Valid(text) && utf8.Valid(text)
		if err == nil && !valid {
			t.Fatalf("took %q", text)
		}
		if err != nil && valid && bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) < 500 {
			t.Fatalf("refused %q: %v", text, err)
		}
		if err != nil {
			return
		}
		var want bytes.Buffer
		if json.Compact(&want, text) != nil || want.String() != string(jsontext.AppendCompact(nil, text)) {
			t.Errorf("%q is compact %q", text, jsontext.AppendCompact(nil, text))
		}
		c := jsontext.New(text)
		if c.Peek() != '"' {
			return
		}
		got, err := c.Text()
		var s string
		if json.Unmarshal(text, &s) != nil || err != nil || s != got {
			t.Errorf("%q read as %q, %v", text, got, err)
		}
		quoted := jsontext.AppendQuoted(nil, got)
		if json.Unmarshal(quoted, &s) != nil || s != got {
			t.Errorf("%q written as %q", got, quoted)
		}
	})
}

func TestDepth(t *testing.T) {
	t.Parallel()
	if err := read(bytes.Repeat([]byte("["), 1<<20)); err == nil || err.Error() != "nested deeper than 512 at byte 512" {
		t.Errorf("got %v", err)
	}
}

func TestMembersInAnyOrder(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b", "c"}
	for _, c := range []struct{ in, want string }{
		{`{"a":1,"b":2,"c":3}`, "1 2 3 "},
		{`{"c":3,"a":1}`, "1 - 3 "},
		{`{"a":1,"x":[9],"a":4,"c":{"z":0}}`, `4 - {"z":0} `},
		{`{}`, "- - - "},
		{`{"b":2,"c":3,"b":5}`, "- 5 3 "},
	} {
		cur := jsontext.New([]byte(c.in))
		got, err := cur.Members(nil, 3, func(name []byte, _ int) (int, error) {
			for i, n := range names {
				if n == string(name) {
					return i, nil
				}
			}
			return -1, nil
		}, func(dst []byte, _ int, v *jsontext.Cursor) ([]byte, error) {
			if v == nil {
				return append(dst, "- "...), nil
			}
			raw, err := v.Raw()
			return append(append(dst, raw...), ' '), err
		})
		if err != nil || string(got) != c.want || cur.End() != nil {
			t.Errorf("%s: got %q, %v, want %q", c.in, got, err, c.want)
		}
	}
}
