package gen

import (
	"fmt"
	"math/big"

	"github.com/flowrecords/flow/internal/oracle"
)

// What cases are written with. Constructors of schemas and values have the
// names of Connect's types, so that a table of cases reads like one.

type (
	schema = *oracle.Schema
	value  = oracle.Value
)

func typ(k oracle.Kind) schema { return &oracle.Schema{Type: k} }

func boolS() schema    { return typ(oracle.Boolean) }
func int8S() schema    { return typ(oracle.Int8) }
func int16S() schema   { return typ(oracle.Int16) }
func int32S() schema   { return typ(oracle.Int32) }
func int64S() schema   { return typ(oracle.Int64) }
func float32S() schema { return typ(oracle.Float32) }
func float64S() schema { return typ(oracle.Float64) }
func stringS() schema  { return typ(oracle.String) }
func bytesS() schema   { return typ(oracle.Bytes) }

func arrayS(items schema) schema { return &oracle.Schema{Type: oracle.Array, Values: items} }
func mapS(keys, values schema) schema {
	return &oracle.Schema{Type: oracle.Map, Keys: keys, Values: values}
}

func structS(fields ...oracle.Field) schema {
	return &oracle.Schema{Type: oracle.Struct, Fields: append([]oracle.Field{}, fields...)}
}

func field(name string, s schema) oracle.Field { return oracle.Field{Name: name, Schema: s} }

func decimalS(scale int) schema {
	return param(version(named(bytesS(), oracle.DecimalName), 1), "scale", fmt.Sprint(scale))
}
func dateS() schema      { return version(named(int32S(), oracle.DateName), 1) }
func timeS() schema      { return version(named(int32S(), oracle.TimeName), 1) }
func timestampS() schema { return version(named(int64S(), oracle.TimestampName), 1) }

// opt, named, version, doc, param and def change a copy.
func opt(s schema) schema                  { c := *s; c.Optional = true; return &c }
func named(s schema, name string) schema   { c := *s; c.Name = &name; return &c }
func version(s schema, version int) schema { c := *s; c.Version = &version; return &c }
func doc(s schema, doc string) schema      { c := *s; c.Doc = &doc; return &c }
func def(s schema, v value) schema         { c := *s; c.Default = &v; return &c }
func param(s schema, key, val string) schema {
	c := *s
	c.Parameters = map[string]string{key: val}
	for k, v := range s.Parameters {
		c.Parameters[k] = v
	}
	return &c
}

// full gives a schema every attribute that is not part of its type.
func full(s schema) schema {
	return param(doc(version(named(s, "com.acme.Full"), 7), "what it is"), "unit", "EUR")
}

var null = value{}

func boolV(b bool) value       { return value{Kind: oracle.Boolean, Bool: b} }
func i8(n int8) value          { return value{Kind: oracle.Int8, Int: int64(n)} }
func i16(n int16) value        { return value{Kind: oracle.Int16, Int: int64(n)} }
func i32(n int32) value        { return value{Kind: oracle.Int32, Int: int64(n)} }
func i64(n int64) value        { return value{Kind: oracle.Int64, Int: n} }
func f32(f float32) value      { return value{Kind: oracle.Float32, Float: float64(f)} }
func f64(f float64) value      { return value{Kind: oracle.Float64, Float: f} }
func str(s string) value       { return value{Kind: oracle.String, Text: s} }
func byt(b string) value       { return value{Kind: oracle.Bytes, Bytes: []byte(b)} }
func date(millis int64) value  { return value{Kind: oracle.Date, Int: millis} }
func arr(items ...value) value { return value{Kind: oracle.Array, Items: items} }

// dec is a decimal from its unscaled digits.
func dec(unscaled string, scale int) value {
	n, ok := new(big.Int).SetString(unscaled, 10)
	if !ok {
		panic("not an integer: " + unscaled)
	}
	return value{Kind: oracle.Decimal, Unscaled: n, Scale: scale}
}

// mapV takes keys and values in turn.
func mapV(pairs ...value) value {
	v := value{Kind: oracle.Map}
	for i := 0; i < len(pairs); i += 2 {
		v.Pairs = append(v.Pairs, oracle.Pair{Key: pairs[i], Value: pairs[i+1]})
	}
	return v
}

// obj is a map with names as keys, what an object of JSON becomes.
func obj(namesAndValues ...any) value {
	v := value{Kind: oracle.Map}
	for i := 0; i < len(namesAndValues); i += 2 {
		v.Pairs = append(v.Pairs, oracle.Pair{Key: str(namesAndValues[i].(string)), Value: namesAndValues[i+1].(value)})
	}
	return v
}

// structV takes names and values in turn; a field that is left out is not set.
func structV(namesAndValues ...any) value {
	v := value{Kind: oracle.Struct}
	for i := 0; i < len(namesAndValues); i += 2 {
		v.Fields = append(v.Fields, oracle.NamedValue{Name: namesAndValues[i].(string), Value: namesAndValues[i+1].(value)})
	}
	return v
}

// member is a field of a record that is a struct or, without schema, a map.
type member struct {
	name   string
	schema schema
	value  value
}

// form is whether records have a schema.
type form string

const (
	withSchema form = "schema"
	schemaless form = "schemaless"
)

var forms = []form{withSchema, schemaless}

// data is a struct of the members, or a map of them.
func (f form) data(members ...member) oracle.Data {
	if f == schemaless {
		v := value{Kind: oracle.Map}
		for _, m := range members {
			v.Pairs = append(v.Pairs, oracle.Pair{Key: str(m.name), Value: plainOf(m.value)})
		}
		return oracle.Data{Value: v}
	}
	s, v := structS(), value{Kind: oracle.Struct}
	for _, m := range members {
		s.Fields = append(s.Fields, field(m.name, m.schema))
		if !m.value.IsNull() {
			v.Fields = append(v.Fields, oracle.NamedValue{Name: m.name, Value: m.value})
		}
	}
	return oracle.Data{Schema: s, Value: v}
}

