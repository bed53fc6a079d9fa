package protobuf_test

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/record/protobuf"
	"github.com/flowrecords/flow/engine/schema"
)

// reprint prints a message's file, compiles the text and returns the message in
// it: what the descriptor says, a compiler agrees to.
func reprint(t testing.TB, m *protobuf.Message) *protobuf.Message {
	t.Helper()
	text := m.File.Text()
	_, set := compile(t, map[string]string{m.File.Path: text}, m.File.Path)
	again := set.Message(m.Name)
	if again == nil {
		t.Fatalf("no %s in\n%s", m.Name, text)
	}
	return again
}

// TestSchemasRoundTrip: a schema becomes a message, its file is text that
// compiles, and the message gives the same schema again.
func TestSchemasRoundTrip(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"scalars":           "struct a.M{b bool, i8 int8, i16 int16, i32 int32, i64 int64, u8 uint8, u16 uint16, u32 uint32, u64 uint64, f float32, d float64, s string, raw bytes}",
		"optional scalars":  "struct a.M{b bool?, i8 int8?, u64 uint64?, f float32?, s string?, raw bytes?}",
		"logical":           "struct a.M{dec decimal(10,2), dec2 decimal(5,0)?, neg decimal(5,-2), day date, clock time(us), at timestamp(ms), at9 timestamp(ns)?, local local_timestamp(us), took duration(s), id uuid, id2 uuid?}",
		"arrays":            "struct a.M{a array<int32>, b array<string>?, c array<array<int64>>, d array<string?>, e array<decimal(3,1)>, f array<struct a.N{x int32}>}",
		"maps":              "struct a.M{a map<string, int32>, b map<int32, string>?, c map<string, int64?>, d map<string, array<int32>>, e map<float64, string>, f map<uuid, int32>, g map<date, int32>, h map<bool, struct a.N{x int32}>}",
		"nested":            "struct a.M{x struct a.M.Inner{y int32}, z struct{deep struct{n int64?}?}?, other struct b.Foreign{x int32}}",
		"enums":             "struct a.M{e enum a.E(A, B), f enum a.F(A, C)?, g enum(X), h array<enum a.E(A, B)>}",
		"unions":            "struct a.M{u union{text string, number int64, inner struct a.N{x int32}}?, v union{a int32, b int32}, w array<union{x string, y int64}>}",
		"union of complex":  "struct a.M{u union{list array<int32>, m map<string, string>}?}",
		"defaults":          `struct a.M{i int32 = 5, s string = "x\"y", o string? = "z", d decimal(5,2) = 1.50, l array<int32> = [1,2], e enum a.E(A, B) = "B", t timestamp(ms) = "2024-01-02T03:04:05Z"}`,
		"no package":        "struct M{x int32}",
		"unnamed":           "struct{x int32, y struct{z string}}",
		"recursive":         "struct a.M{v int32, next a.M?, all array<a.M>}",
		"keywords":          "struct a.M{message string, package int32, option bool, string bytes, oneof int64, true bool, repeated array<int32>}",
		"no struct":         "array<string>",
		"same simple names": "struct a.M{x struct b.T{i int32}, y struct c.T{s string}}",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := schema.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			m, err := protobuf.FromSchema(s, protobuf.FromOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range []*protobuf.Message{m, reprint(t, m)} {
				got, err := protobuf.ToSchema(m)
				if err != nil {
					t.Fatalf("%v\n%s", err, m.File.Text())
				}
				if !schema.EqualTypes(untagged(got), s) {
					t.Errorf("got\n%s\nwant\n%s\nby way of\n%s", got.Text(), s.Text(), m.File.Text())
				}
			}
		})
	}
}

// untagged returns a schema without the numbers that its fields have got.
func untagged(s *schema.Schema) *schema.Schema {
	done := map[*schema.Schema]*schema.Schema{}
	var strip func(s *schema.Schema) *schema.Schema
	strip = func(s *schema.Schema) *schema.Schema {
		if s == nil || done[s] != nil {
			return done[s]
		}
		c := s.Clone()
		done[s] = c
		c.Elem, c.Key = strip(s.Elem), strip(s.Key)
		c.Fields, c.Branches = nil, nil
		for _, f := range s.Fields {
			f.Tag, f.Schema = 0, strip(f.Schema)
			c.Fields = append(c.Fields, f)
		}
		for _, b := range s.Branches {
			b.Tag, b.Schema = 0, strip(b.Schema)
			c.Branches = append(c.Branches, b)
		}
		return c
	}
	return strip(s)
}

// TestMessagesRoundTrip: a message becomes a schema and that again a message
// whose data is the same, whatever syntax it was declared in.
func TestMessagesRoundTrip(t *testing.T) {
	t.Parallel()
	for _, m := range messages {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p := load(t, m.file, m.name)
			s := p.ours.Schema()
			if err := s.Validate(); err != nil {
				t.Fatal(err)
			}
			back, err := protobuf.FromSchema(s, protobuf.FromOptions{Untyped: protobuf.UntypedValue})
			if err != nil {
				t.Fatal(err)
			}
			for _, back := range []*protobuf.Message{back, reprint(t, back), reprint(t, p.ours.Message())} {
				if why := append(protobuf.Compatible(p.ours.Message(), back), protobuf.Compatible(back, p.ours.Message())...); len(why) > 0 {
					t.Errorf("%s\n%s", strings.Join(why, "\n"), back.File.Text())
				}
				again, err := protobuf.ToSchema(back)
				if err != nil {
					t.Fatal(err)
				}
				if !schema.EqualTypes(again, s) {
					t.Errorf("%v\n%s", schema.Diff(s, again), back.File.Text())
				}
				want := p.ours.Message().File.Syntax
				if m.name == "old.Old" && back.File != p.ours.Message().File && back.File.Syntax != want {
					want = protobuf.Edition2023 // which has groups of any name
				}
				if back.File.Syntax != want {
					t.Errorf("the syntax is %s\n%s", back.File.Syntax, back.File.Text())
				}
			}
		})
	}
}
