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
			f.transform(name("null-record"), v.sink(fm.one(opt(structS(field("a", int64S()))), null)), step(v.of("Flatten")))
			f.transform(name("not-a-struct"), v.sink(fm.one(int64S(), i64(1))), step(v.of("Flatten")))
			f.transform(name("flat-already"), v.sink(fm.data(members[0])), step(v.of("Flatten")))
			f.transform(name("no-fields"), v.sink(fm.data()), step(v.of("Flatten")))
			f.transform(name("null-parent"), v.sink(fm.data(member{"p", opt(address), null}, members[0])), step(v.of("Flatten")))
			f.transform(name("null-leaf"), v.sink(fm.data(member{"p", address, structV()})), step(v.of("Flatten")))
			f.transform(name("collision"), v.sink(fm.data(member{"a", structS(field("b", int64S())), structV("b", i64(1))}, member{"a.b", int64S(), i64(2)})), step(v.of("Flatten")))
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
		"optional-parent":            {structS(field("p", opt(structS(field("a", int64S()))))), structV("p", structV("a", i64(1)))},
		"optional-parent-null":       {structS(field("p", opt(structS(field("a", int64S()))))), structV()},
		"optional-grandparent":       {structS(field("g", opt(structS(field("p", structS(field("a", int64S()))))))), structV("g", structV("p", structV("a", i64(1))))},
		"child-default":              {structS(field("p", structS(field("a", def(int64S(), i64(5)))))), structV("p", structV())},
		"child-default-in-optional":  {structS(field("p", opt(structS(field("a", def(int64S(), i64(5))))))), structV()},
		"parent-default":             {structS(field("p", def(structS(field("a", int64S())), structV("a", i64(6))))), structV()},
		"parent-default-optional":    {structS(field("p", opt(def(structS(field("a", int64S())), structV("a", i64(6)))))), structV()},
		"parent-default-over-child":  {structS(field("p", def(structS(field("a", def(int64S(), i64(5)))), structV("a", i64(6))))), structV()},
		"parent-default-null-child":  {structS(field("p", def(structS(field("a", opt(int64S())), field("b", int64S())), structV("b", i64(6))))), structV()},
		"child-null-of-default":      {structS(field("p", structS(field("a", opt(def(int64S(), i64(5))))))), structV("p", structV())},
		"child-default-of-null":      {structS(field("p", opt(structS(field("a", opt(def(int64S(), i64(5)))), field("b", opt(stringS())))))), structV()},
		"grandparent-null":           {structS(field("g", opt(structS(field("p", opt(structS(field("a", def(int64S(), i64(5)))))), field("b", def(stringS(), str("d"))))))), structV()},
		"grandparent-null-parent":    {structS(field("g", structS(field("p", opt(def(structS(field("a", int64S())), structV("a", i64(6)))))))), structV("g", structV())},
		"attributes-of-top":          {full(opt(structS(field("a", int64S())))), structV("a", i64(1))},
		"attributes-of-child":        {structS(field("p", full(structS(field("a", full(opt(int64S()))))))), structV("p", structV("a", i64(1)))},
		"default-of-top":             {def(structS(field("p", structS(field("a", int64S())))), structV("p", structV("a", i64(2)))), structV("p", structV("a", i64(1)))},
		"four-levels":                {structS(field("a", structS(field("b", structS(field("c", structS(field("d", stringS())))))))), structV("a", structV("b", structV("c", structV("d", str("deep")))))},
		"optional-map":               {structS(field("m", opt(mapS(stringS(), stringS())))), structV()},
		"optional-array-null":        {structS(field("m", opt(arrayS(stringS())))), structV()},
		"array-default":              {structS(field("m", def(arrayS(stringS()), arr(str("d"))))), structV()},
		"decimal-in-optional-parent": {structS(field("p", opt(structS(field("a", decimalS(2)))))), structV("p", structV("a", dec("1234", 2)))},
	}) {
		f.transform("schema/"+name, onValue.sink(oracle.Data{Schema: c.s, Value: c.v}), step("Flatten$Value"))
	}
	f.transform("schemaless/map-with-number-keys", onValue.sink(oracle.Data{Value: obj("p", mapV(i64(1), str("x")))}), step("Flatten$Value"))
	f.transform("schemaless/map-with-null-value", onValue.sink(oracle.Data{Value: obj("p", obj("a", null))}), step("Flatten$Value"))
	f.transform("schemaless/collision-other-order", onValue.sink(oracle.Data{Value: obj("a.b", i64(2), "a", obj("b", i64(1)))}), step("Flatten$Value"))
	f.transform("tombstone", onValue.sink(oracle.Data{}), step("Flatten$Value"))
}

func setSchemaMetadata(f *file) {
	d := oracle.Data{Schema: full(opt(structS(field("a", full(int64S()))))), Value: structV("a", i64(1))}
	plain := oracle.Data{Schema: structS(field("a", int64S())), Value: structV("a", i64(1))}
	for _, v := range variants {
		for name, conf := range sorted(map[string][]string{
			"name":             {"schema.name", "com.acme.New"},
			"version":          {"schema.version", "12"},
			"both":             {"schema.name", "com.acme.New", "schema.version", "12"},
			"neither":          {},
			"empty-name":       {"schema.name", ""},
			"odd-name":         {"schema.name", "not a name!"},
			"negative-version": {"schema.version", "-1"}, "bad-version": {"schema.version", "x"}, "big-version": {"schema.version", "2147483648"},
		}) {
			f.transform(fmt.Sprintf("%s/full/%s", v, name), v.sink(d), step(v.of("SetSchemaMetadata"), conf...))
			f.transform(fmt.Sprintf("%s/plain/%s", v, name), v.sink(plain), step(v.of("SetSchemaMetadata"), conf...))
		}
		f.transform(fmt.Sprintf("%s/null-record", v), v.sink(oracle.Data{Schema: opt(structS(field("a", int64S())))}), step(v.of("SetSchemaMetadata"), "schema.name", "n"))
		f.transform(fmt.Sprintf("%s/null", v), v.sink(oracle.Data{}), step(v.of("SetSchemaMetadata"), "schema.name", "n"))
		f.transform(fmt.Sprintf("%s/schemaless", v), v.sink(oracle.Data{Value: obj("a", i64(1))}), step(v.of("SetSchemaMetadata"), "schema.name", "n"))
		f.transform(fmt.Sprintf("%s/null-default", v), v.sink(oracle.Data{Schema: def(opt(structS(field("a", int64S()))), structV("a", i64(4)))}), step(v.of("SetSchemaMetadata"), "schema.name", "n"))
	}
	for _, s := range samples() {
		f.transform("type/"+s.name, onValue.sink(oracle.Data{Schema: s.schema, Value: s.value}), step("SetSchemaMetadata$Value", "schema.name", "n"))
		f.transform("field/"+s.name, onValue.sink(withSchema.data(member{"a", s.schema, s.value})), step("SetSchemaMetadata$Value", "schema.name", "n", "schema.version", "2"))
	}
	for _, replace := range []string{"true", "false"} {
		f.transform("default-replace-"+replace, onValue.sink(oracle.Data{Schema: structS(field("a", opt(def(int64S(), i64(5))))), Value: structV()}), step("SetSchemaMetadata$Value", "schema.name", "n", "replace.null.with.default", replace))
	}
	f.nullsOnKey("SetSchemaMetadata", "schema.name", "n")
}
