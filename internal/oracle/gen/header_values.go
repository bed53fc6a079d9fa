package gen

import (
	"fmt"

	"github.com/flowrecords/flow/internal/oracle"
)

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
	headerGrid(f)
}

// headerGrid asks each converter of headers for every value and every text.
func headerGrid(f *file) {
	plain := options("schemas.enable", "false")
	for name, c := range sorted(map[string]oracle.ConverterSpec{
		"string":     {Class: storage + "StringConverter", Config: options()},
		"bytes":      {Class: numbers + "ByteArrayConverter", Config: options()},
		"json":       {Class: jsonC, Config: options()},
		"json-plain": {Class: jsonC, Config: plain},
	}) {
		for _, s := range jsonValues() {
			f.headerFrom(fmt.Sprintf("%s/from/%s", name, s.name), c, oracle.Data{Schema: s.schema, Value: s.value})
			if s.schema.Keys == nil || s.schema.Keys.Type != oracle.Struct { // which needs its schema
				f.headerFrom(fmt.Sprintf("%s/from-schemaless/%s", name, s.name), c, oracle.Data{Value: plainOf(s.value)})
			}
			wire := oracle.Wire{Envelope: name == "json", KeepNulls: true}
			if text, err := wire.Write(oracle.Data{Schema: s.schema, Value: s.value}); err == nil && (name == "json" || name == "json-plain") {
				f.headerTo(fmt.Sprintf("%s/to/%s", name, s.name), c, string(text))
			}
		}
		f.headerFrom(name+"/from/null", c, oracle.Data{})
		f.headerFrom(name+"/from/null-with-schema", c, oracle.Data{Schema: opt(stringS())})
		if name == "json" {
			continue // no text is an envelope
		}
		for what, text := range sorted(literals()) {
			f.headerTo(fmt.Sprintf("%s/to-text/%s", name, what), c, text)
		}
		for what, text := range sorted(literals()) {
			f.headerFrom(fmt.Sprintf("%s/from-text/%s", name, what), c, oracle.Data{Schema: stringS(), Value: str(text)})
		}
	}
	for name, class := range sorted(numberClasses()) {
		c := oracle.ConverterSpec{Class: numbers + class, Config: options()}
		for _, s := range jsonValues() {
			if s.schema.Logical() == "" && len(s.schema.Fields) == 0 {
				f.headerFrom(fmt.Sprintf("%s/from/%s", name, s.name), c, oracle.Data{Schema: s.schema, Value: s.value})
			}
		}
		for what, in := range sorted(sizes()) {
			f.headerTo(fmt.Sprintf("%s/to/%s", name, what), c, in)
		}
	}
}

// numberClasses are Connect's converters of one type by their names in cases.
func numberClasses() map[string]string {
	return map[string]string{"short": "ShortConverter", "integer": "IntegerConverter", "long": "LongConverter", "float": "FloatConverter", "double": "DoubleConverter", "boolean": "BooleanConverter"}
}

func (f *file) headerFrom(name string, c oracle.ConverterSpec, d oracle.Data) {
	f.converter(name, oracle.FromConnectHeader, c.Class, c.Config, nil, &d)
}

func (f *file) headerTo(name string, c oracle.ConverterSpec, in string) {
	p := oracle.Payload(in)
	f.converter(name, oracle.ToConnectHeader, c.Class, c.Config, &p, nil)
}
