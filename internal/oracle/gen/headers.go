package gen

import (
	"fmt"

	"github.com/flowrecords/flow/internal/oracle"
)

func headerFrom(f *file) {
	for _, s := range samples() {
		for _, fm := range forms {
			for _, op := range []string{"move", "copy"} {
				f.transform(fmt.Sprintf("%s/%s-%s", fm, op, s.name), onValue.sink(fm.data(member{"a", s.schema, s.value}, member{"b", int64S(), i64(1)})), step("HeaderFrom$Value", "fields", "a", "headers", "h", "operation", op))
			}
		}
	}
	for _, v := range variants {
		for _, fm := range forms {
			for _, op := range []string{"move", "copy"} {
				name := func(s string) string { return fmt.Sprintf("%s/%s/%s-%s", v, fm, op, s) }
				conf := []string{"fields", "a,b", "headers", "ha,hb", "operation", op}
				d := fm.data(member{"a", full(opt(stringS())), str("x")}, member{"b", int64S(), i64(1)}, member{"c", boolS(), boolV(true)})
				f.transform(name("two"), v.sink(d), step(v.of("HeaderFrom"), conf...))
				r := v.sink(d)
				r.Headers = []oracle.Header{header("ha", stringS(), str("there")), header("x", nil, i64(1))}
				f.transform(name("appends"), r, step(v.of("HeaderFrom"), conf...))
				f.transform(name("missing"), v.sink(fm.data(member{"a", stringS(), str("x")})), step(v.of("HeaderFrom"), conf...))
				f.transform(name("null-field"), v.sink(fm.data(member{"a", opt(stringS()), null}, member{"b", int64S(), i64(1)})), step(v.of("HeaderFrom"), conf...))
				f.transform(name("null-record"), v.sink(fm.one(opt(structS(field("a", stringS()))), null)), step(v.of("HeaderFrom"), conf...))
				f.transform(name("not-a-struct"), v.sink(fm.one(stringS(), str("x"))), step(v.of("HeaderFrom"), conf...))
				f.transform(name("same-header"), v.sink(d), step(v.of("HeaderFrom"), "fields", "a,b", "headers", "h,h", "operation", op))
				f.transform(name("same-field"), v.sink(d), step(v.of("HeaderFrom"), "fields", "a,a", "headers", "h1,h2", "operation", op))
			}
		}
	}
	for _, replace := range []string{"true", "false"} {
		for _, op := range []string{"move", "copy"} {
			f.transform(fmt.Sprintf("default-%s-replace-%s", op, replace), onValue.sink(oracle.Data{Schema: structS(field("a", opt(def(int64S(), i64(5)))), field("b", opt(def(int64S(), i64(6))))), Value: structV()}), step("HeaderFrom$Value", "fields", "a", "headers", "h", "operation", op, "replace.null.with.default", replace))
		}
	}
	f.transform("attributes-stay", onValue.sink(oracle.Data{Schema: full(opt(structS(field("a", int64S()), field("b", full(int64S()))))), Value: structV("a", i64(1), "b", i64(2))}), step("HeaderFrom$Value", "fields", "a", "headers", "h", "operation", "move"))
	r := onValue.sink(withSchema.data(member{"a", stringS(), str("x")}))
	for name, conf := range sorted(map[string][]string{
		"no-fields":       {"headers", "h", "operation", "move"},
		"no-headers":      {"fields", "a", "operation", "move"},
		"no-operation":    {"fields", "a", "headers", "h"},
		"bad-operation":   {"fields", "a", "headers", "h", "operation", "cut"},
		"upper-operation": {"fields", "a", "headers", "h", "operation", "MOVE"},
		"lengths":         {"fields", "a", "headers", "h,i", "operation", "move"},
		"empty-fields":    {"fields", "", "headers", "h", "operation", "move"},
		"empty-headers":   {"fields", "a", "headers", "", "operation", "move"},
	}) {
		f.transform("config/"+name, r, step("HeaderFrom$Value", conf...))
	}
	f.nullsOnKey("HeaderFrom", "fields", "a", "headers", "h", "operation", "copy")
}

func insertHeader(f *file) {
	for name, literal := range sorted(literals()) {
		f.transform("literal/"+name, sink(), step("InsertHeader", "header", "h", "value.literal", literal))
	}
	r := sink()
	r.Headers = []oracle.Header{header("h", stringS(), str("there")), header("x", nil, i64(1))}
	f.transform("appends", r, step("InsertHeader", "header", "h", "value.literal", "new"))
	f.transform("tombstone", onValue.sink(oracle.Data{}), step("InsertHeader", "header", "h", "value.literal", "new"))
	f.transform("source", source(), step("InsertHeader", "header", "h", "value.literal", "new"))
	f.transform("config/no-header", sink(), step("InsertHeader", "value.literal", "new"))
	f.transform("config/no-literal", sink(), step("InsertHeader", "header", "h"))
	f.transform("config/empty-header", sink(), step("InsertHeader", "header", "", "value.literal", "new"))
}

