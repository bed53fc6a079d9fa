package gen

import (
	"fmt"

	"github.com/flowrecords/flow/internal/oracle"
)

func flatten(f *file) {
	address := structS(field("street", opt(stringS())), field("geo", opt(structS(field("lat", float64S()), field("lon", float64S())))))
	members := []member{
		{"id", int64S(), i64(9007199254740993)},
		{"address", address, structV("street", str("Main"), "geo", structV("lat", f64(1.5), "lon", f64(-2.5)))},
		{"tags", arrayS(stringS()), arr(str("a"))},
	}
	for _, v := range variants {
		for _, fm := range forms {
			name := func(s string) string { return fmt.Sprintf("%s/%s/%s", v, fm, s) }
			f.transform(name("nested"), v.sink(fm.data(members...)), step(v.of("Flatten")))
			for tag, delimiter := range sorted(map[string]string{"underscore": "_", "empty": "", "words": "::", "space": " "}) {
				f.transform(name("delimiter-"+tag), v.sink(fm.data(members...)), step(v.of("Flatten"), "delimiter", delimiter))
			}
			f.transform(name("null-record"), v.sink(fm.one(opt(structS(field("a", int32S()))), null)), step(v.of("Flatten")))
			f.transform(name("not-a-struct"), v.sink(fm.one(int32S(), i32(1))), step(v.of("Flatten")))
			f.transform(name("flat-already"), v.sink(fm.data(members[0])), step(v.of("Flatten")))
			f.transform(name("no-fields"), v.sink(fm.data()), step(v.of("Flatten")))
			f.transform(name("null-parent"), v.sink(fm.data(member{"p", opt(address), null}, members[0])), step(v.of("Flatten")))
			f.transform(name("null-leaf"), v.sink(fm.data(member{"p", address, structV()})), step(v.of("Flatten")))
			f.transform(name("collision"), v.sink(fm.data(member{"a", structS(field("b", int32S())), structV("b", i32(1))}, member{"a.b", int32S(), i32(2)})), step(v.of("Flatten")))
			f.transform(name("empty-child"), v.sink(fm.data(member{"p", structS(), structV()}, members[0])), step(v.of("Flatten")))
			f.transform(name("array-of-structs"), v.sink(fm.data(member{"p", arrayS(address), arr(structV("street", str("x")))})), step(v.of("Flatten")))
		}
	}
	for _, s := range samples() {
		for _, fm := range forms {
			f.transform(fmt.Sprintf("%s/top-%s", fm, s.name), onValue.sink(fm.data(member{"a", s.schema, s.value})), step("Flatten$Value"))
			f.transform(fmt.Sprintf("%s/inside-%s", fm, s.name), onValue.sink(fm.data(member{"p", structS(field("a", s.schema)), structV("a", s.value)})), step("Flatten$Value"))
		}
	}
	for name, c := range sorted(map[string]struct {
		s schema
		v value
	}{
		"optional-parent":            {structS(field("p", opt(structS(field("a", int32S()))))), structV("p", structV("a", i32(1)))},
		"optional-parent-null":       {structS(field("p", opt(structS(field("a", int32S()))))), structV()},
		"optional-grandparent":       {structS(field("g", opt(structS(field("p", structS(field("a", int32S()))))))), structV("g", structV("p", structV("a", i32(1))))},
		"child-default":              {structS(field("p", structS(field("a", def(int32S(), i32(5)))))), structV("p", structV())},
		"child-default-in-optional":  {structS(field("p", opt(structS(field("a", def(int32S(), i32(5))))))), structV()},
		"parent-default":             {structS(field("p", def(structS(field("a", int32S())), structV("a", i32(6))))), structV()},
		"parent-default-optional":    {structS(field("p", opt(def(structS(field("a", int32S())), structV("a", i32(6)))))), structV()},
		"parent-default-over-child":  {structS(field("p", def(structS(field("a", def(int32S(), i32(5)))), structV("a", i32(6))))), structV()},
		"parent-default-null-child":  {structS(field("p", def(structS(field("a", opt(int32S())), field("b", int32S())), structV("b", i32(6))))), structV()},
		"attributes-of-top":          {full(opt(structS(field("a", int32S())))), structV("a", i32(1))},
		"attributes-of-child":        {structS(field("p", full(structS(field("a", full(opt(int32S()))))))), structV("p", structV("a", i32(1)))},
		"default-of-top":             {def(structS(field("p", structS(field("a", int32S())))), structV("p", structV("a", i32(2)))), structV("p", structV("a", i32(1)))},
		"four-levels":                {structS(field("a", structS(field("b", structS(field("c", structS(field("d", stringS())))))))), structV("a", structV("b", structV("c", structV("d", str("deep")))))},
		"optional-map":               {structS(field("m", opt(mapS(stringS(), stringS())))), structV()},
		"optional-array-null":        {structS(field("m", opt(arrayS(stringS())))), structV()},
		"array-default":              {structS(field("m", def(arrayS(stringS()), arr(str("d"))))), structV()},
		"decimal-in-optional-parent": {structS(field("p", opt(structS(field("a", decimalS(2)))))), structV("p", structV("a", dec("1234", 2)))},
	}) {
		f.transform("schema/"+name, onValue.sink(oracle.Data{Schema: c.s, Value: c.v}), step("Flatten$Value"))
	}
	f.transform("schemaless/map-with-number-keys", onValue.sink(oracle.Data{Value: obj("p", mapV(i32(1), str("x")))}), step("Flatten$Value"))
	f.transform("schemaless/map-with-null-value", onValue.sink(oracle.Data{Value: obj("p", obj("a", null))}), step("Flatten$Value"))
	f.transform("schemaless/collision-other-order", onValue.sink(oracle.Data{Value: obj("a.b", i32(2), "a", obj("b", i32(1)))}), step("Flatten$Value"))
	f.transform("tombstone", onValue.sink(oracle.Data{}), step("Flatten$Value"))
}

