package gen

import (
	"fmt"
	"math"
	"strings"

	"github.com/flowrecords/flow/internal/oracle"
)

var castTargets = []string{"int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string"}

// castEdges are values where Java's conversions differ from what one expects:
// the ends of each range, what does not fit, halves and what is no number.
// Float texts are among those that every version of Java writes alike.
func castEdges() []struct {
	name   string
	schema schema
	values []value
} {
	const day = 86400000
	nan, inf := math.NaN(), math.Inf(1)
	return []struct {
		name   string
		schema schema
		values []value
	}{
		{"int8", int8S(), []value{i8(0), i8(1), i8(-128), i8(127)}},
		{"int16", int16S(), []value{i16(-129), i16(300), i16(math.MinInt16), i16(math.MaxInt16)}},
		{"int32", int32S(), []value{i32(70000), i32(16777217), i32(math.MinInt32), i32(math.MaxInt32)}},
		{"int64", int64S(), []value{i64(9007199254740993), i64(-1), i64(math.MinInt64), i64(math.MaxInt64), i64(4294967296)}},
		{"float32", float32S(), []value{f32(1.9), f32(-1.9), f32(0.4), f32(300.5), f32(1e10), f32(float32(nan)), f32(float32(inf)), f32(float32(-inf)), f32(float32(math.Copysign(0, -1)))}},
		{"float64", float64S(), []value{f64(1.9), f64(-1.9), f64(-0.4), f64(300.7), f64(-129.5), f64(3e9), f64(1e19), f64(1e300), f64(0.1), f64(nan), f64(inf), f64(-inf), f64(math.Copysign(0, -1))}},
		{"boolean", boolS(), []value{boolV(true), boolV(false)}},
		{"bytes", bytesS(), []value{byt("\x00\x01\xfe\xff"), byt("")}},
		{"decimal2", decimalS(2), []value{dec("1234", 2), dec("-1299", 2), dec("30055", 2), dec("40", 2), dec("0", 2), dec("123456789012345678901234567890", 2)}},
		{"decimal-3", decimalS(-3), []value{dec("12", -3), dec("-1", -3)}},
		{"decimal10", decimalS(10), []value{dec("1", 10), dec("-123", 10)}},
		{"date", dateS(), []value{date(19675 * day), date(0), date(-day)}},
		{"time", timeS(), []value{date(0), date(3723004), date(day - 1)}},
		{"timestamp", timestampS(), []value{date(stamp), date(0), date(19675 * day), date(-1), date(4102444800000)}},
	}
}

var castTexts = []struct{ name, text string }{
	{"integer", "12"}, {"negative", "-129"}, {"plus", "+7"}, {"fraction", "1.5"}, {"exponent", "1e3"}, {"true", "true"}, {"upper-true", "TRUE"}, {"yes", "yes"}, {"word", "abc"},
	{"empty", ""}, {"spaces", " 12 "}, {"nan", "NaN"}, {"infinity", "-Infinity"}, {"beyond-int64", "9223372036854775808"}, {"max-int64", "9223372036854775807"}, {"hex", "0x10"}, {"suffix", "1.5f"}, {"beyond-float64", "1e400"},
}

func cast(f *file) {
	for _, e := range castEdges() {
		for _, target := range castTargets {
			for _, fm := range forms {
				var members []member
				var spec []string
				for i, v := range e.values {
					name := fmt.Sprintf("v%d", i)
					members = append(members, member{name, e.schema, v})
					spec = append(spec, name+":"+target)
				}
				f.transform(fmt.Sprintf("%s/%s-to-%s", fm, e.name, target), onValue.sink(fm.data(members...)), step("Cast$Value", "spec", strings.Join(spec, ",")))
			}
		}
	}
	for _, text := range castTexts {
		for _, target := range castTargets {
			f.transform(fmt.Sprintf("text/%s-to-%s", text.name, target), onValue.sink(withSchema.data(member{"v", stringS(), str(text.text)})), step("Cast$Value", "spec", "v:"+target))
		}
	}
	for _, target := range []string{"int32", "float64", "boolean"} {
		f.transform("text/schemaless/word-to-"+target, onValue.sink(schemaless.data(member{"v", stringS(), str("abc")})), step("Cast$Value", "spec", "v:"+target))
		f.transform("text/schemaless/integer-to-"+target, onValue.sink(schemaless.data(member{"v", stringS(), str("12")})), step("Cast$Value", "spec", "v:"+target))
	}
	castContainers(f)
	castAttributes(f)
	castWhole(f)
	castConfig(f)
}

func castContainers(f *file) {
	for _, s := range samples() {
		switch s.name {
		case "array", "map", "struct":
			for _, fm := range forms {
				for _, target := range []string{"string", "int32"} {
					f.transform(fmt.Sprintf("%s/%s-to-%s", fm, s.name, target), onValue.sink(fm.data(member{"v", s.schema, s.value})), step("Cast$Value", "spec", "v:"+target))
				}
			}
		}
	}
}