// literals are texts whose type Connect guesses.
func literals() map[string]string {
	return map[string]string{
		"word":                 "abc",
		"empty":                "",
		"space":                " ",
		"spaced-word":          " abc ",
		"null":                 "null",
		"upper-null":           "NULL",
		"true":                 "true",
		"false":                "false",
		"upper-true":           "TRUE",
		"int8":                 "1",
		"int8-max":             "127",
		"int16":                "128",
		"int16-min":            "-32768",
		"int32":                "40000",
		"int64":                "3000000000",
		"beyond-int64":         "9223372036854775808",
		"negative":             "-5",
		"plus":                 "+5",
		"leading-zeros":        "007",
		"spaced-number":        " 5 ",
		"float32":              "1.5",
		"float-tenth":          "0.1",
		"float64":              "1.23456789012345",
		"float-digits":         "1234567890123456789.123456789",
		"exponent":             "1e3",
		"big-exponent":         "1e400",
		"nan":                  "NaN",
		"infinity":             "Infinity",
		"date":                 "2023-11-14",
		"bad-date":             "2023-13-45",
		"time":                 "22:13:20.123Z",
		"time-no-zone":         "22:13:20",
		"timestamp":            "2023-11-14T22:13:20.123Z",
		"timestamp-no-millis":  "2023-11-14T22:13:20Z",
		"timestamp-offset":     "2023-11-14T22:13:20.123+0100",
		"year":                 "2023",
		"year-month":           "2023-11",
		"array-empty":          "[]",
		"array-ints":           "[1, 2, 3]",
		"array-mixed-ints":     "[1, 200, 70000]",
		"array-mixed":          "[1, \"a\"]",
		"array-strings":        "[\"a\",\"b\"]",
		"array-bare-strings":   "[a, b]",
		"array-nested":         "[[1],[2]]",
		"array-null":           "[1,null]",
		"array-open":           "[1, 2",
		"array-trailing-comma": "[1,2,]",
		"array-floats":         "[1.5, 2]",
		"map-empty":            "{}",
		"map":                  "{\"a\":1,\"b\":2}",
		"map-mixed":            "{\"a\":1,\"b\":\"x\"}",
		"map-bare-keys":        "{a:1}",
		"map-int-keys":         "{1:2}",
		"map-null":             "{\"a\":null}",
		"map-nested":           "{\"a\":{\"b\":1}}",
		"map-open":             "{\"a\":1",
		"map-array":            "{\"a\":[1,2]}",
		"quoted":               "\"abc\"",
		"quoted-number":        "\"12\"",
		"quoted-escaped":       "\"a\\\"b\"",
		"quote-open":           "\"abc",
		"single-quoted":        "'abc'",
		"unicode":              "käse ✓",
		"base64-like":          "AAEC",
		"colon":                "a:b",
		"comma":                "a,b",
		"url":                  "http://x/y?z=1",
		"braces-inside":        "a{b}",
		"uuid":                 "123e4567-e89b-12d3-a456-426614174000",
		"version":              "1.2.3",
		"minus":                "-",
		"dot":                  ".",
		"backslash":            "a\\b",
		"true-spaced":          " true ",
		"null-spaced":          " null ",
	}
}

func dropHeaders(f *file) {
	all := []oracle.Header{header("a", stringS(), str("1")), header("b", int64S(), i64(2)), header("a", nil, str("3")), header("c.d", opt(stringS()), null), header("A", nil, boolV(true))}
	for name, list := range sorted(map[string]string{
		"one":      "b",
		"repeated": "a",
		"two":      "a,b",
		"missing":  "nope",
		"all":      "a,b,c.d,A",
		"dotted":   "c.d",
		"case":     "A",
		"spaces":   " a , b ",
		"empty":    "",
		"twice":    "a,a",
		"pattern":  ".*",
	}) {
		r := sink()
		r.Headers = all
		f.transform(name, r, step("DropHeaders", "headers", list))
	}
	f.transform("no-headers", sink(), step("DropHeaders", "headers", "a"))
	r := source()
	r.Headers = all
	r.Value = oracle.Data{}
	f.transform("tombstone-of-source", r, step("DropHeaders", "headers", "a"))
	f.transform("config/none", sink(), step("DropHeaders"))
}
