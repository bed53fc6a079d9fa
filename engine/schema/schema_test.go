package schema_test

import (
	"testing"

	"github.com/flowrecords/flow/engine/schema"
)

func TestTypeText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"any", ""}, {"int8", ""}, {"uint64?", ""}, {"string", ""}, {"decimal", ""}, {"decimal(10,2)?", ""},
		{"decimal(10)", "decimal(10,0)"}, {"decimal(*,-3)", ""}, {"bytes(16)", ""}, {"time", "time(ns)"},
		{"timestamp( ms )", "timestamp(ms)"}, {"local_timestamp(us)", ""}, {"duration(s)", ""}, {"uuid", ""},
		{`enum(a, "b c",d)`, `enum(a, "b c", d)`}, {"array<string?>?", ""}, {"map<string,int32?>", "map<string, int32?>"},
		{"struct{}", ""}, {`struct { id int64 , "a b" string? }`, `struct{id int64, "a b" string?}`},
		{`struct a.B{n int32 = 5, s string? = null, x struct{y any} = { "y" : 1 }}`, `struct a.B{n int32 = 5, s string? = null, x struct{y any} = {"y":1}}`},
		{"struct Node{next Node?}", ""}, {"struct Node{next Node?}?", ""}, {"array Tree<Tree>", ""},
		{"struct{a struct P{x int32}, b P?, c array<P>}", ""},
		{"union{int64 int64, P struct P{u union{P P}?}}?", ""},
		{"string io.debezium.data.Json?", ""},
		{`struct "string"{a "string"?}`, ""},
		{`enum Color(red, green) = "red"`, ""},
		{`struct{c enum Color(red), d Color?}`, ""},
	} {
		s, err := schema.Parse(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if c.want == "" {
			c.want = c.in
		}
		if got := s.String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.in, got, c.want)
		}
	}
}

func TestTypeTextErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"", "the text ends where a type is expected at character 1"},
		{"strin", `there is no type strin: a type is one of any, bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, string, bytes, decimal, date, time, timestamp, local_timestamp, duration, uuid, enum, array, map, struct, union, or one that was named before at character 1`},
		{"int64 x y", `unexpected 'y' after the type at character 9`},
		{"decimal(2,3)", "a scale of 3 is more than the precision, 2 at character 1"},
		{"decimal(0)", "a precision of 0: write * for any at character 10"},
		{"time(m)", "a unit is one of s, ms, us and ns at character 6"},
		{"array<", "the text ends where a type is expected at character 7"},
		{"array<int8", `the text ends behind the type of the elements, where '>' is expected at character 11`},
		{"map<int8>", `unexpected '>' behind the type of the keys, where ',' is expected at character 9`},
		{"struct{a int8, a int8}", `field "a" twice at character 1`},
		{"int8 = 300", "default: 300 is not of type int8: out of range at character 1"},
		{"int8 = x", `a default: unexpected 'x' where a value is expected at byte 1 at character 8`},
		{"union{a int8?}", "(a): a branch is never optional: the union is at character 1"},
		{"enum()", "unexpected ')' where a symbol is expected at character 6"},
		{"enum(a,a)", `symbol "a" twice at character 1`},
	} {
		_, err := schema.Parse(c.in)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.in, err, c.want)
		}
	}
}