func castAttributes(f *file) {
	spec := []string{"spec", "v:int64"}
	for _, fm := range forms {
		f.transform(fmt.Sprintf("%s/null-field", fm), onValue.sink(fm.data(member{"v", opt(int32S()), null})), step("Cast$Value", spec...))
		f.transform(fmt.Sprintf("%s/missing-field", fm), onValue.sink(fm.data(member{"other", int32S(), i32(1)})), step("Cast$Value", spec...))
		f.transform(fmt.Sprintf("%s/others-stay", fm), onValue.sink(fm.data(member{"v", int32S(), i32(1)}, member{"a", full(stringS()), str("x")}, member{"b", opt(bytesS()), null})), step("Cast$Value", spec...))
		f.transform(fmt.Sprintf("%s/null-record", fm), onValue.sink(fm.one(opt(structS(field("v", int32S()))), null)), step("Cast$Value", spec...))
		f.transform(fmt.Sprintf("%s/on-key", fm), onKey.sink(fm.data(member{"v", int32S(), i32(1)}, member{"w", stringS(), str("5")})), step("Cast$Key", "spec", "v:string,w:int8"))
		f.transform(fmt.Sprintf("%s/on-key-null", fm), onKey.sink(fm.one(opt(structS(field("v", int32S()))), null)), step("Cast$Key", spec...))
		f.transform(fmt.Sprintf("%s/dotted-name-is-literal", fm), onValue.sink(fm.data(member{"a.b", int32S(), i32(1)}, member{"a", structS(field("b", int32S())), structV("b", i32(2))})), step("Cast$Value", "spec", "a.b:string"))
	}
	f.transform("schema/tombstone", onValue.sink(oracle.Data{}), step("Cast$Value", spec...))
	for name, s := range sorted(map[string]schema{
		"optional":         opt(int32S()),
		"default":          def(int32S(), i32(7)),
		"optional-default": opt(def(int32S(), i32(7))),
		"full":             full(int32S()),
		"full-default":     def(full(opt(int32S())), i32(9)),
	}) {
		f.transform("schema/attributes-"+name, onValue.sink(oracle.Data{Schema: structS(field("v", s)), Value: structV("v", i32(1))}), step("Cast$Value", spec...))
		if s.Optional || s.Default != nil {
			for _, replace := range []string{"true", "false"} {
				f.transform("schema/attributes-"+name+"-null-replace-"+replace, onValue.sink(oracle.Data{Schema: structS(field("v", s)), Value: structV()}), step("Cast$Value", "spec", "v:string", "replace.null.with.default", replace))
			}
		}
	}
	f.transform("schema/attributes-of-struct", onValue.sink(oracle.Data{Schema: full(opt(structS(field("v", int32S())))), Value: structV("v", i32(1))}), step("Cast$Value", spec...))
	f.transform("schema/default-of-struct", onValue.sink(oracle.Data{Schema: def(structS(field("v", int32S())), structV("v", i32(3))), Value: structV("v", i32(1))}), step("Cast$Value", spec...))
	f.transform("schema/string-default-to-number", onValue.sink(oracle.Data{Schema: structS(field("v", def(stringS(), str("12")))), Value: structV("v", str("5"))}), step("Cast$Value", spec...))
	f.transform("schema/bad-string-default", onValue.sink(oracle.Data{Schema: structS(field("v", def(stringS(), str("none")))), Value: structV("v", str("5"))}), step("Cast$Value", spec...))
	f.transform("schema/time-default", onValue.sink(oracle.Data{Schema: structS(field("v", def(timestampS(), date(1000)))), Value: structV("v", date(stamp))}), step("Cast$Value", spec...))
	f.nullsOnKey("Cast", "spec", "b:string")
}

func castWhole(f *file) {
	for _, s := range samples() {
		for _, target := range []string{"string", "int64", "boolean"} {
			for _, fm := range forms {
				f.transform(fmt.Sprintf("whole/%s/%s-to-%s", fm, s.name, target), onValue.sink(fm.one(s.schema, s.value)), step("Cast$Value", "spec", target))
			}
		}
	}
	for _, v := range variants {
		for _, target := range castTargets {
			f.transform(fmt.Sprintf("whole/%s/text-to-%s", v, target), v.sink(withSchema.one(stringS(), str("101"))), step(v.of("Cast"), "spec", target))
		}
	}
	f.transform("whole/attributes", onValue.sink(oracle.Data{Schema: def(opt(full(int32S())), i32(3)), Value: i32(1)}), step("Cast$Value", "spec", "string"))
	f.transform("whole/null", onValue.sink(oracle.Data{Schema: opt(int32S())}), step("Cast$Value", "spec", "string"))
	f.transform("whole/null-with-default", onValue.sink(oracle.Data{Schema: opt(def(int32S(), i32(3)))}), step("Cast$Value", "spec", "string"))
	f.transform("whole/null-schemaless", onValue.sink(oracle.Data{}), step("Cast$Value", "spec", "string"))
	f.transform("whole/fields-of-no-struct", onValue.sink(withSchema.one(int32S(), i32(1))), step("Cast$Value", "spec", "v:string"))
	f.transform("whole/fields-of-no-map", onValue.sink(schemaless.one(int32S(), i32(1))), step("Cast$Value", "spec", "v:string"))
}

func castConfig(f *file) {
	r := onValue.sink(withSchema.data(member{"v", int32S(), i32(1)}, member{"w", stringS(), str("2")}))
	for name, spec := range sorted(map[string]string{
		"empty":          "",
		"unknown-type":   "v:int128",
		"bytes":          "v:bytes",
		"array":          "v:array",
		"struct":         "struct",
		"two-bare":       "int8,int16",
		"bare-and-field": "v:int8,int16",
		"three-parts":    "v:int8:int16",
		"twice":          "v:int8,v:int16",
		"spaces":         " v : int8 , w:int16 ",
		"upper":          "v:INT8",
		"only-colon":     ":",
		"no-type":        "v:",
		"no-field":       ":int8",
		"trailing-comma": "v:int8,",
		"float":          "v:float",
		"decimal":        "v:decimal",
	}) {
		f.transform("config/"+name, r, step("Cast$Value", "spec", spec))
	}
	f.transform("config/no-spec", r, step("Cast$Value"))
	f.transform("config/bad-replace-null", r, step("Cast$Value", "spec", "v:int8", "replace.null.with.default", "perhaps"))
	f.transform("config/unknown-option", r, step("Cast$Value", "spec", "v:int8", "no.such.option", "x"))
}
