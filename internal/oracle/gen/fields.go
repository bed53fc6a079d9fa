package gen

import (
	"fmt"

	"github.com/flowrecords/flow/internal/oracle"
)

func extractField(f *file) {
	for _, s := range samples() {
		for _, fm := range forms {
			d := fm.data(member{"a", s.schema, s.value}, member{"b", int64S(), i64(1)})
			f.transform(fmt.Sprintf("%s/%s", fm, s.name), onValue.sink(d), step("ExtractField$Value", "field", "a"))
			if s.name == "decimal" || s.name == "struct" || s.name == "string" {
				f.transform(fmt.Sprintf("key/%s/%s", fm, s.name), onKey.sink(d), step("ExtractField$Key", "field", "a"))
			}
		}
	}
	for _, v := range variants {
		for _, fm := range forms {
			name := func(s string) string { return fmt.Sprintf("%s/%s/%s", v, fm, s) }
			f.transform(name("missing"), v.sink(fm.data(member{"b", int64S(), i64(1)})), step(v.of("ExtractField"), "field", "a"))
			f.transform(name("null-field"), v.sink(fm.data(member{"a", opt(stringS()), null})), step(v.of("ExtractField"), "field", "a"))
			f.transform(name("null-record"), v.sink(fm.one(opt(structS(field("a", full(opt(int64S()))))), null)), step(v.of("ExtractField"), "field", "a"))
			f.transform(name("not-a-struct"), v.sink(fm.one(int64S(), i64(1))), step(v.of("ExtractField"), "field", "a"))
		}
		f.transform(fmt.Sprintf("%s/attributes-stay", v), v.sink(oracle.Data{Schema: full(structS(field("a", def(full(opt(int64S())), i64(3))))), Value: structV("a", i64(1))}), step(v.of("ExtractField"), "field", "a"))
		for _, replace := range []string{"true", "false"} {
			f.transform(fmt.Sprintf("%s/null-with-default-replace-%s", v, replace), v.sink(oracle.Data{Schema: structS(field("a", opt(def(int64S(), i64(3))))), Value: structV()}), step(v.of("ExtractField"), "field", "a", "replace.null.with.default", replace))
		}
	}
	f.transform("tombstone", onValue.sink(oracle.Data{}), step("ExtractField$Value", "field", "a"))
	f.transform("null-record-missing-field", onValue.sink(oracle.Data{Schema: opt(structS(field("b", int64S())))}), step("ExtractField$Value", "field", "a"))
	extractPaths(f)
	r := onValue.sink(withSchema.data(member{"a", int64S(), i64(1)}))
	f.transform("config/no-field", r, step("ExtractField$Value"))
	f.transform("config/empty-field", r, step("ExtractField$Value", "field", ""))
	f.transform("config/bad-version", r, step("ExtractField$Value", "field", "a", "field.syntax.version", "V3"))
	f.transform("config/lower-version", r, step("ExtractField$Value", "field", "a", "field.syntax.version", "v2"))
	for name, path := range sorted(map[string]string{
		"open-tick":       "`a",
		"tick-inside":     "a`b",
		"text-after-tick": "`a`b",
		"empty":           "",
		"dot":             ".",
		"dots":            "a..b",
		"trailing-dot":    "a.",
		"leading-dot":     ".a",
		"empty-ticks":     "``",
		"spaces":          " a ",
	}) {
		f.transform("config/v2-"+name, r, step("ExtractField$Value", "field", path, "field.syntax.version", "V2"))
	}
}

