package protosource_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/flowrecords/flow/connections/registry/protosource"
	"github.com/flowrecords/flow/engine/record/protobuf"
)

// from finds files of a map.
func from(files map[string]string) protosource.Find {
	return func(path string) (string, error) {
		if text, ok := files[path]; ok {
			return text, nil
		}
		return "", fs.ErrNotExist
	}
}

func compiled(t testing.TB, text string, files map[string]string) *protobuf.File {
	t.Helper()
	f, err := protosource.Compile("", text, from(files))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return f
}

const order = `syntax = "proto3";
package shop;
import "common/money.proto";
import "google/protobuf/timestamp.proto";
import "google/type/date.proto";
import "confluent/meta.proto";
import "confluent/type/decimal.proto";

message Ping {}

// An order.
message Order {
  int64 id = 1;
  common.Money price = 2;
  oneof payment {
    string card = 3;
    Cash cash = 4;
  }
  google.protobuf.Timestamp at = 5;
  google.type.Date day = 6;
  confluent.type.Decimal rate = 7 [(confluent.field_meta) = {
    params: [
      { key: "precision", value: "9" },
      { key: "scale", value: "2" }
    ]
  }];
  map<int32, Cash> by_id = 8;
  message Cash {
    int64 paid = 1;
    enum Coin {
      NONE = 0;
      BIG = 5;
    }
    message Deep { Coin coin = 1; }
  }
}
`

var files = map[string]string{
	"common/money.proto":    `syntax = "proto3"; package common; import public "common/currency.proto"; message Money { int64 units = 1; optional Currency currency = 2; }`,
	"common/currency.proto": `syntax = "proto2"; package common; enum Currency { NONE = 0; EUR = 1; }`,
}

// TestReferences: types of files that are imported, also by these, are found.
func TestReferences(t *testing.T) {
	t.Parallel()
	f := compiled(t, order, files)
	m, err := f.At([]int{1})
	if err != nil || m.Name != "shop.Order" {
		t.Fatal(m, err)
	}
	s, err := protobuf.ToSchema(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"price struct common.Money?", "currency enum common.Currency(NONE, EUR)?", "at timestamp(ns)?", "day date?", "rate decimal(9,2)?"} {
		if text := s.Text(); !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
}

// TestNestedIndex: a message is found by where it stands, and says where that
// is.
func TestNestedIndex(t *testing.T) {
	t.Parallel()
	f := compiled(t, order, files)
	for name, path := range map[string][]int{"shop.Ping": {0}, "shop.Order": {1}, "shop.Order.Cash": {1, 0}, "shop.Order.Cash.Deep": {1, 0, 0}} {
		m, err := f.At(path)
		if err != nil {
			t.Errorf("%v: %v", path, err)
			continue
		}
		if m.Name != name || !slices.Equal(m.Index(), path) {
			t.Errorf("%v is %s, which says %v; want %s", path, m.Name, m.Index(), name)
		}
	}
	for _, path := range [][]int{{2}, {1, 9}, {0, 0}, {-1}, {}} {
		if m, err := f.At(path); err == nil {
			t.Errorf("%v is %s", path, m.Name)
		}
	}
}

// TestRoundTrip: a text becomes a descriptor, this a text, and that the same
// descriptor; the base64 of the descriptor is read as the text is.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"proto3":     order,
		"proto2":     `syntax = "proto2"; package a; message M { required int32 x = 1; optional string s = 2 [default = "a\"b"]; repeated group G = 3 { optional bool b = 1; } extensions 100 to 200; reserved 9, 20 to 30; reserved "old"; }`,
		"edition":    `edition = "2023"; package a; message M { int32 x = 1 [features.field_presence = IMPLICIT]; repeated int32 l = 2 [features.repeated_field_encoding = EXPANDED]; }`,
		"no package": `syntax = "proto3"; message M { M next = 1; }`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := compiled(t, text, files)
			printed := first.Text()
			second := compiled(t, printed, files)
			if got := second.Text(); got != printed {
				t.Errorf("%s\nbecame\n%s", printed, got)
			}
			for i, m := range first.Messages {
				a, errA := protobuf.ToSchema(m)
				b, errB := protobuf.ToSchema(second.Messages[i])
				if errA != nil || errB != nil || a.Text() != b.Text() {
					t.Errorf("%v, %v:\n%s\nbecame\n%s", errA, errB, a.Text(), b.Text())
				}
			}
			third := compiled(t, base64.StdEncoding.EncodeToString(first.Marshal()), files)
			if got := third.Text(); got != printed {
				t.Errorf("as a descriptor\n%s\nbecame\n%s", printed, got)
			}
		})
	}
}