func setSchemaMetadata(f *file) {
	d := oracle.Data{Schema: full(opt(structS(field("a", full(int32S()))))), Value: structV("a", i32(1))}
	plain := oracle.Data{Schema: structS(field("a", int32S())), Value: structV("a", i32(1))}
	for _, v := range variants {
		for name, conf := range sorted(map[string][]string{
			"name": {"schema.name", "com.acme.New"}, "version": {"schema.version", "12"}, "both": {"schema.name", "com.acme.New", "schema.version", "12"}, "neither": {}, "empty-name": {"schema.name", ""}, "odd-name": {"schema.name", "not a name!"},
			"negative-version": {"schema.version", "-1"}, "bad-version": {"schema.version", "x"}, "big-version": {"schema.version", "2147483648"},
		}) {
			f.transform(fmt.Sprintf("%s/full/%s", v, name), v.sink(d), step(v.of("SetSchemaMetadata"), conf...))
			f.transform(fmt.Sprintf("%s/plain/%s", v, name), v.sink(plain), step(v.of("SetSchemaMetadata"), conf...))
		}
		f.transform(fmt.Sprintf("%s/null-record", v), v.sink(oracle.Data{Schema: opt(structS(field("a", int32S())))}), step(v.of("SetSchemaMetadata"), "schema.name", "n"))
		f.transform(fmt.Sprintf("%s/null", v), v.sink(oracle.Data{}), step(v.of("SetSchemaMetadata"), "schema.name", "n"))
		f.transform(fmt.Sprintf("%s/schemaless", v), v.sink(oracle.Data{Value: obj("a", i32(1))}), step(v.of("SetSchemaMetadata"), "schema.name", "n"))
		f.transform(fmt.Sprintf("%s/null-default", v), v.sink(oracle.Data{Schema: def(opt(structS(field("a", int32S()))), structV("a", i32(4)))}), step(v.of("SetSchemaMetadata"), "schema.name", "n"))
	}
	for _, s := range samples() {
		f.transform("type/"+s.name, onValue.sink(oracle.Data{Schema: s.schema, Value: s.value}), step("SetSchemaMetadata$Value", "schema.name", "n"))
		f.transform("field/"+s.name, onValue.sink(withSchema.data(member{"a", s.schema, s.value})), step("SetSchemaMetadata$Value", "schema.name", "n", "schema.version", "2"))
	}
	for _, replace := range []string{"true", "false"} {
		f.transform("default-replace-"+replace, onValue.sink(oracle.Data{Schema: structS(field("a", opt(def(int32S(), i32(5))))), Value: structV()}), step("SetSchemaMetadata$Value", "schema.name", "n", "replace.null.with.default", replace))
	}
	f.nullsOnKey("SetSchemaMetadata", "schema.name", "n")
}

