package record

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/limits"
)

// docOf returns a Doc over the paths, and their ids.
func docOf(paths ...string) (*Doc, func(string) PathID) {
	p := NewProjection()
	ids := map[string]PathID{"": Root}
	for _, s := range paths {
		ids[s] = p.Add(mustPath(s))
	}
	return NewDoc(p), func(s string) PathID {
		id, ok := ids[s]
		if !ok {
			panic("no path " + s)
		}
		return id
	}
}

// TestEdits runs little programs: "set PATH JSON", "delete PATH", "rename PATH
// PATH", "keep PATH...", and compares the bytes that come out.
func TestEdits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		program  []string
		want     string // err: and a part of the error
	}{
		{"nothing", ` { "a" : 1.0 } `, nil, ` { "a" : 1.0 } `},
		{"set keeps other bytes", "{ \"a\" : 1.0 ,\t\"b\":2 }\r", []string{`set b "x"`}, "{ \"a\" : 1.0 ,\t\"b\":\"x\" }\r"},
		{"set twice", `{"a":1}`, []string{"set a 2", "set a 3"}, `{"a":3}`},
		{"set digits", `{"a":1}`, []string{"set a 100000000000000000000.10"}, `{"a":100000000000000000000.10}`},
		{"new member", `{"a":1}`, []string{"set b 2", "set c 3"}, `{"a":1,"b":2,"c":3}`},
		{"new member of an empty object", `{ }`, []string{"set b 2", "set c 3"}, `{ "b":2,"c":3}`},
		{"new nested", `{"x":1}`, []string{"set a.b 1", "set a.c 2"}, `{"x":1,"a":{"b":1,"c":2}}`},
		{"null gives place", `{"a":null,"x":1}`, []string{"set a.b 1"}, `{"a":{"b":1},"x":1}`},
		{"null text gives place", `null`, []string{"set a.b 1"}, `{"a":{"b":1}}`},
		{"scalar parent", `{"a":5}`, []string{"set a.b 1"}, `err:setting a.b: a is neither an object nor an array`},
		{"scalar root", `5`, []string{"set a 1"}, `err:setting a: the value is neither an object nor an array`},
		{"name below an array", `{"a":[]}`, []string{"set a.b 1"}, `err:setting a.b: a is an array, not an object`},
		{"index below an object", `{"c":{}}`, []string{"set c[0] 1"}, `err:setting c[0]: c is an object, not an array`},
		{"element", `{"c":[1, 2]}`, []string{"set c[0] 9"}, `{"c":[9, 2]}`},
		{"last element", `{"c":[1, 2]}`, []string{"set c[-1] 9"}, `{"c":[1, 9]}`},
		{"element by two names", `{"c":[1]}`, []string{"set c[-1] 9", "set c[0] 8"}, `{"c":[8]}`},
		{"append", `{"c":[1, 2]}`, []string{"set c[2] 3"}, `{"c":[1, 2,3]}`},
		{"append to empty", `{"c":[]}`, []string{"set c[0] 3"}, `{"c":[3]}`},
		{"new array", `{}`, []string{"set c[0] 3"}, `{"c":[3]}`},
		{"beyond the end", `{"c":[1]}`, []string{"set c[2] 3"}, `err:setting c[2]: the array has no element 2`},
		{"before the start", `{"c":[]}`, []string{"set c[-1] 3"}, `err:the array has no element -1`},
		{"beyond a new array", `{}`, []string{"set c[2] 3"}, `err:the array has no element 2`},
		{"delete first", `{"a":1, "b":2, "c":3}`, []string{"delete a"}, `{"b":2, "c":3}`},
		{"delete middle", `{"a":1, "b":2, "c":3}`, []string{"delete b"}, `{"a":1, "c":3}`},
		{"delete last", `{"a":1, "b":2, "c":3 }`, []string{"delete c"}, `{"a":1, "b":2 }`},
		{"delete only", `{ "a":1 }`, []string{"delete a"}, `{  }`},
		{"delete all", `{"a":1,"b":2,"c":3}`, []string{"delete a", "delete b", "delete c"}, `{}`},
		{"delete all backward", `{"a":1,"b":2,"c":3}`, []string{"delete c", "delete b", "delete a"}, `{}`},
		{"delete only, set", `{"a":1}`, []string{"delete a", "set b 1", "set c 2"}, `{"b":1,"c":2}`},
		{"set, delete only", `{"a":1}`, []string{"set b 1", "delete a"}, `{"b":1}`},
		{"delete, set again goes behind", `{"a":1,"b":2}`, []string{"delete a", "set a 3"}, `{"b":2,"a":3}`},
		{"delete parent, set child", `{"a":{"b":1,"c":2},"x":0}`, []string{"delete a", "set a.b 3"}, `{"x":0,"a":{"b":3}}`},
		{"delete what was set", `{"x":0}`, []string{"set a 1", "delete a"}, `{"x":0}`},
		{"delete nothing", `{"x":0}`, []string{"delete a.b", "delete c[0]"}, `{"x":0}`},
		{"delete below a scalar", `{"a":1}`, []string{"delete a.b"}, `{"a":1}`},
		{"delete element", `{"c":[1,2,3]}`, []string{"delete c[0]", "delete c[-1]"}, `{"c":[2]}`},
		{"set parent, then child", `{"a":1}`, []string{`set a {"b":1,"c":[]}`, "set a.b 2"}, `{"a":{"b":2,"c":[]}}`},
		{"set child, then parent", `{"a":{"b":1}}`, []string{"set a.b 2", "set a 3"}, `{"a":3}`},
		{"rename in place", `{"a" : 1, "b":2}`, []string{"rename a x"}, `{"x" : 1, "b":2}`},
		{"rename onto another", `{"a":1,"b":2}`, []string{"rename a b"}, `{"b":1}`},
		{"rename onto an earlier one", `{"a":1,"b":2,"c":3}`, []string{"rename b a"}, `{"a":2,"c":3}`},
		{"rename, then set", `{"a":1,"b":2}`, []string{"rename a x", "set x 5", "set a 6"}, `{"x":5,"b":2,"a":6}`},
		{"rename, then delete", `{"a":1,"b":2}`, []string{"rename a x", "delete x"}, `{"b":2}`},
		{"set, then rename", `{"a":1}`, []string{"set a 7", "rename a x"}, `{"x":7}`},
		{"rename a parent", `{"a":{"b":1},"y":0}`, []string{"rename a x", "set x.b 2"}, `{"x":{"b":2},"y":0}`},
		{"rename elsewhere", `{"a":{"b":1},"y":0}`, []string{"rename a.b x"}, `{"a":{},"y":0,"x":1}`},
		{"rename below itself", `{"a":1}`, []string{"rename a a.b"}, `{"a":{"b":1}}`},
		{"rename above itself", `{"a":{"b":1}}`, []string{"rename a.b a"}, `{"a":1}`},
		{"rename nothing", `{"y":0}`, []string{"rename a x"}, `{"y":0}`},
		{"rename below a scalar", `{"a":1,"x":2}`, []string{"rename x a.b"}, `err:a is neither`},
		{"wrap the whole", `{"y":0}`, []string{"rename  a.b"}, `{"a":{"b":{"y":0}}}`},
		{"unwrap", `{"a":{"b":[1]}}`, []string{"rename a.b "}, `[1]`},
		{"keep", `{"y":0, "a":{"b": 1,"c":2}, "b":{"z":1}, "c":5}`, []string{"keep a.b b"}, `{"a":{"b": 1},"b":{"z":1}}`},
		{"keep elements", `{"c":[{"a":1,"z":2},3,4]}`, []string{"keep c[0].a c[-1]"}, `{"c":[{"a":1},4]}`},
		{"keep and a scalar on the way", `{"a":5,"b":1,"c":"x"}`, []string{"keep a.b c"}, `{"c":"x"}`},
		{"keep and a null on the way", `{"a":null,"c":"x"}`, []string{"keep a.b c"}, `{"c":"x"}`},
		{"keep and scalars in an array on the way", `{"c":[5,{"a":1}]}`, []string{"keep c[0].a c[-1]"}, `{"c":[{"a":1}]}`},
		{"keep and empty containers on the way", `{"a":{"z":1},"c":[1,2]}`, []string{"keep a.b c[0].a"}, `{"a":{},"c":[]}`},
		{"keep a parent and its child", `{"a":5}`, []string{"keep a.b a"}, `{"a":5}`},
		{"keep of an array", `[1]`, []string{"keep a"}, `err:not an object`},
		{"duplicates: set", `{"a":1,"b":2,"a":3,"c":4}`, []string{"set a 5"}, `{"b":2,"a":5,"c":4}`},
		{"duplicates: delete", `{"a":1,"b":2,"a":3,"\u0061":4}`, []string{"delete a"}, `{"b":2}`},
		{"duplicates: rename", `{"a":1,"b":2,"a":3}`, []string{"rename a x"}, `{"b":2,"x":3}`},
		{"duplicates: rename onto", `{"x":1,"b":2,"x":3}`, []string{"rename b x"}, `{"x":2}`},
		{"duplicates of a parent", `{"a":{"b":1},"a":{"c":2}}`, []string{"set a.b 3"}, `{"a":{"b":1},"a":{"c":2,"b":3}}`},
		{"escaped name", `{"\u0061":1}`, []string{"set a 2"}, `{"\u0061":2}`},
		{"line breaks of a set value", `{"a":1}`, []string{"set a {\n\"x\":[1,\r\n2]}"}, `{"a":{"x":[1,2]}}`},
		{"root", `{"a":1}`, []string{`set  {"b":2}`, "set a 3"}, `{"b":2,"a":3}`},
		{"root, unread", `{"a":`, []string{`set  [1]`}, `[1]`},
		{"root null", `{"a":1}`, []string{`set  null`}, `null`},
		{"root deleted", `{"a":1}`, []string{`delete `, "delete a"}, `null`},
		{"root deleted, then member", `{"a":1}`, []string{`delete `, "set b 1"}, `{"b":1}`},
		{"invalid", `{"a":1`, []string{"set a 2"}, `err:invalid JSON: unexpected end after object member at byte 6`},
		{"invalid elsewhere", `{"a":1,"z":01}`, []string{"delete b"}, `err:invalid character '1'`},
		{"too deep", `{"a":1}`, []string{"set a.b.c.d " + strings.Repeat("[", 509) + strings.Repeat("]", 509)}, `err:nested deeper than 512`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, id := docOf("a", "b", "c", "x", "y", "a.b", "a.c", "x.b", "c[0]", "c[2]", "c[-1]", "c[0].a", "a.b.c.d")
			d.Reset(JSON, []byte(tt.in))
			err := runEdits(d, id, tt.program)
			if want, ok := strings.CutPrefix(tt.want, "err:"); ok {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("error %v, want %s", err, want)
				}
				if out, _ := d.AppendTo(nil); string(out) != tt.in {
					t.Fatalf("after the error: %s, want %s", out, tt.in)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			out := []byte("null")
			if !d.IsNull() {
				out, err = d.AppendTo(nil)
			}
			if err != nil || string(out) != tt.want {
				t.Fatalf("got  %s (%v)\nwant %s", out, err, tt.want)
			}
			if string(out) != tt.in && !d.Edited() || len(tt.program) == 0 && d.Edited() {
				t.Errorf("Edited() = %v", d.Edited())
			}
		})
	}
}