func extractPaths(f *file) {
	inner := opt(structS(field("b", opt(structS(field("c", int64S()), field("d.e", stringS())))), field("m", opt(mapS(stringS(), int64S()))), field("n", opt(arrayS(int64S()))), field("s", opt(stringS()))))
	members := []member{
		{"a", inner, structV("b", structV("c", i64(9)), "m", obj("k", i64(4)), "n", arr(i64(1)), "s", str("text"))},
		{"a.b", stringS(), str("dotted")}, {"tick`s", stringS(), str("ticks")}, {"back\\slash", stringS(), str("slash")},
		{"z", opt(structS(field("y", opt(int64S())))), null},
	}
	// d.e is required: a struct may lack it as long as nobody writes it.
	members[0].value.Fields[0].Value.Fields = append(members[0].value.Fields[0].Value.Fields, oracle.NamedValue{Name: "d.e", Value: str("deep dotted")})
	paths := map[string]string{
		"flat":           "a",
		"one":            "a.s",
		"two":            "a.b.c",
		"quoted":         "`a.b`",
		"quoted-step":    "a.b.`d.e`",
		"quoted-each":    "`a`.`b`.`c`",
		"escaped-tick":   "`tick\\`s`",
		"plain-tick":     "tick`s",
		"through-string": "a.s.x",
		"through-map":    "a.m.k",
		"map-missing":    "a.m.nope",
		"through-array":  "a.n.0",
		"missing-first":  "nope.a",
		"missing-last":   "a.nope",
		"missing-middle": "a.nope.c",
		"through-null":   "z.y",
		"null":           "z",
		"backslash":      "back\\slash",
		"unquoted-dot":   "a.b.d.e",
	}
	for name, path := range sorted(paths) {
		for _, fm := range forms {
			for _, v := range []string{"V1", "V2"} {
				f.transform(fmt.Sprintf("path/%s/%s-%s", fm, name, v), onValue.sink(fm.data(members...)), step("ExtractField$Value", "field", path, "field.syntax.version", v))
			}
		}
	}
	for _, replace := range []string{"true", "false"} {
		s := structS(field("a", structS(field("b", opt(def(int64S(), i64(3)))))), field("d", opt(def(structS(field("b", int64S())), structV("b", i64(8))))))
		d := oracle.Data{Schema: s, Value: structV("a", structV())}
		f.transform("path/default-replace-"+replace, onValue.sink(d), step("ExtractField$Value", "field", "a.b", "field.syntax.version", "V2", "replace.null.with.default", replace))
		f.transform("path/default-of-parent-replace-"+replace, onValue.sink(d), step("ExtractField$Value", "field", "d.b", "field.syntax.version", "V2", "replace.null.with.default", replace))
	}
	f.transform("path/on-key", onKey.sink(withSchema.data(members...)), step("ExtractField$Key", "field", "a.b.c", "field.syntax.version", "V2"))
}

func hoistField(f *file) {
	for _, s := range samples() {
		for _, fm := range forms {
			for _, v := range variants {
				f.transform(fmt.Sprintf("%s/%s/%s", v, fm, s.name), v.sink(fm.one(s.schema, s.value)), step(v.of("HoistField"), "field", "magic"))
			}
		}
	}
	for _, v := range variants {
		name := func(s string) string { return fmt.Sprintf("%s/%s", v, s) }
		f.transform(name("null-schemaless"), v.sink(oracle.Data{}), step(v.of("HoistField"), "field", "magic"))
		f.transform(name("null-optional"), v.sink(oracle.Data{Schema: opt(stringS())}), step(v.of("HoistField"), "field", "magic"))
		f.transform(name("null-required"), v.sink(oracle.Data{Schema: stringS()}), step(v.of("HoistField"), "field", "magic"))
		f.transform(name("null-default"), v.sink(oracle.Data{Schema: opt(def(stringS(), str("d")))}), step(v.of("HoistField"), "field", "magic"))
		f.transform(name("null-required-default"), v.sink(oracle.Data{Schema: def(stringS(), str("d"))}), step(v.of("HoistField"), "field", "magic"))
		f.transform(name("attributes-stay"), v.sink(oracle.Data{Schema: def(full(opt(stringS())), str("d")), Value: str("x")}), step(v.of("HoistField"), "field", "a.b"))
	}
	f.transform("config/no-field", sink(), step("HoistField$Value"))
	f.transform("config/empty-field", sink(), step("HoistField$Value", "field", ""))
	f.transform("null-in-map", onValue.sink(schemaless.data(member{"a", nil, null})), step("HoistField$Value", "field", "magic"))
}

