package protobuf_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/flowrecords/flow/engine/record/protobuf"
	"github.com/flowrecords/flow/engine/schema"
)

// random makes a message of random content, in the bounds of what typed JSON
// has a form for.
func random(r *rand.Rand, d protoreflect.MessageDescriptor, depth int) *dynamicpb.Message {
	m := dynamicpb.NewMessage(d)
	set := func(name string, v protoreflect.Value) { m.Set(d.Fields().ByName(protoreflect.Name(name)), v) }
	switch d.FullName() {
	case "google.protobuf.Timestamp":
		set("seconds", protoreflect.ValueOfInt64(r.Int64N(9e9)-4e9))
		set("nanos", protoreflect.ValueOfInt32(r.Int32N(1e9)))
		return m
	case "google.protobuf.Duration":
		v := r.Int64N(4e18) - 2e18
		set("seconds", protoreflect.ValueOfInt64(v/1e9))
		set("nanos", protoreflect.ValueOfInt32(int32(v%1e9)))
		return m
	case "google.type.Date":
		day := time.Date(1+r.IntN(9000), 1, 1+r.IntN(365), 0, 0, 0, 0, time.UTC)
		set("year", protoreflect.ValueOfInt32(int32(day.Year())))
		set("month", protoreflect.ValueOfInt32(int32(day.Month())))
		set("day", protoreflect.ValueOfInt32(int32(day.Day())))
		return m
	case "google.type.TimeOfDay":
		set("hours", protoreflect.ValueOfInt32(r.Int32N(24)))
		set("minutes", protoreflect.ValueOfInt32(r.Int32N(60)))
		set("nanos", protoreflect.ValueOfInt32(r.Int32N(1e9)))
		return m
	}
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		if f.Cardinality() != protoreflect.Required && r.IntN(3) == 0 || depth > 3 && f.Message() != nil {
			if d.FullName() != "google.protobuf.Value" || i > 0 {
				continue
			}
		}
		switch {
		case f.IsMap():
			for range r.IntN(4) {
				m.Mutable(f).Map().Set(scalar(r, f.MapKey(), depth).MapKey(), scalar(r, f.MapValue(), depth))
			}
		case f.IsList():
			for range r.IntN(4) {
				m.Mutable(f).List().Append(scalar(r, f, depth))
			}
		default:
			m.Set(f, scalar(r, f, depth))
		}
	}
	return m
}

func scalar(r *rand.Rand, f protoreflect.FieldDescriptor, depth int) protoreflect.Value {
	bits := r.Uint64() >> r.IntN(64)
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(bits&1 == 1)
	case protoreflect.EnumKind:
		v := f.Enum().Values()
		return protoreflect.ValueOfEnum(v.Get(r.IntN(v.Len())).Number())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(bits))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(bits))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(int64(bits) * int64(1-2*r.IntN(2)))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(bits)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(r.NormFloat64()) * float32(r.IntN(2)))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(r.NormFloat64() * 1e10 * float64(r.IntN(2)))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString([]string{"", "a", "é\n\"", "hello world", strings.Repeat("x", 200)}[r.IntN(5)])
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte("\x00\xffabc")[:r.IntN(6)])
	}
	return protoreflect.ValueOfMessage(random(r, f.Message(), depth+1).ProtoReflect())
}

var messages = []struct{ file, name string }{{"all.proto", "all.All"}, {"old.proto", "old.Old"}, {"edition.proto", "ed.Ed"}}