func runEdits(d *Doc, id func(string) PathID, program []string) error {
	for _, line := range program {
		op, rest, _ := strings.Cut(line, " ")
		first, second, _ := strings.Cut(rest, " ")
		var err error
		switch op {
		case "set":
			err = d.Set(id(first), RawJSON([]byte(second)))
		case "delete":
			err = d.Delete(id(first))
		case "rename":
			err = d.Rename(id(first), id(second))
		case "keep":
			var ids []PathID
			for _, s := range strings.Fields(rest) {
				ids = append(ids, id(s))
			}
			err = d.Keep(ids)
		default:
			return errors.New("unknown " + op)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// TestReadAfterEdit sees at every path what an edit elsewhere did to it.
func TestReadAfterEdit(t *testing.T) {
	t.Parallel()
	const in = `{"a":{"b":1,"c":"x"},"c":[1,2,3]}`
	tests := []struct {
		program []string
		path    string
		want    string // kind/text
	}{
		{[]string{`set a {"b":7}`}, "a.b", "7"},
		{[]string{`set a {"b":7}`}, "a.c", "missing"},
		{[]string{`set a 7`}, "a.b", "missing"},
		{[]string{`set a.b 7`}, "a", `{"b":7,"c":"x"}`},
		{[]string{`set a.b 7`}, "", `{"a":{"b":7,"c":"x"},"c":[1,2,3]}`},
		{[]string{`set a.b null`}, "a.b", "null"},
		{[]string{`delete a`}, "a.b", "missing"},
		{[]string{`delete a.b`}, "a", `{"c":"x"}`},
		{[]string{`rename a x`}, "x.b", "1"},
		{[]string{`rename a x`}, "a.b", "missing"},
		{[]string{`rename a.b x.b`}, "x", `{"b":1}`},
		{[]string{`delete c[0]`}, "c[0]", "2"},
		{[]string{`delete c[0]`}, "c[2]", "missing"},
		{[]string{`set c[2] 9`}, "c[-1]", "9"},
		{[]string{`set c[-1] 9`}, "c[2]", "9"},
		{[]string{`set c[-1] 9`}, "c", "[1,2,9]"},
		{[]string{`keep a.c`}, "a.b", "missing"},
		{[]string{`keep a.c`}, "a.c", `"x"`},
		{[]string{`delete `}, "", "null"},
		{[]string{`delete `}, "a", "missing"},
		{[]string{`set x "q\"\u00e9\n"`}, "x", `"q\"é\n"`},
	}
	for _, tt := range tests {
		d, id := docOf("a", "b", "c", "x", "y", "a.b", "a.c", "x.b", "c[0]", "c[2]", "c[-1]", "c[0].a")
		d.Reset(JSON, []byte(in))
		if err := runEdits(d, id, tt.program); err != nil {
			t.Fatal(err)
		}
		v, err := d.Get(id(tt.path))
		if err != nil {
			t.Fatal(err)
		}
		got := "missing"
		if v.Kind() != Missing {
			b, err := v.AppendJSON(nil)
			if err != nil {
				t.Fatal(err)
			}
			got = string(b)
		}
		if got != tt.want {
			t.Errorf("after %s: %q is %s, want %s", tt.program, tt.path, got, tt.want)
		}
	}
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		enc  Encoding
		raw  []byte
		set  Value
		want string
		to   Encoding
	}{
		{"text stays text", Text, []byte("abc"), StringValue("a\"\n"), "a\"\n", Text},
		{"text to number", Text, []byte("abc"), IntValue(5), "5", JSON},
		{"text to object", Text, []byte("abc"), RawJSON([]byte(`{"a":1}`)), `{"a":1}`, JSON},
		{"text to bytes", Text, []byte("abc"), BytesValue([]byte{0xff}), "\xff", Opaque},
		{"bytes to text", Opaque, []byte("abc"), StringValue("x"), "x", Text},
		{"bytes stay bytes", Opaque, []byte{0xff}, BytesValue([]byte{0xfe}), "\xfe", Opaque},
		{"json string", JSON, []byte(`1`), StringValue("x"), `"x"`, JSON},
		{"json bytes", JSON, []byte(`1`), BytesValue([]byte("x")), `"eA=="`, JSON},
		{"json tombstone", JSON, nil, StringValue("x"), `"x"`, JSON},
		{"text without bytes", Text, nil, StringValue(""), "", Text},
		{"no encoding", nil, nil, IntValue(1), "1", JSON},
	}
	for _, tt := range tests {
		d, id := docOf("a")
		d.Reset(tt.enc, tt.raw)
		if d.IsNull() != (tt.raw == nil) {
			t.Errorf("%s: IsNull() = %v", tt.name, d.IsNull())
		}
		if err := d.Set(Root, tt.set); err != nil {
			t.Fatal(err)
		}
		out, err := d.AppendTo(nil)
		if err != nil || string(out) != tt.want || d.Encoding() != tt.to || d.IsNull() {
			t.Errorf("%s: %q as %s (%v)", tt.name, out, d.Encoding().Name(), err)
		}
		v, err := d.Get(id("a"))
		if err != nil || tt.name != "text to object" && v.Kind() != Missing {
			t.Errorf("%s: a is %s (%v)", tt.name, v, err)
		}
	}

	d, id := docOf("a")
	for _, enc := range []Encoding{Text, Opaque} {
		d.Reset(enc, []byte("abc"))
		if err := d.Set(id("a"), IntValue(1)); err == nil {
			t.Errorf("a member of %s was set", enc.Name())
		}
		if out, _ := d.AppendTo(nil); string(out) != "abc" || d.Edited() {
			t.Errorf("%s became %s", enc.Name(), out)
		}
		if err := d.Keep([]PathID{id("a")}); err == nil {
			t.Errorf("members of %s were kept", enc.Name())
		}
	}
	d.Reset(Text, []byte("ab\xff"))
	if _, err := d.Get(Root); err == nil || !strings.Contains(err.Error(), "0xff at byte 2") {
		t.Errorf("invalid text: %v", err)
	}
	if out, err := d.AppendTo(nil); err != nil || string(out) != "ab\xff" {
		t.Errorf("unread text: %q (%v)", out, err)
	}
}

func TestNull(t *testing.T) {
	t.Parallel()
	d, id := docOf("a", "a.b")
	d.Reset(JSON, nil)
	for path, want := range map[string]Kind{"": Null, "a": Missing, "a.b": Missing} {
		if v, err := d.Get(id(path)); err != nil || v.Kind() != want {
			t.Errorf("%q is %d (%v)", path, v.Kind(), err)
		}
	}
	if err := d.Keep([]PathID{id("a")}); err != nil || !d.IsNull() {
		t.Errorf("keep: %v", err)
	}
	if _, err := d.AppendTo(nil); err == nil {
		t.Error("a null was written")
	}
	d.Reset(JSON, []byte("null"))
	if d.IsNull() {
		t.Error("the text null is a tombstone before it was edited")
	}
	d.Reset(JSON, []byte{})
	if err := d.Check(); err == nil || d.IsNull() {
		t.Error("an empty record is JSON")
	}
}

func TestGetErrorsStay(t *testing.T) {
	t.Parallel()
	d, id := docOf("a", "b")
	d.Reset(JSON, []byte(`{"a":1,"b":tru}`))
	_, err := d.Get(id("a"))
	var syntax *SyntaxError
	if !errors.As(err, &syntax) || syntax.Offset != 14 {
		t.Fatalf("error %v", err)
	}
	for _, again := range []error{d.Check(), d.Set(id("b"), IntValue(1)), d.Delete(id("b")), d.Rename(id("a"), id("b")), d.Keep(nil)} {
		if again != err {
			t.Errorf("error %v, want the same again", again)
		}
	}
	d.Reset(JSON, []byte(`{"a":1e999,"b":{"c":1e999}}`))
	if _, err := d.Get(id("a")); err == nil {
		t.Error("a number beyond float64 was read")
	}
	if v, err := d.Get(id("b")); err != nil || v.String() != `{"c":1e999}` {
		t.Errorf("b is %s (%v)", v, err)
	}
}

func TestMarkRollback(t *testing.T) {
	t.Parallel()
	d, id := docOf("a", "b", "c")
	d.Reset(JSON, []byte(`{"a":1,"b":2}`))
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(d.Set(id("a"), IntValue(5)))
	d.Mark()
	check(d.Set(id("a"), IntValue(6)))
	check(d.Delete(id("b")))
	check(d.Keep([]PathID{id("a")}))
	d.Rollback()
	v, err := d.Get(id("a"))
	check(err)
	out, err := d.AppendTo(nil)
	check(err)
	if v.Int() != 5 || string(out) != `{"a":5,"b":2}` {
		t.Errorf("a is %s in %s", v, out)
	}
}

// TestManyEdits holds the order of edits beyond what is sorted by insertion.
func TestManyEdits(t *testing.T) {
	t.Parallel()
	var paths []string
	in := []byte{'{'}
	want := []byte{'{'}
	for i := range 100 {
		paths = append(paths, fmt.Sprintf("m%d", i))
		in = fmt.Appendf(in, `"m%d":%d,`, i, i)
		want = fmt.Appendf(want, `"m%d":-%d,`, i, i+1)
	}
	for i := range 100 {
		paths = append(paths, fmt.Sprintf("n%d", i))
		want = fmt.Appendf(want, `"n%d":%d,`, i, i)
	}
	in[len(in)-1], want[len(want)-1] = '}', '}'
	d, id := docOf(paths...)
	d.Reset(JSON, in)
	for i := range 100 {
		if err := d.Set(id(fmt.Sprintf("n%d", i)), IntValue(int64(i))); err != nil {
			t.Fatal(err)
		}
	}
	for i := 99; i >= 0; i-- {
		if err := d.Set(id(fmt.Sprintf("m%d", i)), IntValue(int64(-i-1))); err != nil {
			t.Fatal(err)
		}
	}
	out, err := d.AppendTo(nil)
	if err != nil || !bytes.Equal(out, want) {
		t.Fatalf("got  %s (%v)\nwant %s", out, err, want)
	}
}

func TestNoAllocation(t *testing.T) {
	in := orders()
	d, byName := orderDoc()
	ids := mapIDs(byName)
	mask, out := make([]byte, 0, 16), make([]byte, 0, 1024)
	i := 0
	next := func() {
		out = mapOrder(t, d, ids, mask, in[i%len(in)], out[:0])
		i++
	}
	for range 2 * len(in) {
		next()
	}
	if n := testing.AllocsPerRun(1000, next); n != 0 {
		t.Errorf("%v allocations a record", n)
	}
	if err := ValidateJSON(out); err != nil || !bytes.Contains(out, []byte(`"ccy":"EUR"`)) || bytes.Contains(out, []byte("internal")) {
		t.Errorf("wrote %s (%v)", out, err)
	}
}

// TestShapesAreBounded feeds ever new orders of keys.
func TestShapesAreBounded(t *testing.T) {
	t.Parallel()
	d, id := docOf("want")
	for i := range 20000 {
		raw := fmt.Appendf(nil, `{"k%d":1,"want":%d,"l%d":2}`, i, i, i*7)
		d.Reset(JSON, raw)
		v, err := d.Get(id("want"))
		if err != nil || v.Int() != int64(i) {
			t.Fatalf("record %d: %s (%v)", i, v, err)
		}
	}
	total := 0
	for i := range d.shapes {
		for _, way := range d.shapes[i].ways {
			total += len(way)
		}
	}
	if total == 0 || total > shapeWays*3 {
		t.Errorf("%d keys remembered", total)
	}
	wide := []byte{'{'}
	for i := range 1000 {
		wide = fmt.Appendf(wide, `"k%d":%d,`, i, i)
	}
	wide[len(wide)-1] = '}'
	d.Reset(JSON, wide)
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	if n := len(d.shapes[Root].ways[0]); n > shapeMembers {
		t.Errorf("%d keys remembered of one object", n)
	}
}

func TestGiantRecordIsNotKept(t *testing.T) {
	t.Parallel()
	d, id := docOf("a", "b")
	d.Reset(JSON, []byte(`{"a":1}`))
	if err := d.Set(id("b"), StringValue(strings.Repeat("x", 8*limits.BatchBytes))); err != nil {
		t.Fatal(err)
	}
	d.Reset(JSON, []byte(`{"a":1}`))
	if cap(d.arena) > 4*limits.BatchBytes {
		t.Errorf("%d bytes kept", cap(d.arena))
	}
}