func insertField(f *file) {
	opts := []struct{ option, name string }{{"topic.field", "topic"}, {"partition.field", "partition"}, {"offset.field", "offset"}, {"timestamp.field", "timestamp"}, {"static.field", "static"}}
	conf := func(option, field string) []string {
		c := []string{option, field}
		if option == "static.field" {
			c = append(c, "static.value", "text")
		}
		return c
	}
	one := member{"a", int64S(), i64(1)}
	for _, o := range opts {
		for _, v := range variants {
			for _, fm := range forms {
				for suffix, mark := range sorted(map[string]string{"plain": "", "required": "!", "optional": "?"}) {
					f.transform(fmt.Sprintf("%s/%s/%s-%s", v, fm, o.name, suffix), v.sink(fm.data(one)), step(v.of("InsertField"), conf(o.option, "new"+mark)...))
				}
			}
		}
		for _, fm := range forms {
			r := source()
			r.Value = fm.data(one)
			f.transform(fmt.Sprintf("source/%s/%s", fm, o.name), r, step("InsertField$Value", conf(o.option, "new")...))
			f.transform(fmt.Sprintf("source/%s/%s-required", fm, o.name), r, step("InsertField$Value", conf(o.option, "new!")...))
			f.transform(fmt.Sprintf("exists/%s/%s", fm, o.name), onValue.sink(fm.data(one)), step("InsertField$Value", conf(o.option, "a")...))
		}
	}
	all := []string{"topic.field", "t", "partition.field", "p!", "offset.field", "o?", "timestamp.field", "ts", "static.field", "s!", "static.value", "x=1"}
	for _, fm := range forms {
		for _, v := range variants {
			f.transform(fmt.Sprintf("%s/%s/all", v, fm), v.sink(fm.data(one, member{"b", opt(stringS()), null})), step(v.of("InsertField"), all...))
			f.transform(fmt.Sprintf("%s/%s/null-record", v, fm), v.sink(fm.one(opt(structS(field("a", int64S()))), null)), step(v.of("InsertField"), all...))
			f.transform(fmt.Sprintf("%s/%s/not-a-struct", v, fm), v.sink(fm.one(int64S(), i64(1))), step(v.of("InsertField"), all...))
		}
		r := onValue.sink(fm.data(one))
		r.Timestamp = nil
		f.transform(fmt.Sprintf("%s/no-timestamp", fm), r, step("InsertField$Value", "timestamp.field", "ts"))
		f.transform(fmt.Sprintf("%s/same-name-twice", fm), onValue.sink(fm.data(one)), step("InsertField$Value", "topic.field", "x", "static.field", "x", "static.value", "y"))
		f.transform(fmt.Sprintf("%s/empty-static", fm), onValue.sink(fm.data(one)), step("InsertField$Value", "static.field", "x", "static.value", ""))
	}
	f.transform("attributes-stay", onValue.sink(oracle.Data{Schema: full(opt(structS(field("a", full(def(int64S(), i64(1))))))), Value: structV("a", i64(1))}), step("InsertField$Value", "topic.field", "t"))
	f.transform("null-topic", func() oracle.Record { r := source(); r.Topic = nil; r.Value = withSchema.data(one); return r }(), step("InsertField$Value", "topic.field", "t"))
	for _, replace := range []string{"true", "false"} {
		f.transform("default-replace-"+replace, onValue.sink(oracle.Data{Schema: structS(field("a", opt(def(int64S(), i64(5))))), Value: structV()}), step("InsertField$Value", "topic.field", "t", "replace.null.with.default", replace))
	}
	r := onValue.sink(withSchema.data(one))
	f.transform("config/none", r, step("InsertField$Value"))
	f.transform("config/static-without-value", r, step("InsertField$Value", "static.field", "s"))
	f.transform("config/value-without-static", r, step("InsertField$Value", "static.value", "s"))
	f.transform("config/empty-name", r, step("InsertField$Value", "topic.field", ""))
	f.transform("config/only-mark", r, step("InsertField$Value", "topic.field", "!"))
	f.transform("config/two-marks", r, step("InsertField$Value", "topic.field", "x!?"))
	f.nullsOnKey("InsertField", "topic.field", "t")
}

