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

func primitives(f *file) {
	classes := map[string]sample{
		numbers + "ShortConverter": {"short", int16S(), i16(-300)}, numbers + "IntegerConverter": {"integer", int32S(), i32(70000)}, numbers + "LongConverter": {"long", int64S(), i64(9007199254740993)}, numbers + "FloatConverter": {"float", float32S(), f32(1.5)}, numbers + "DoubleConverter": {"double", float64S(), f64(-2.25)}, numbers + "BooleanConverter": {"boolean", boolS(), boolV(true)},
		numbers + "ByteArrayConverter": {"bytes", bytesS(), byt("\x00\xff")}, storage + "StringConverter": {"string", stringS(), str("käse")},
	}
	inputs := map[string]string{"empty": "", "one": "\x01", "zero": "\x00", "two": "\x7f\xff", "four": "\x3f\xc0\x00\x00", "eight": "\x40\x02\x00\x00\x00\x00\x00\x00", "nine": "123456789", "text": "hello", "utf8": "ä✓", "bad-utf8": "a\xff\xfeb", "two-as-boolean": "\x02"}
	for class, c := range sorted(classes) {
		for _, s := range samples() {
			f.from(fmt.Sprintf("%s/from-%s", c.name, s.name), class, options(), oracle.Data{Schema: s.schema, Value: s.value})
		}
		f.from(c.name+"/from-null", class, options(), oracle.Data{})
		f.from(c.name+"/from-null-with-schema", class, options(), oracle.Data{Schema: opt(c.schema)})
		f.from(c.name+"/from-schemaless", class, options(), oracle.Data{Value: c.value})
		f.from(c.name+"/from-named", class, options(), oracle.Data{Schema: full(opt(c.schema)), Value: c.value})
		for name, in := range sorted(inputs) {
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

func headers(f *file) {
	simple := storage + "SimpleHeaderConverter"
	to := func(name, class string, conf map[string]string, in *oracle.Payload) {
		f.converter(name, oracle.ToConnectHeader, class, conf, in, nil)
	}
	from := func(name, class string, conf map[string]string, d oracle.Data) {
		f.converter(name, oracle.FromConnectHeader, class, conf, nil, &d)
	}
	for name, text := range sorted(literals()) {
		in := oracle.Payload(text)
		to("simple/to-"+name, simple, options(), &in)
	}
	to("simple/to-null-bytes", simple, options(), nil)
	bad := oracle.Payload("a\xffb")
	to("simple/to-bad-utf8", simple, options(), &bad)
	for _, s := range jsonValues() {
		from("simple/from-"+s.name, simple, options(), oracle.Data{Schema: s.schema, Value: s.value})
	}
	from("simple/from-null", simple, options(), oracle.Data{})
	from("simple/from-null-with-schema", simple, options(), oracle.Data{Schema: opt(stringS())})
	for name, v := range sorted(map[string]value{
		"map":          obj("a", i32(1), "b", str("x \"y\"")),
		"array":        arr(i32(1), str("a"), null),
		"date":         date(stamp),
		"time":         date(1000),
		"day":          date(86400000),
		"before-epoch": date(-1),
		"decimal":      dec("12", -3),
		"string":       str("x"),
		"bytes":        byt("ab"),
		"nested":       obj("a", arr(obj("b", boolV(true)))),
	}) {
		from("simple/from-schemaless-"+name, simple, options(), oracle.Data{Value: v})
	}
	wire := oracle.Payload(`{"schema":{"type":"int32","optional":false},"payload":5}`)
	to("json/to", jsonC, options(), &wire)
	from("json/from", jsonC, options(), oracle.Data{Schema: int32S(), Value: i32(5)})
	from("json/from-plain", jsonC, options("schemas.enable", "false"), oracle.Data{Value: obj("a", i64(5))})
	text := oracle.Payload("007")
	for name, class := range sorted(map[string]string{"string": storage + "StringConverter", "bytes": numbers + "ByteArrayConverter"}) {
		to(name+"/to", class, options(), &text)
		to(name+"/to-null", class, options(), nil)
		from(name+"/from", class, options(), oracle.Data{Schema: stringS(), Value: str("x")})
		from(name+"/from-bytes", class, options(), oracle.Data{Schema: bytesS(), Value: byt("x")})
	}
	for name, c := range sorted(map[string]sample{
		"short":   {numbers + "ShortConverter", int16S(), i16(1)},
		"integer": {numbers + "IntegerConverter", int32S(), i32(1)},
		"long":    {numbers + "LongConverter", int64S(), i64(1)},
		"float":   {numbers + "FloatConverter", float32S(), f32(1.5)},
		"double":  {numbers + "DoubleConverter", float64S(), f64(1.5)},
		"boolean": {numbers + "BooleanConverter", boolS(), boolV(false)},
	}) {
		from(name+"/from", c.name, options(), oracle.Data{Schema: c.schema, Value: c.value})
		to(name+"/to-wrong-length", c.name, options(), &text)
	}
}