func headerFrom(f *file) {
	for _, s := range samples() {
		for _, fm := range forms {
			for _, op := range []string{"move", "copy"} {
				f.transform(fmt.Sprintf("%s/%s-%s", fm, op, s.name), onValue.sink(fm.data(member{"a", s.schema, s.value}, member{"b", int32S(), i32(1)})), step("HeaderFrom$Value", "fields", "a", "headers", "h", "operation", op))
			}
		}
	}
	for _, v := range variants {
		for _, fm := range forms {
			for _, op := range []string{"move", "copy"} {
				name := func(s string) string { return fmt.Sprintf("%s/%s/%s-%s", v, fm, op, s) }
				conf := []string{"fields", "a,b", "headers", "ha,hb", "operation", op}
				d := fm.data(member{"a", full(opt(stringS())), str("x")}, member{"b", int32S(), i32(1)}, member{"c", boolS(), boolV(true)})
				f.transform(name("two"), v.sink(d), step(v.of("HeaderFrom"), conf...))
				r := v.sink(d)
				r.Headers = []oracle.Header{header("ha", stringS(), str("there")), header("x", nil, i32(1))}
				f.transform(name("appends"), r, step(v.of("HeaderFrom"), conf...))
				f.transform(name("missing"), v.sink(fm.data(member{"a", stringS(), str("x")})), step(v.of("HeaderFrom"), conf...))
				f.transform(name("null-field"), v.sink(fm.data(member{"a", opt(stringS()), null}, member{"b", int32S(), i32(1)})), step(v.of("HeaderFrom"), conf...))
				f.transform(name("null-record"), v.sink(fm.one(opt(structS(field("a", stringS()))), null)), step(v.of("HeaderFrom"), conf...))
				f.transform(name("not-a-struct"), v.sink(fm.one(stringS(), str("x"))), step(v.of("HeaderFrom"), conf...))
				f.transform(name("same-header"), v.sink(d), step(v.of("HeaderFrom"), "fields", "a,b", "headers", "h,h", "operation", op))
				f.transform(name("same-field"), v.sink(d), step(v.of("HeaderFrom"), "fields", "a,a", "headers", "h1,h2", "operation", op))
			}
		}
	}
	for _, replace := range []string{"true", "false"} {
		for _, op := range []string{"move", "copy"} {
			f.transform(fmt.Sprintf("default-%s-replace-%s", op, replace), onValue.sink(oracle.Data{Schema: structS(field("a", opt(def(int32S(), i32(5)))), field("b", opt(def(int32S(), i32(6))))), Value: structV()}), step("HeaderFrom$Value", "fields", "a", "headers", "h", "operation", op, "replace.null.with.default", replace))
		}
	}
	f.transform("attributes-stay", onValue.sink(oracle.Data{Schema: full(opt(structS(field("a", int32S()), field("b", full(int32S()))))), Value: structV("a", i32(1), "b", i32(2))}), step("HeaderFrom$Value", "fields", "a", "headers", "h", "operation", "move"))
	r := onValue.sink(withSchema.data(member{"a", stringS(), str("x")}))
	for name, conf := range sorted(map[string][]string{
		"no-fields": {"headers", "h", "operation", "move"}, "no-headers": {"fields", "a", "operation", "move"}, "no-operation": {"fields", "a", "headers", "h"}, "bad-operation": {"fields", "a", "headers", "h", "operation", "cut"},
		"upper-operation": {"fields", "a", "headers", "h", "operation", "MOVE"}, "lengths": {"fields", "a", "headers", "h,i", "operation", "move"}, "empty-fields": {"fields", "", "headers", "h", "operation", "move"}, "empty-headers": {"fields", "a", "headers", "", "operation", "move"},
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
	r.Headers = []oracle.Header{header("h", stringS(), str("there")), header("x", nil, i32(1))}
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
		"word": "abc", "empty": "", "space": " ", "spaced-word": " abc ", "null": "null", "upper-null": "NULL", "true": "true", "false": "false", "upper-true": "TRUE", "int8": "1", "int8-max": "127", "int16": "128", "int16-min": "-32768", "int32": "40000", "int64": "3000000000",
		"beyond-int64": "9223372036854775808", "negative": "-5", "plus": "+5", "leading-zeros": "007", "spaced-number": " 5 ", "float32": "1.5", "float-tenth": "0.1", "float64": "1.23456789012345", "float-digits": "1234567890123456789.123456789", "exponent": "1e3", "big-exponent": "1e400", "nan": "NaN", "infinity": "Infinity",
		"date": "2023-11-14", "bad-date": "2023-13-45", "time": "22:13:20.123Z", "time-no-zone": "22:13:20", "timestamp": "2023-11-14T22:13:20.123Z", "timestamp-no-millis": "2023-11-14T22:13:20Z", "timestamp-offset": "2023-11-14T22:13:20.123+0100", "year": "2023", "year-month": "2023-11",
		"array-empty": "[]", "array-ints": "[1, 2, 3]", "array-mixed-ints": "[1, 200, 70000]", "array-mixed": "[1, \"a\"]", "array-strings": "[\"a\",\"b\"]", "array-bare-strings": "[a, b]", "array-nested": "[[1],[2]]", "array-null": "[1,null]", "array-open": "[1, 2", "array-trailing-comma": "[1,2,]", "array-floats": "[1.5, 2]",
		"map-empty": "{}", "map": "{\"a\":1,\"b\":2}", "map-mixed": "{\"a\":1,\"b\":\"x\"}", "map-bare-keys": "{a:1}", "map-int-keys": "{1:2}", "map-null": "{\"a\":null}", "map-nested": "{\"a\":{\"b\":1}}", "map-open": "{\"a\":1", "map-array": "{\"a\":[1,2]}",
		"quoted": "\"abc\"", "quoted-number": "\"12\"", "quoted-escaped": "\"a\\\"b\"", "quote-open": "\"abc", "single-quoted": "'abc'", "unicode": "käse ✓", "base64-like": "AAEC", "colon": "a:b", "comma": "a,b", "url": "http://x/y?z=1", "braces-inside": "a{b}", "uuid": "123e4567-e89b-12d3-a456-426614174000", "version": "1.2.3", "minus": "-", "dot": ".", "backslash": "a\\b", "true-spaced": " true ", "null-spaced": " null ",
	}
}

func dropHeaders(f *file) {
	all := []oracle.Header{header("a", stringS(), str("1")), header("b", int32S(), i32(2)), header("a", nil, str("3")), header("c.d", opt(stringS()), null), header("A", nil, boolV(true))}
	for name, list := range sorted(map[string]string{"one": "b", "repeated": "a", "two": "a,b", "missing": "nope", "all": "a,b,c.d,A", "dotted": "c.d", "case": "A", "spaces": " a , b ", "empty": "", "twice": "a,a", "pattern": ".*"}) {
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

func regexRouter(f *file) {
	for name, c := range sorted(map[string][2]string{
		"whole": {"orders", "paid"}, "part": {"ord", "x"}, "prefix": {"ord.*", "x"}, "group": {"(.*)", "prefix-$1"}, "two-groups": {"(o)(.*)", "$2-$1"}, "named-group": {"(?<all>.*)", "${all}-x"}, "whole-match": {".*", "$0-$0"}, "no-match": {"x.*", "y"}, "empty-replacement": {".*", ""},
		"missing-group": {"(o).*", "$2"}, "escaped-dollar": {".*", "a\\$1"}, "backslash": {".*", "a\\\\b"}, "dollar-end": {".*", "a$"}, "bad-regex": {"(", "x"}, "case": {"(?i)ORDERS", "x"}, "empty-regex": {"", "x"}, "optional-group": {"(x)?orders", "[$1]"}, "lazy": {"(o.*?)(r.*)", "$1|$2"},
		"lookahead": {"(?=ord).*", "x"}, "backreference": {"(o)rde(r)s\\1?", "$1$2"}, "possessive": {"o.*+", "x"}, "first-only": {"(orders|o)", "x"}, "unicode-class": {"\\p{L}+", "x"}, "quoted": {"\\Qorders\\E", "x"}, "group-ten": {"(o)(r)(d)(e)(r)(s)()()()()", "$10|$1"}, "posix": {"\\p{Alpha}+", "x"},
	}) {
		f.transform(name, sink(), step("RegexRouter", "regex", c[0], "replacement", c[1]))
	}
	for name, topic := range sorted(map[string]string{"dotted": "db.public.orders", "dashes": "a-b-c", "long": "topic_20231114", "newline": "a\nb"}) {
		r := sink()
		r.Topic = &topic
		f.transform("topic/"+name, r, step("RegexRouter", "regex", "(.*)[._-](.*)", "replacement", "$2"))
	}
	f.transform("tombstone", onValue.sink(oracle.Data{}), step("RegexRouter", "regex", ".*", "replacement", "x"))
	f.transform("source", source(), step("RegexRouter", "regex", ".*", "replacement", "x"))
	f.transform("config/no-regex", sink(), step("RegexRouter", "replacement", "x"))
	f.transform("config/no-replacement", sink(), step("RegexRouter", "regex", ".*"))
}

func filter(f *file) {
	f.transform("drops", sink(), step("Filter"))
	f.transform("drops-tombstone", onValue.sink(oracle.Data{}), step("Filter"))
	f.transform("drops-source", source(), step("Filter"))
	r := sink()
	r.Headers = []oracle.Header{header("h", stringS(), str("x"))}
	for _, negate := range []bool{false, true} {
		name := func(s string) string { return fmt.Sprintf("%s-negate-%t", s, negate) }
		f.transform(name("topic-matches"), r, when(step("Filter"), negate, "TopicNameMatches", "pattern", "ord.*"))
		f.transform(name("topic-differs"), r, when(step("Filter"), negate, "TopicNameMatches", "pattern", "ord"))
		f.transform(name("has-header"), r, when(step("Filter"), negate, "HasHeaderKey", "name", "h"))
		f.transform(name("lacks-header"), r, when(step("Filter"), negate, "HasHeaderKey", "name", "H"))
		f.transform(name("tombstone"), onValue.sink(oracle.Data{}), when(step("Filter"), negate, "RecordIsTombstone"))
		f.transform(name("no-tombstone"), r, when(step("Filter"), negate, "RecordIsTombstone"))
	}
	f.transform("config/bad-pattern", sink(), when(step("Filter"), false, "TopicNameMatches", "pattern", "("))
}

func predicates(f *file) {
	test := func(name string, r oracle.Record, negate bool, class string, conf ...string) {
		f.add(name, oracle.Case{Op: oracle.Predicate, Record: &r, Predicate: &oracle.PredicateSpec{Class: classes + "predicates." + class, Config: options(conf...), Negate: negate}})
	}
	for name, pattern := range sorted(map[string]string{"whole": "orders", "part": "ord", "wildcard": ".*", "prefix": "ord.*", "case": "ORDERS", "ignore-case": "(?i)ORDERS", "alternatives": "a|orders", "empty": "", "bad": "(", "anchors": "^orders$", "lookahead": "(?!x).*"}) {
		for _, negate := range []bool{false, true} {
			test(fmt.Sprintf("topic/%s-negate-%t", name, negate), sink(), negate, "TopicNameMatches", "pattern", pattern)
		}
	}
	r := source()
	r.Topic = nil
	test("topic/null", r, false, "TopicNameMatches", "pattern", ".*")
	test("topic/no-pattern", sink(), false, "TopicNameMatches")
	h := sink()
	h.Headers = []oracle.Header{header("a", stringS(), str("1")), header("a", stringS(), str("2")), header("null", nil, null)}
	for name, key := range sorted(map[string]string{"there": "a", "null-value": "null", "case": "A", "missing": "b", "empty": ""}) {
		for _, negate := range []bool{false, true} {
			test(fmt.Sprintf("header/%s-negate-%t", name, negate), h, negate, "HasHeaderKey", "name", key)
		}
	}
	test("header/no-headers", sink(), false, "HasHeaderKey", "name", "a")
	test("header/no-name", sink(), false, "HasHeaderKey")
	for _, negate := range []bool{false, true} {
		name := func(s string) string { return fmt.Sprintf("tombstone/%s-negate-%t", s, negate) }
		test(name("value"), sink(), negate, "RecordIsTombstone")
		test(name("null"), onValue.sink(oracle.Data{}), negate, "RecordIsTombstone")
		test(name("null-with-schema"), onValue.sink(oracle.Data{Schema: opt(stringS())}), negate, "RecordIsTombstone")
		test(name("null-key"), onKey.sink(oracle.Data{}), negate, "RecordIsTombstone")
		test(name("empty-text"), onValue.sink(oracle.Data{Schema: stringS(), Value: str("")}), negate, "RecordIsTombstone")
	}
}

func chains(f *file) {
	d := withSchema.data(member{"id", int64S(), i64(7)}, member{"at", int64S(), i64(stamp)}, member{"who", structS(field("name", stringS()), field("card", stringS())), structV("name", str("Ann"), "card", str("4111"))})
	for _, fm := range forms {
		d := d
		if fm == schemaless {
			d = oracle.Data{Value: plainOf(d.Value)}
		}
		r := onValue.sink(d)
		tomb := onValue.sink(oracle.Data{})
		for name, c := range sorted(map[string]struct {
			r     oracle.Record
			chain []oracle.Step
		}{
			"key-from-field":         {r, []oracle.Step{step("ValueToKey", "fields", "id"), step("ExtractField$Key", "field", "id")}},
			"flatten-rename-mask":    {r, []oracle.Step{step("Flatten$Value", "delimiter", "_"), step("ReplaceField$Value", "renames", "who_name:name"), step("MaskField$Value", "fields", "who_card", "replacement", "****")}},
			"time-then-route":        {r, []oracle.Step{step("TimestampConverter$Value", "field", "at", "target.type", "Timestamp"), step("TimestampRouter", "topic.format", "${topic}-${timestamp}", "timestamp.format", "yyyy-MM")}},
			"hoist-extract":          {r, []oracle.Step{step("HoistField$Value", "field", "x"), step("ExtractField$Value", "field", "x")}},
			"insert-cast":            {r, []oracle.Step{step("InsertField$Value", "partition.field", "p"), step("Cast$Value", "spec", "p:string,id:int32")}},
			"header-then-drop":       {r, []oracle.Step{step("HeaderFrom$Value", "fields", "id", "headers", "id", "operation", "copy"), step("DropHeaders", "headers", "id")}},
			"guard-by-tombstone":     {tomb, []oracle.Step{when(step("MaskField$Value", "fields", "id"), true, "RecordIsTombstone"), step("InsertHeader", "header", "h", "value.literal", "1")}},
			"drop-stops-the-chain":   {r, []oracle.Step{when(step("Filter"), false, "TopicNameMatches", "pattern", "orders"), step("Cast$Value", "spec", "int8")}},
			"route-changes-the-test": {r, []oracle.Step{step("RegexRouter", "regex", "orders", "replacement", "other"), when(step("Filter"), false, "TopicNameMatches", "pattern", "orders")}},
			"metadata-last":          {r, []oracle.Step{step("ReplaceField$Value", "exclude", "who"), step("SetSchemaMetadata$Value", "schema.name", "orders", "schema.version", "3")}},
			"used-after-removal":     {r, []oracle.Step{step("ReplaceField$Value", "exclude", "id"), step("ValueToKey", "fields", "id")}},
		}) {
			f.transform(fmt.Sprintf("%s/%s", fm, name), c.r, c.chain...)
		}
	}
	// A record keeps what the step before left when a predicate says no.
	for _, class := range []string{"Cast", "ExtractField", "Flatten", "HeaderFrom", "HoistField", "InsertField", "MaskField", "ReplaceField", "SetSchemaMetadata", "TimestampConverter"} {
		conf := map[string][]string{
			"Cast": {"spec", "id:string"}, "ExtractField": {"field", "id"}, "Flatten": {}, "HeaderFrom": {"fields", "id", "headers", "h", "operation", "move"}, "HoistField": {"field", "x"}, "InsertField": {"topic.field", "t"},
			"MaskField": {"fields", "id"}, "ReplaceField": {"exclude", "id"}, "SetSchemaMetadata": {"schema.name", "n"}, "TimestampConverter": {"field", "at", "target.type", "Timestamp"},
		}[class]
		for _, v := range variants {
			for _, pattern := range []string{"orders", "none"} {
				f.transform(fmt.Sprintf("predicate/%s-%s-%s", v, class, pattern), v.sink(d), when(step(v.of(class), conf...), false, "TopicNameMatches", "pattern", pattern))
			}
		}
	}
}