func maskField(f *file) {
	good := map[string]string{"int8": "7", "int16": "-7", "int32": "70000", "int64": "9007199254740993", "float32": "1.25", "float64": "-2.5", "string": "***", "decimal": "12.3"}
	for _, s := range samples() {
		for _, fm := range forms {
			d := fm.data(member{"a", s.schema, s.value}, member{"b", stringS(), str("stays")})
			f.transform(fmt.Sprintf("%s/%s", fm, s.name), onValue.sink(d), step("MaskField$Value", "fields", "a"))
			text := good[s.name]
			if text == "" {
				text = "x"
			}
			f.transform(fmt.Sprintf("%s/%s-replacement", fm, s.name), onValue.sink(d), step("MaskField$Value", "fields", "a", "replacement", text))
			if good[s.name] != "" && s.name != "string" {
				f.transform(fmt.Sprintf("%s/%s-bad-replacement", fm, s.name), onValue.sink(d), step("MaskField$Value", "fields", "a", "replacement", "word"))
			}
		}
		f.transform("key/"+s.name, onKey.sink(withSchema.data(member{"a", s.schema, s.value})), step("MaskField$Key", "fields", "a"))
	}
	for name, c := range sorted(map[string]struct {
		s    sample
		text string
	}{
		"int8-too-big":   {sample{"", int8S(), i8(1)}, "128"},
		"int32-fraction": {sample{"", int32S(), i32(1)}, "1.5"},
		"int64-too-big":  {sample{"", int64S(), i64(1)}, "9223372036854775808"},
		"float64-text":   {sample{"", float64S(), f64(1)}, "1e3"},
		"decimal-scale":  {sample{"", decimalS(2), dec("1234", 2)}, "0.001"},
		"string-number":  {sample{"", stringS(), str("x")}, "5"},
		"string-spaces":  {sample{"", stringS(), str("x")}, " "},
	}) {
		for _, fm := range forms {
			f.transform(fmt.Sprintf("%s/replacement-%s", fm, name), onValue.sink(fm.data(member{"a", c.s.schema, c.s.value})), step("MaskField$Value", "fields", "a", "replacement", c.text))
		}
	}
	for _, v := range variants {
		for _, fm := range forms {
			name := func(s string) string { return fmt.Sprintf("%s/%s/%s", v, fm, s) }
			for _, extra := range [][]string{{}, {"replacement", "x"}} {
				tag := ""
				if len(extra) > 0 {
					tag = "-replacement"
				}
				conf := append([]string{"fields", "a"}, extra...)
				f.transform(name("null-field"+tag), v.sink(fm.data(member{"a", opt(stringS()), null})), step(v.of("MaskField"), conf...))
				f.transform(name("missing"+tag), v.sink(fm.data(member{"b", stringS(), str("x")})), step(v.of("MaskField"), conf...))
				f.transform(name("null-record"+tag), v.sink(fm.one(opt(structS(field("a", stringS()))), null)), step(v.of("MaskField"), conf...))
			}
			f.transform(name("several"), v.sink(fm.data(member{"a", stringS(), str("x")}, member{"b", stringS(), str("y")}, member{"c", int64S(), i64(5)})), step(v.of("MaskField"), "fields", "a, c"))
			f.transform(name("not-a-struct"), v.sink(fm.one(stringS(), str("x"))), step(v.of("MaskField"), "fields", "a"))
			f.transform(name("dotted"), v.sink(fm.data(member{"a.b", stringS(), str("x")}, member{"a", structS(field("b", stringS())), structV("b", str("y"))})), step(v.of("MaskField"), "fields", "a.b"))
		}
	}
	for _, replace := range []string{"true", "false"} {
		s := structS(field("a", opt(def(stringS(), str("d")))), field("b", opt(def(int64S(), i64(5)))))
		f.transform("default-replace-"+replace, onValue.sink(oracle.Data{Schema: s, Value: structV()}), step("MaskField$Value", "fields", "a", "replace.null.with.default", replace))
	}
	f.transform("attributes-stay", onValue.sink(oracle.Data{Schema: full(structS(field("a", full(def(opt(stringS()), str("d")))))), Value: structV("a", str("x"))}), step("MaskField$Value", "fields", "a"))
	f.transform("nested-in-array-stays", onValue.sink(withSchema.data(member{"a", arrayS(structS(field("b", stringS()))), arr(structV("b", str("x")))})), step("MaskField$Value", "fields", "b"))
	r := onValue.sink(withSchema.data(member{"a", stringS(), str("x")}))
	f.transform("config/no-fields", r, step("MaskField$Value"))
	f.transform("config/empty-fields", r, step("MaskField$Value", "fields", ""))
	f.transform("config/empty-replacement", r, step("MaskField$Value", "fields", "a", "replacement", ""))
	f.nullsOnKey("MaskField", "fields", "a")
}