// TestAgreesWithProtobuf: what Protobuf's own library writes is read so that,
// written again, the library sees the same message.
func TestAgreesWithProtobuf(t *testing.T) {
	t.Parallel()
	for _, m := range messages {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p := load(t, m.file, m.name)
			w, err := p.ours.NewWriter(p.ours.Schema(), protobuf.WriterOptions{})
			if err != nil {
				t.Fatal(err)
			}
			loose, err := p.ours.NewWriter(nil, protobuf.WriterOptions{})
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(1, 2))
			for range 500 {
				msg := random(r, p.theirs, 0)
				data, err := proto.Marshal(msg)
				if err != nil {
					t.Fatal(err)
				}
				if err := p.ours.Check(data); err != nil {
					t.Fatalf("%v: %x", err, data)
				}
				text, err := p.ours.AppendJSON(nil, data)
				if err != nil {
					t.Fatalf("%v: %s", err, protojson.Format(msg))
				}
				if err := schema.Check(p.ours.Schema(), text); err != nil {
					t.Fatalf("%v: %s", err, text)
				}
				again, err := w.Append(nil, text)
				if err != nil {
					t.Fatalf("%v: %s", err, text)
				}
				same(t, p, data, again, text)
				theirs, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(msg)
				if err != nil {
					t.Fatal(err)
				}
				if again, err = loose.Append(nil, theirs); err != nil {
					t.Fatalf("Protobuf's own JSON: %v: %s", err, theirs)
				}
				same(t, p, data, again, theirs)
			}
		})
	}
}

// same fails unless two texts of data are one message, which reads as the same
// JSON.
func same(t *testing.T, p pair, a, b, text []byte) {
	t.Helper()
	x, y := dynamicpb.NewMessage(p.theirs), dynamicpb.NewMessage(p.theirs)
	if err := proto.Unmarshal(a, x); err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(b, y); err != nil {
		t.Fatalf("%v: %x", err, b)
	}
	clearDefaults(x)
	clearDefaults(y)
	if !proto.Equal(x, y) {
		left, right := strings.Split(protojson.Format(x), "\n"), strings.Split(protojson.Format(y), "\n")
		k := 0
		for k < len(left)-1 && k < len(right)-1 && left[k] == right[k] {
			k++
		}
		t.Fatalf("line %d is\n%s\nand after being read and written\n%s\nby way of %s", k, left[k], right[k], text)
	}
}

// clearDefaults removes what is there and has its declared default: that is
// what its absence means, and flow writes it.
func clearDefaults(m protoreflect.Message) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
			if f.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool { clearDefaults(v.Message()); return true })
			}
		case f.Message() != nil && f.IsList():
			for i := range v.List().Len() {
				clearDefaults(v.List().Get(i).Message())
			}
		case f.Message() != nil && f.Message().FullName() == "google.protobuf.Value":
			// A null there, and nothing, are both null.
			if v.Message().WhichOneof(f.Message().Oneofs().Get(0)) == f.Message().Fields().Get(0) && f.ContainingMessage().FullName() == "all.All" {
				m.Clear(f)
			}
		case f.Message() != nil:
			clearDefaults(v.Message())
		case f.HasDefault() && f.Default().Equal(v):
			m.Clear(f)
		}
		return true
	})
}