// one is a single value, with or without its schema.
func (f form) one(s schema, v value) oracle.Data {
	if f == schemaless {
		return oracle.Data{Value: plainOf(v)}
	}
	return oracle.Data{Schema: s, Value: v}
}

// plainOf turns structs into maps.
func plainOf(v value) value {
	switch v.Kind {
	case oracle.Struct:
		m := value{Kind: oracle.Map}
		for _, f := range v.Fields {
			m.Pairs = append(m.Pairs, oracle.Pair{Key: str(f.Name), Value: plainOf(f.Value)})
		}
		return m
	case oracle.Array:
		a := value{Kind: oracle.Array}
		for _, i := range v.Items {
			a.Items = append(a.Items, plainOf(i))
		}
		return a
	case oracle.Map:
		m := value{Kind: oracle.Map}
		for _, p := range v.Pairs {
			m.Pairs = append(m.Pairs, oracle.Pair{Key: p.Key, Value: plainOf(p.Value)})
		}
		return m
	}
	return v
}

// variant is the part of the record that a transform works on.
type variant string

const (
	onKey   variant = "Key"
	onValue variant = "Value"
)

var variants = []variant{onKey, onValue}

// sink is the record of most cases, with data at the variant's place.
func (v variant) sink(d oracle.Data) oracle.Record {
	r := sink()
	if v == onKey {
		r.Key = d
	} else {
		r.Value = d
	}
	return r
}

// stamp is 2023-11-14T22:13:20.123Z.
const stamp = 1700000000123

func sink() oracle.Record {
	offset, partition, timestamp, topic := int64(42), int32(3), int64(stamp), "orders"
	return oracle.Record{
		Kind: "sink", Offset: &offset, Partition: &partition, Timestamp: &timestamp, Topic: &topic,
		Key: oracle.Data{Schema: stringS(), Value: str("k1")}, Value: oracle.Data{Schema: stringS(), Value: str("v1")},
		Headers: []oracle.Header{},
	}
}

// source is a record as a source's connector makes it: no offset, and nothing
// says its partition and time.
func source() oracle.Record {
	r := sink()
	r.Kind, r.Offset, r.Partition, r.Timestamp = "source", nil, nil, nil
	return r
}

func header(name string, s schema, v value) oracle.Header {
	return oracle.Header{Name: name, Schema: s, Value: v}
}

// sample is a value of a type; each type of Connect has one.
type sample struct {
	name   string
	schema schema
	value  value
}

func samples() []sample {
	inner := structS(field("x", int64S()), field("y", opt(stringS())))
	return []sample{
		{"boolean", boolS(), boolV(true)},
		{"int8", int8S(), i8(5)},
		{"int16", int16S(), i16(300)},
		{"int32", int32S(), i32(70000)},
		{"int64", int64S(), i64(9007199254740993)},
		{"float32", float32S(), f32(1.5)},
		{"float64", float64S(), f64(2.25)},
		{"string", stringS(), str("käse \"x\"")},
		{"bytes", bytesS(), byt("\x00\x01\xfe")},
		{"decimal", decimalS(2), dec("1234", 2)},
		{"date", dateS(), date(19675 * 86400000)},
		{"time", timeS(), date(3723004)},
		{"timestamp", timestampS(), date(stamp)},
		{"array", arrayS(stringS()), arr(str("a"), str("b"))},
		{"map", mapS(stringS(), int64S()), obj("a", i64(1), "b", i64(2))},
		{"struct", inner, structV("x", i64(1), "y", str("z"))},
	}
}

// options are Connect's, a name and its text in turn.
func options(namesAndValues ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(namesAndValues); i += 2 {
		m[namesAndValues[i]] = namesAndValues[i+1]
	}
	return m
}

const classes = "org.apache.kafka.connect.transforms."

// step is a transform without variant; on one of its variants it is step(v.of("Cast"), ...).
func step(class string, namesAndValues ...string) oracle.Step {
	return oracle.Step{Class: classes + class, Config: options(namesAndValues...)}
}

func (v variant) of(class string) string { return class + "$" + string(v) }

// when gives a step a predicate.
func when(s oracle.Step, negate bool, predicate string, namesAndValues ...string) oracle.Step {
	s.Predicate = &oracle.PredicateSpec{Class: classes + "predicates." + predicate, Config: options(namesAndValues...), Negate: negate}
	return s
}

// file gathers the cases of one file.
type file struct {
	name  string
	cases []oracle.Case
}

func (f *file) transform(name string, r oracle.Record, chain ...oracle.Step) {
	f.cases = append(f.cases, oracle.Case{Name: f.name + "/" + name, Op: oracle.Transform, Chain: chain, Record: &r})
}

func (f *file) add(name string, c oracle.Case) {
	c.Name = f.name + "/" + name
	f.cases = append(f.cases, c)
}

// nullsOnKey are the cases of replace.null.with.default on a key, whose field a
// is null and has a default.
func (f *file) nullsOnKey(class string, namesAndValues ...string) {
	s := structS(field("a", opt(def(timestampS(), date(1000)))), field("b", opt(def(int64S(), i64(5)))))
	for _, replace := range []string{"true", "false"} {
		conf := append([]string{"replace.null.with.default", replace}, namesAndValues...)
		f.transform("key/default-replace-"+replace, onKey.sink(oracle.Data{Schema: s, Value: structV()}), step(onKey.of(class), conf...))
	}
}