func replaceField(f *file) {
	members := []member{{"a", int64S(), i64(1)}, {"b", opt(stringS()), str("x")}, {"c", full(def(stringS(), str("d"))), str("y")}, {"a.b", stringS(), str("dotted")}}
	for name, conf := range sorted(map[string][]string{
		"none":                   {},
		"exclude":                {"exclude", "a"},
		"exclude-two":            {"exclude", "a,c"},
		"exclude-missing":        {"exclude", "nope"},
		"exclude-all":            {"exclude", "a,b,c,a.b"},
		"include":                {"include", "b"},
		"include-two":            {"include", "c,a"},
		"include-missing":        {"include", "nope"},
		"both":                   {"exclude", "a", "include", "a,b"},
		"both-disjoint":          {"exclude", "a", "include", "b"},
		"rename":                 {"renames", "a:z"},
		"rename-two":             {"renames", "a:y,b:z"},
		"rename-swap":            {"renames", "a:b,b:a"},
		"rename-missing":         {"renames", "nope:z"},
		"rename-onto":            {"renames", "a:b"},
		"rename-and-exclude-old": {"renames", "a:z", "exclude", "a"},
		"rename-and-exclude-new": {"renames", "a:z", "exclude", "z"},
		"rename-and-include-old": {"renames", "a:z", "include", "a"},
		"rename-and-include-new": {"renames", "a:z", "include", "z"},
		"rename-onto-excluded":   {"renames", "a:b", "exclude", "b"},
		"rename-dotted":          {"renames", "a.b:z"},
		"exclude-dotted":         {"exclude", "a.b"},
		"spaces":                 {"exclude", " a , b "},
		"rename-self":            {"renames", "a:a"}, "rename-chain": {"renames", "a:z,z:y"}, "rename-to-dotted": {"renames", "a:x.y"},
		"removed-blacklist": {"blacklist", "a"}, "removed-whitelist": {"whitelist", "a"}, "removed-with-new": {"blacklist", "a", "exclude", "b"},
	}) {
		for _, fm := range forms {
			f.transform(fmt.Sprintf("%s/%s", fm, name), onValue.sink(fm.data(members...)), step("ReplaceField$Value", conf...))
		}
		if len(conf) == 2 && name != "none" {
			f.transform("key/"+name, onKey.sink(withSchema.data(members...)), step("ReplaceField$Key", conf...))
		}
	}
	for _, v := range variants {
		for _, fm := range forms {
			f.transform(fmt.Sprintf("%s/%s/null-record", v, fm), v.sink(fm.one(opt(structS(field("a", int64S()))), null)), step(v.of("ReplaceField"), "exclude", "a"))
			f.transform(fmt.Sprintf("%s/%s/not-a-struct", v, fm), v.sink(fm.one(int64S(), i64(1))), step(v.of("ReplaceField"), "exclude", "a"))
			f.transform(fmt.Sprintf("%s/%s/null-field", v, fm), v.sink(fm.data(member{"a", opt(int64S()), null}, member{"b", int64S(), i64(1)})), step(v.of("ReplaceField"), "renames", "a:z"))
		}
	}
	for _, s := range samples() {
		for _, fm := range forms {
			f.transform(fmt.Sprintf("%s/type-%s", fm, s.name), onValue.sink(fm.data(member{"a", s.schema, s.value}, member{"b", boolS(), boolV(true)})), step("ReplaceField$Value", "renames", "a:z", "exclude", "b"))
		}
	}
	f.transform("attributes-stay", onValue.sink(oracle.Data{Schema: full(opt(structS(field("a", int64S()), field("b", int64S())))), Value: structV("a", i64(1), "b", i64(2))}), step("ReplaceField$Value", "exclude", "b"))
	f.transform("default-of-struct", onValue.sink(oracle.Data{Schema: def(structS(field("a", int64S()), field("b", int64S())), structV("a", i64(8), "b", i64(9))), Value: structV("a", i64(1), "b", i64(2))}), step("ReplaceField$Value", "exclude", "b"))
	for _, replace := range []string{"true", "false"} {
		f.transform("default-replace-"+replace, onValue.sink(oracle.Data{Schema: structS(field("a", opt(def(int64S(), i64(5)))), field("b", int64S())), Value: structV("b", i64(1))}), step("ReplaceField$Value", "renames", "a:z", "replace.null.with.default", replace))
	}
	r := onValue.sink(withSchema.data(members...))
	for name, renames := range sorted(map[string]string{"no-colon": "a", "three-parts": "a:b:c", "empty-new": "a:", "empty-old": ":z", "twice": "a:y,a:z"}) {
		f.transform("config/renames-"+name, r, step("ReplaceField$Value", "renames", renames))
	}
	f.nullsOnKey("ReplaceField", "renames", "a:z")
}

