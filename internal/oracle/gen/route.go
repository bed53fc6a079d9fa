package gen

import (
	"fmt"

	"github.com/flowrecords/flow/internal/oracle"
)

func regexRouter(f *file) {
	for name, c := range sorted(map[string][2]string{
		"whole":             {"orders", "paid"},
		"part":              {"ord", "x"},
		"prefix":            {"ord.*", "x"},
		"group":             {"(.*)", "prefix-$1"},
		"two-groups":        {"(o)(.*)", "$2-$1"},
		"named-group":       {"(?<all>.*)", "${all}-x"},
		"whole-match":       {".*", "$0-$0"},
		"no-match":          {"x.*", "y"},
		"empty-replacement": {".*", ""},
		"missing-group":     {"(o).*", "$2"},
		"escaped-dollar":    {".*", "a\\$1"},
		"backslash":         {".*", "a\\\\b"},
		"dollar-end":        {".*", "a$"},
		"bad-regex":         {"(", "x"},
		"case":              {"(?i)ORDERS", "x"},
		"empty-regex":       {"", "x"},
		"optional-group":    {"(x)?orders", "[$1]"},
		"lazy":              {"(o.*?)(r.*)", "$1|$2"},
		"lookahead":         {"(?=ord).*", "x"},
		"backreference":     {"(o)rde(r)s\\1?", "$1$2"},
		"possessive":        {"o.*+", "x"},
		"first-only":        {"(orders|o)", "x"},
		"unicode-class":     {"\\p{L}+", "x"},
		"quoted":            {"\\Qorders\\E", "x"},
		"group-ten":         {"(o)(r)(d)(e)(r)(s)()()()()", "$10|$1"},
		"posix":             {"\\p{Alpha}+", "x"},
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
	for name, pattern := range sorted(map[string]string{
		"whole":        "orders",
		"part":         "ord",
		"wildcard":     ".*",
		"prefix":       "ord.*",
		"case":         "ORDERS",
		"ignore-case":  "(?i)ORDERS",
		"alternatives": "a|orders",
		"empty":        "",
		"bad":          "(",
		"anchors":      "^orders$",
		"lookahead":    "(?!x).*",
	}) {
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
			"Cast":               {"spec", "id:string"},
			"ExtractField":       {"field", "id"},
			"Flatten":            {},
			"HeaderFrom":         {"fields", "id", "headers", "h", "operation", "move"},
			"HoistField":         {"field", "x"},
			"InsertField":        {"topic.field", "t"},
			"MaskField":          {"fields", "id"},
			"ReplaceField":       {"exclude", "id"},
			"SetSchemaMetadata":  {"schema.name", "n"},
			"TimestampConverter": {"field", "at", "target.type", "Timestamp"},
		}[class]
		for _, v := range variants {
			for _, pattern := range []string{"orders", "none"} {
				f.transform(fmt.Sprintf("predicate/%s-%s-%s", v, class, pattern), v.sink(d), when(step(v.of(class), conf...), false, "TopicNameMatches", "pattern", pattern))
			}
		}
	}
}