// TestMistakes: an error says where and what.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"syntax", "syntax = \"proto3\";\nmessage M { int32 x = ; }", "schema.proto:2:23: syntax error"},
		{"type", "syntax = \"proto3\";\nmessage M {\n  Nobody x = 1; }", "schema.proto:3:3: field M.x: unknown type Nobody"},
		{"import", "syntax = \"proto3\";\nimport \"no.proto\";", "schema.proto:2:8: the imported file no.proto is not there"},
		{"in an import", "syntax = \"proto3\";\nimport \"bad.proto\";", "bad.proto:1:9: syntax error"},
		{"cycle", "syntax = \"proto3\";\nimport \"a.proto\";", "cycle"},
		{"several", "syntax = \"proto3\";\nmessage M { A a = 1; B b = 2; C c = 3; D d = 4; E e = 5; }", "unknown type C"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := protosource.Compile("", tt.text, from(map[string]string{
				"bad.proto": "message {",
				"a.proto":   `syntax = "proto3"; import "b.proto";`,
				"b.proto":   `syntax = "proto3"; import "a.proto";`,
			}))
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 1000 {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// TestFindFails: what finding a file fails with is told, and is no missing
// file.
func TestFindFails(t *testing.T) {
	t.Parallel()
	away := errors.New("the registry is away")
	_, err := protosource.Compile("", "syntax = \"proto3\";\nimport \"a.proto\";", func(string) (string, error) { return "", away })
	if err == nil || !strings.Contains(err.Error(), away.Error()) || strings.Contains(err.Error(), "not there") {
		t.Error(err)
	}
}

// TestHostile: what would take more than there is, is refused before it is
// compiled.
func TestHostile(t *testing.T) {
	t.Parallel()
	const head = `syntax = "proto3"; `
	deep := func(n int) string {
		return head + strings.Repeat("message A{", n) + strings.Repeat("}", n)
	}
	descriptor := func(n int) string {
		m := &descriptorpb.DescriptorProto{Name: proto.String("A")}
		for range n {
			m = &descriptorpb.DescriptorProto{Name: proto.String("A"), NestedType: []*descriptorpb.DescriptorProto{m}}
		}
		b, err := proto.Marshal(&descriptorpb.FileDescriptorProto{Name: proto.String("x"), Syntax: proto.String("proto3"), MessageType: []*descriptorpb.DescriptorProto{m}})
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(b)
	}
	var fields strings.Builder
	for i := range 15_000 {
		fmt.Fprintf(&fields, "int32 f%d=%d;", i, i+1)
	}
	long := strings.Repeat("a", 10_000)
	for _, tt := range []struct{ name, text, want string }{
		{"size", head + strings.Repeat(" ", 4<<20), "bytes"},
		{"nesting", deep(100_000), "levels"},
		{"nesting of a descriptor", descriptor(2000), "levels"},
		{"nesting of an option", head + "message M { int32 x = 1 [(a) = " + strings.Repeat("{a:", 1000), "levels"},
		{"nesting of another bracket", head + "message M { int32 x = 1 [(a) = {" + strings.Repeat("a:<", 1000), "levels"},
		{"a long package", head + "package " + long + "; message M {" + fields.String() + "}", "full names"},
		{"a long message", head + "message " + long + " {" + fields.String() + "}", "full names"},
		{"brackets in strings and comments", head + "// " + strings.Repeat("{", 1000) + "\n/* " + strings.Repeat("{", 1000) + " */ message M { string s = 1 [json_name = \"" + strings.Repeat("{", 1000) + "\"]; }", ""},
		{"many fields", head + "message M {" + fields.String() + "}", ""},
		{"usual nesting", deep(25), ""},
		{"an open string", head + `import "`, "syntax error"},
		{"an open comment", head + `/* `, "syntax error"},
		{"zeros", strings.Repeat("\x00", 1000), "invalid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := protosource.Compile("", tt.text, protosource.None)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// TestLongLines: where places would take too long to find, there are none, and
// no comments; what is declared is the same.
func TestLongLines(t *testing.T) {
	t.Parallel()
	var fields strings.Builder
	for i := range 15_000 {
		fmt.Fprintf(&fields, "int32 f%d=%d;", i, i+1)
	}
	for _, files := range []map[string]string{nil, {"long.proto": "syntax = \"proto3\"; message L {" + fields.String() + "}"}} {
		text := "syntax = \"proto3\"; /* Much. */ message M {" + fields.String() + "}"
		if files != nil {
			text = "syntax = \"proto3\"; import \"long.proto\"; message M { L l = 1; }"
		}
		f := compiled(t, text, files)
		if m := f.Messages[0]; m.Doc != "" || files == nil && len(m.Fields) != 15_000 {
			t.Errorf("%q with %d fields", m.Doc, len(m.Fields))
		}
	}
}

// TestEndlessImports: a chain of imports without end is cut.
func TestEndlessImports(t *testing.T) {
	t.Parallel()
	n := 0
	_, err := protosource.Compile("", `syntax = "proto3"; import "0";`, func(string) (string, error) {
		n++
		return fmt.Sprintf("syntax = \"proto3\"; import \"%d\";", n), nil
	})
	if err == nil || !strings.Contains(err.Error(), "more than 1000 imports") || n > 1000 {
		t.Errorf("%d files: %v", n, err)
	}
}

// FuzzCompile: whatever a text is, compiling it ends, and what comes out prints
// as a text that compiles to the same.
func FuzzCompile(f *testing.F) {
	f.Add(order)
	f.Add(`syntax = "proto2"; message M { repeated group G = 3 { optional bool b = 1 [default = true]; } }`)
	f.Add(`edition = "2023"; enum E { option features.enum_type = CLOSED; A = 1; } message M { E e = 1 [default = A]; }`)
	f.Fuzz(func(t *testing.T, text string) {
		file, err := protosource.Compile("", text, from(files))
		if err != nil {
			return
		}
		printed := file.Text()
		again, err := protosource.Compile("", printed, from(files))
		if err != nil {
			t.Fatalf("%v\n%s", err, printed)
		}
		if got := again.Text(); got != printed {
			t.Fatalf("%s\nbecame\n%s", printed, got)
		}
	})
}