func valueToKey(f *file) {
	for _, s := range samples() {
		for _, fm := range forms {
			f.transform(fmt.Sprintf("%s/%s", fm, s.name), onValue.sink(fm.data(member{"a", s.schema, s.value}, member{"b", int64S(), i64(1)})), step("ValueToKey", "fields", "a"))
		}
	}
	for _, fm := range forms {
		name := func(s string) string { return fmt.Sprintf("%s/%s", fm, s) }
		d := fm.data(member{"a", int64S(), i64(1)}, member{"b", opt(stringS()), null}, member{"a.b", stringS(), str("x")})
		f.transform(name("two"), onValue.sink(d), step("ValueToKey", "fields", "b,a"))
		f.transform(name("twice"), onValue.sink(d), step("ValueToKey", "fields", "a,a"))
		f.transform(name("dotted"), onValue.sink(d), step("ValueToKey", "fields", "a.b"))
		f.transform(name("missing"), onValue.sink(d), step("ValueToKey", "fields", "nope"))
		f.transform(name("null-field"), onValue.sink(d), step("ValueToKey", "fields", "b"))
		f.transform(name("null-record"), onValue.sink(fm.one(opt(structS(field("a", int64S()))), null)), step("ValueToKey", "fields", "a"))
		f.transform(name("not-a-struct"), onValue.sink(fm.one(int64S(), i64(1))), step("ValueToKey", "fields", "a"))
		r := onValue.sink(d)
		r.Key = oracle.Data{}
		f.transform(name("no-key-before"), r, step("ValueToKey", "fields", "a"))
	}
	f.transform("attributes-stay", onValue.sink(oracle.Data{Schema: full(structS(field("a", full(def(opt(int64S()), i64(4)))))), Value: structV("a", i64(1))}), step("ValueToKey", "fields", "a"))
	for _, replace := range []string{"true", "false"} {
		f.transform("default-replace-"+replace, onValue.sink(oracle.Data{Schema: structS(field("a", opt(def(int64S(), i64(5))))), Value: structV()}), step("ValueToKey", "fields", "a", "replace.null.with.default", replace))
	}
	r := onValue.sink(withSchema.data(member{"a", int64S(), i64(1)}))
	f.transform("config/no-fields", r, step("ValueToKey"))
	f.transform("config/empty-fields", r, step("ValueToKey", "fields", ""))
	f.transform("config/spaces", r, step("ValueToKey", "fields", " a "))
}