// TestTypes: each type reads as what it is.
func TestTypes(t *testing.T) {
	t.Parallel()
	tests := []struct{ file, message, in, want string }{
		{"all.proto", "all.All", `{"u64":"18446744073709551615","f64":"9007199254740993","s64":"-9223372036854775808"}`, `"u64":18446744073709551615,"s32":0,"s64":-9223372036854775808,"f32":0,"f64":9007199254740993`},
		{"all.proto", "all.All", `{"at":"2024-01-02T03:04:05.000000006Z","took":"3661.5s"}`, `"at":"2024-01-02T03:04:05.000000006Z","took":"1h1m1.5s"`},
		{"all.proto", "all.All", `{"at":"0001-01-01T00:00:00Z"}`, `"at":"0001-01-01T00:00:00Z"`},
		{"all.proto", "all.All", `{"at":"9999-12-31T23:59:59.999999999Z"}`, `"at":"9999-12-31T23:59:59.999999999Z"`},
		{"all.proto", "all.All", `{"boxedText":"","boxedNumber":"0"}`, `"boxed_text":"","boxed_number":0,"boxed_bool":null`},
		{"all.proto", "all.All", `{"object":{"a":[1,null,{"b":true}]},"anything":null,"list":["x"]}`, `"object":{"a":[1,null,{"b":true}]},"anything":null,"list":["x"]`},
		{"all.proto", "all.All", `{"pickInner":{"name":"n"}}`, `"pick":{"pick_inner":{"name":"n","n":0,"next":null,"tags":[],"attrs":{}}}`},
		{"all.proto", "all.All", `{"pickNumber":"0"}`, `"pick":{"pick_number":0}`},
		{"all.proto", "all.All", `{"names":{"3":"c"},"flags":{"true":"RED"}}`, `"names":[[3,"c"]],"by_name":{},"flags":[[true,"RED"]]`},
		{"all.proto", "all.All", `{"d":"NaN","f":"-Infinity"}`, `{"d":"NaN","f":"-Infinity"`},
		{"all.proto", "all.All", `{"maybe":0,"hue":"COLOR_UNSPECIFIED"}`, `"maybe":0,"text":null,"hue":"COLOR_UNSPECIFIED"`},
		{"all.proto", "all.All", `{"color":42}`, `"color":"42"`},
		{"all.proto", "all.All", `{"day":{"year":2024,"month":2,"day":29},"clock":{"hours":23,"nanos":5}}`, `"day":"2024-02-29","clock":"23:00:00.000000005"`},
		{"old.proto", "old.Old", `{"id":"1"}`, `{"id":1,"name":"no\"body","level":-7,"ratio":"Infinity","raw":"AWFcYg==","kind":"SMALL","on":null,"plain":[],"packed":[],"extra":null,"child":null,"kinds":[]}`},
		{"old.proto", "old.Old", `{"id":"1","extra":{"note":"x","line":[{"n":1},{"n":2}]}}`, `"extra":{"note":"x","line":[{"n":1},{"n":2}]}`},
		{"edition.proto", "ed.Ed", `{"need":"x","part":{"n":1,"part":{"n":2}},"closed":"TWO"}`, `{"implicit":0,"explicit":null,"need":"x","expanded":[],"packed":[],"part":{"n":1,"part":{"n":2,"part":null}},"parts":[],"raw":"","closed":"TWO","map":{}}`},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			t.Parallel()
			p := load(t, tt.file, tt.message)
			m := dynamicpb.NewMessage(p.theirs)
			if err := protojson.Unmarshal([]byte(tt.in), m); err != nil {
				t.Fatal(err)
			}
			data, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			text, err := p.ours.AppendJSON(nil, data)
			if err != nil || !strings.Contains(string(text), tt.want) {
				t.Errorf("%s (%v), want %s in it", text, err, tt.want)
			}
			if !json.Valid(text) {
				t.Errorf("no JSON: %s", text)
			}
		})
	}
}

// build makes data by hand.
type build []byte

func (b build) varint(num int, v uint64) build {
	return protowire.AppendVarint(protowire.AppendTag(b, protowire.Number(num), protowire.VarintType), v)
}

func (b build) bytes(num int, v []byte) build {
	return protowire.AppendBytes(protowire.AppendTag(b, protowire.Number(num), protowire.BytesType), v)
}

