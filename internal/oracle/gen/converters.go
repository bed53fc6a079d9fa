package gen

import (
	"fmt"

	"github.com/flowrecords/flow/internal/oracle"
)

const (
	storage = "org.apache.kafka.connect.storage."
	numbers = "org.apache.kafka.connect.converters."
	jsonC   = "org.apache.kafka.connect.json.JsonConverter"
)

func (f *file) converter(name string, op oracle.Op, class string, conf map[string]string, in *oracle.Payload, d *oracle.Data) {
	f.add(name, oracle.Case{Op: op, Converter: &oracle.ConverterSpec{Class: class, Config: conf}, Bytes: in, Data: d})
}

func (f *file) from(name, class string, conf map[string]string, d oracle.Data) {
	f.converter(name, oracle.FromConnect, class, conf, nil, &d)
}

func (f *file) to(name, class string, conf map[string]string, in string) {
	p := oracle.Payload(in)
	f.converter(name, oracle.ToConnect, class, conf, &p, nil)
}

func (f *file) toNull(name, class string, conf map[string]string) {
	f.converter(name, oracle.ToConnect, class, conf, nil, nil)
}

// sizes are bytes of the lengths that numbers have, and of others.
func sizes() map[string]string {
	return map[string]string{"empty": "", "one": "\x01", "zero": "\x00", "two": "\x7f\xff", "four": "\x3f\xc0\x00\x00", "eight": "\x40\x02\x00\x00\x00\x00\x00\x00", "nine": "123456789", "text": "hello", "utf8": "ä✓", "bad-utf8": "a\xff\xfeb", "two-as-boolean": "\x02"}
}

func primitives(f *file) {
	classes := map[string]sample{
		numbers + "ShortConverter": {"short", int16S(), i16(-300)}, numbers + "IntegerConverter": {"integer", int32S(), i32(70000)}, numbers + "LongConverter": {"long", int64S(), i64(9007199254740993)}, numbers + "FloatConverter": {"float", float32S(), f32(1.5)}, numbers + "DoubleConverter": {"double", float64S(), f64(-2.25)}, numbers + "BooleanConverter": {"boolean", boolS(), boolV(true)},
		numbers + "ByteArrayConverter": {"bytes", bytesS(), byt("\x00\xff")}, storage + "StringConverter": {"string", stringS(), str("käse")},
	}
	for class, c := range sorted(classes) {
		for _, s := range samples() {
			f.from(fmt.Sprintf("%s/from-%s", c.name, s.name), class, options(), oracle.Data{Schema: s.schema, Value: s.value})
		}
		f.from(c.name+"/from-null", class, options(), oracle.Data{})
		f.from(c.name+"/from-null-with-schema", class, options(), oracle.Data{Schema: opt(c.schema)})
		f.from(c.name+"/from-schemaless", class, options(), oracle.Data{Value: c.value})
		f.from(c.name+"/from-named", class, options(), oracle.Data{Schema: full(opt(c.schema)), Value: c.value})
		for name, in := range sorted(sizes()) {
			f.to(fmt.Sprintf("%s/to-%s", c.name, name), class, options(), in)
		}
		f.toNull(c.name+"/to-null", class, options())
	}
	for name, v := range sorted(map[string]value{
		"map":           obj("b", i32(1), "a", arr(str("x"), null)),
		"array":         arr(i32(1), str("a"), null),
		"float":         f64(1e10),
		"nested":        obj("a", obj("b", boolV(true))),
		"decimal":       dec("12", -3),
		"small-decimal": dec("1", 10),
		"date":          date(0),
	}) {
		f.from("string/schemaless-"+name, storage+"StringConverter", options(), oracle.Data{Value: v})
	}
	st := structS(field("a", int32S()), field("b", opt(stringS())), field("c", structS(field("d", arrayS(int32S())))), field("e", bytesS()), field("m", mapS(stringS(), stringS())))
	f.from("string/nested-struct", storage+"StringConverter", options(), oracle.Data{Schema: st, Value: structV("a", i32(1), "c", structV("d", arr(i32(1), i32(2))), "e", byt("ab"), "m", obj("k", str("v")))})
	for name, enc := range sorted(map[string]string{"latin1": "ISO-8859-1", "utf16": "UTF-16BE", "ascii": "US-ASCII", "unknown": "no-such", "lower": "utf-8"}) {
		f.from("string/encoding-"+name, storage+"StringConverter", options("converter.encoding", enc), oracle.Data{Schema: stringS(), Value: str("käse")})
		f.to("string/decoding-"+name, storage+"StringConverter", options("converter.encoding", enc), "k\xe4se!")
	}
	f.from("string/old-encoding-option", storage+"StringConverter", options("value.converter.encoding", "ISO-8859-1"), oracle.Data{Schema: stringS(), Value: str("ä")})
}