// TestOddData: data that is allowed though nobody writes it so is read as
// Protobuf's library does.
func TestOddData(t *testing.T) {
	t.Parallel()
	inner := func(name string, n uint64) []byte { return build{}.bytes(1, []byte(name)).varint(2, n) }
	tests := map[string]struct {
		data build
		want string
	}{
		"last scalar counts":           {build{}.varint(3, 1).varint(3, 2), `"i32":2,`},
		"messages merge":               {build{}.bytes(17, build{}.bytes(1, []byte("a"))).varint(3, 9).bytes(17, build{}.varint(2, 7)), `"inner":{"name":"a","n":7,`},
		"messages within merge":        {build{}.bytes(17, build{}.bytes(3, inner("a", 1))).bytes(17, build{}.bytes(3, build{}.varint(2, 2))), `"inner":{"name":"","n":0,"next":{"name":"a","n":2,`},
		"lists within merged ones":     {build{}.bytes(17, build{}.bytes(4, []byte("x"))).bytes(17, build{}.bytes(4, []byte("y"))), `"tags":["x","y"]`},
		"packed and not":               {build{}.varint(31, 1).bytes(31, []byte{2, 3}).varint(31, 4).bytes(32, []byte{5}), `"packed":[1,2,3,4],"loose":[5]`},
		"scattered":                    {build{}.varint(31, 1).varint(3, 1).varint(31, 2).varint(3, 1).bytes(31, []byte{3}), `"packed":[1,2,3]`},
		"last of a oneof":              {build{}.varint(62, 1).bytes(61, []byte("x")), `"pick":{"pick_text":"x"}`},
		"oneof does not merge through": {build{}.bytes(63, inner("a", 1)).varint(62, 1).bytes(63, build{}.varint(2, 2)), `"pick":{"pick_inner":{"name":"","n":2,`},
		"oneof merges":                 {build{}.bytes(63, inner("a", 1)).bytes(63, build{}.varint(2, 2)), `"pick":{"pick_inner":{"name":"a","n":2,`},
		"unknown fields":               {build{}.varint(1000, 1).varint(3, 5).bytes(1001, []byte("??")), `"i32":5,`},
		"other wire type is unknown":   {build{}.bytes(3, []byte("x")).varint(14, 1), `"i32":0,"i64":0`},
		"map without key and value":    {build{}.bytes(51, nil).bytes(51, build{}.bytes(1, []byte("k"))), `"counts":{"":0,"k":0}`},
		"last of a key":                {build{}.bytes(51, build{}.bytes(1, []byte("k")).varint(2, 1)).bytes(51, build{}.bytes(1, []byte("k")).varint(2, 2)), `"counts":{"k":2}`},
		"last of a number":             {build{}.bytes(52, build{}.varint(1, 7).bytes(2, []byte("a"))).bytes(52, build{}.varint(1, 7).bytes(2, []byte("b"))), `"names":[[7,"b"]]`},
		"message in a map":             {build{}.bytes(53, build{}.bytes(1, []byte("k"))), `"by_name":{"k":{"name":"","n":0,`},
		"value before key":             {build{}.bytes(51, build{}.varint(2, 3).bytes(1, []byte("k"))), `"counts":{"k":3}`},
		"int32 of ten bytes":           {build{}.varint(3, 1<<64-5), `"i32":-5,`},
		"int32 too wide is cut":        {build{}.varint(3, 1<<33|7), `"i32":7,`},
		"bool of many bits":            {build{}.varint(13, 1<<40), `"b":true,`},
		"timestamp in two parts":       {build{}.bytes(71, build{}.varint(1, 5)).varint(3, 1).bytes(71, build{}.varint(2, 6)), `"at":"1970-01-01T00:00:05.000000006Z"`},
		"empty":                        {build{}, `{"d":0,"f":0,"i32":0,`},
	}
	p := load(t, "all.proto", "all.All")
	w, err := p.ours.NewWriter(p.ours.Schema(), protobuf.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := p.ours.AppendJSON(nil, tt.data)
			if err != nil || !strings.Contains(string(text), tt.want) {
				t.Fatalf("%s (%v), want %s in it", text, err, tt.want)
			}
			again, err := w.Append(nil, text)
			if err != nil {
				t.Fatal(err)
			}
			m := dynamicpb.NewMessage(p.theirs)
			if err := proto.Unmarshal(tt.data, m); err != nil {
				t.Fatal(err)
			}
			m.SetUnknown(nil)
			known, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			same(t, p, known, again, text)
		})
	}
}
