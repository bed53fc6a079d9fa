package gen

import (
	"fmt"
	"math"

	"github.com/flowrecords/flow/internal/oracle"
)

// jsonValues are values of all types, with what JSON makes of their edges.
func jsonValues() []sample {
	list := samples()
	add := func(name string, s schema, v value) { list = append(list, sample{name, s, v}) }
	add("boolean-false", boolS(), boolV(false))
	add("int8-min", int8S(), i8(math.MinInt8))
	add("int16-min", int16S(), i16(math.MinInt16))
	add("int32-min", int32S(), i32(math.MinInt32))
	add("int64-max", int64S(), i64(math.MaxInt64))
	add("int64-min", int64S(), i64(math.MinInt64))
	add("float32-tenth", float32S(), f32(0.1))
	add("float32-big", float32S(), f32(1e10))
	add("float32-nan", float32S(), f32(float32(math.NaN())))
	add("float64-tenth", float64S(), f64(0.1))
	add("float64-whole", float64S(), f64(3))
	add("float64-big", float64S(), f64(1e300))
	add("float64-nan", float64S(), f64(math.NaN()))
	add("float64-infinity", float64S(), f64(math.Inf(-1)))
	add("float64-minus-zero", float64S(), f64(math.Copysign(0, -1)))
	add("string-empty", stringS(), str(""))
	add("string-escapes", stringS(), str("\"\\/\b\f\n\r\t\x00\x1f\x7f<>&'"))
	add("string-unicode", stringS(), str("ä ✓ 😀 \u2028"))
	add("bytes-empty", bytesS(), byt(""))
	add("bytes-high", bytesS(), byt("\xff\xfb\xf0\x3e"))
	add("decimal-zero", decimalS(0), dec("0", 0))
	add("decimal-negative", decimalS(2), dec("-1", 2))
	add("decimal-trailing-zeros", decimalS(4), dec("10000", 4))
	add("decimal-wide", decimalS(20), dec("123456789012345678901234567890123456789", 20))
	add("decimal-small", decimalS(12), dec("1", 12))
	add("decimal-negative-scale", decimalS(-3), dec("12", -3))
	add("decimal-128", decimalS(0), dec("128", 0))
	add("decimal-minus-128", decimalS(0), dec("-128", 0))
	add("decimal-precision", param(decimalS(2), "connect.decimal.precision", "10"), dec("1234", 2))
	add("date-before-epoch", dateS(), date(-86400000))
	add("timestamp-before-epoch", timestampS(), date(-1))
	add("array-empty", arrayS(int32S()), arr())
	add("array-with-null", arrayS(opt(int32S())), arr(i32(1), null))
	add("array-of-decimals", arrayS(decimalS(2)), arr(dec("1234", 2), dec("-5", 2)))
	add("array-of-structs", arrayS(structS(field("x", int32S()))), arr(structV("x", i32(1)), structV("x", i32(2))))
	add("array-of-arrays", arrayS(arrayS(stringS())), arr(arr(str("a")), arr()))
	add("map-empty", mapS(stringS(), int32S()), obj())
	add("map-null-value", mapS(stringS(), opt(int32S())), obj("a", null))
	add("map-int-keys", mapS(int32S(), stringS()), mapV(i32(1), str("a"), i32(2), str("b")))
	add("map-optional-keys", mapS(opt(stringS()), stringS()), obj("a", str("b")))
	add("map-struct-keys", mapS(structS(field("x", int32S())), stringS()), mapV(structV("x", i32(1)), str("a")))
	add("map-of-maps", mapS(stringS(), mapS(stringS(), dateS())), obj("a", obj("b", date(86400000))))
	add("map-date-keys", mapS(dateS(), int32S()), mapV(date(86400000), i32(1)))
	add("struct-empty", structS(), structV())
	deep := structS(field("a", structS(field("b", structS(field("c", arrayS(mapS(stringS(), decimalS(1)))))))))
	add("struct-deep", deep, structV("a", structV("b", structV("c", arr(obj("k", dec("15", 1)))))))
	add("named-int", full(int32S()), i32(5))
	add("named-like-connect", named(stringS(), oracle.DateName), str("x"))
	add("logical-unversioned", named(int64S(), oracle.TimestampName), date(stamp))
	return list
}

// whole is a struct with a field of each type.
func whole() oracle.Data {
	var members []member
	for _, s := range samples() {
		members = append(members, member(s))
	}
	return withSchema.data(members...)
}

func jsonFrom(f *file) {
	configs := map[string]map[string]string{"envelope": options(), "plain": options("schemas.enable", "false")}
	for tag, conf := range sorted(configs) {
		for _, s := range jsonValues() {
			f.from(fmt.Sprintf("%s/%s", tag, s.name), jsonC, conf, oracle.Data{Schema: s.schema, Value: s.value})
		}
		numeric := options("decimal.format", "NUMERIC")
		for k, v := range conf {
			numeric[k] = v
		}
		for _, s := range jsonValues() {
			if s.schema.Logical() == oracle.DecimalName || s.name == "array-of-decimals" || s.name == "struct-deep" {
				f.from(fmt.Sprintf("%s/numeric/%s", tag, s.name), jsonC, numeric, oracle.Data{Schema: s.schema, Value: s.value})
			}
		}
		for _, s := range samples() {
			name := func(what string) string { return fmt.Sprintf("%s/%s/%s", tag, what, s.name) }
			f.from(name("null-optional"), jsonC, conf, oracle.Data{Schema: opt(s.schema)})
			f.from(name("null-required"), jsonC, conf, oracle.Data{Schema: s.schema})
			f.from(name("full"), jsonC, conf, oracle.Data{Schema: full(opt(s.schema)), Value: s.value})
			f.from(name("schemaless"), jsonC, conf, oracle.Data{Value: plainOf(s.value)})
			for _, replace := range []string{"true", "false"} {
				withReplace := options("replace.null.with.default", replace)
				for k, v := range conf {
					withReplace[k] = v
				}
				f.from(name("null-default-replace-"+replace), jsonC, withReplace, oracle.Data{Schema: opt(def(s.schema, s.value))})
				f.from(name("field-default-replace-"+replace), jsonC, withReplace, oracle.Data{Schema: structS(field("a", opt(def(s.schema, s.value)))), Value: structV()})
			}
		}
		f.from(tag+"/tombstone", jsonC, conf, oracle.Data{})
		f.from(tag+"/all-types", jsonC, conf, whole())
		f.from(tag+"/missing-required-field", jsonC, conf, oracle.Data{Schema: structS(field("a", int32S())), Value: structV()})
		f.from(tag+"/missing-required-with-default", jsonC, conf, oracle.Data{Schema: structS(field("a", def(int32S(), i32(4)))), Value: structV()})
		f.from(tag+"/attributes-of-fields", jsonC, conf, oracle.Data{Schema: full(opt(structS(field("a", full(def(opt(int32S()), i32(4)))), field("b", opt(arrayS(full(stringS()))))))), Value: structV("a", i32(1))})
		f.from(tag+"/recursive-default", jsonC, conf, oracle.Data{Schema: def(structS(field("a", int32S())), structV("a", i32(4))), Value: structV("a", i32(1))})
		for what, d := range sorted(map[string]oracle.Data{
			"string-for-int":         {Schema: int32S(), Value: str("1")},
			"int-for-string":         {Schema: stringS(), Value: i32(1)},
			"int32-for-int64":        {Schema: int64S(), Value: i32(1)},
			"int64-for-int32":        {Schema: int32S(), Value: i64(1)},
			"map-for-struct":         {Schema: structS(field("a", int32S())), Value: obj("a", i32(1))},
			"date-with-time":         {Schema: dateS(), Value: date(86400001)},
			"time-of-two-days":       {Schema: timeS(), Value: date(86400001)},
			"number-for-date":        {Schema: dateS(), Value: i32(1)},
			"decimal-of-other-scale": {Schema: decimalS(2), Value: dec("12", 1)},
			"string-for-decimal":     {Schema: decimalS(2), Value: str("1")},
			"list-for-string":        {Schema: stringS(), Value: arr()},
			"decimal-without-scale":  {Schema: version(named(bytesS(), oracle.DecimalName), 1), Value: dec("12", 1)},
			"decimal-with-bad-scale": {Schema: param(version(named(bytesS(), oracle.DecimalName), 1), "scale", "x"), Value: dec("12", 1)},
		}) {
			f.from(tag+"/wrong/"+what, jsonC, conf, d)
		}
		for what, v := range sorted(map[string]value{
			"int-keys":       mapV(i32(1), str("a")),
			"mixed-keys":     mapV(str("b"), i32(1), i32(1), str("a")),
			"null-in-map":    obj("a", null),
			"null-key":       mapV(null, str("x")),
			"nested":         obj("a", arr(obj("b", f64(1.5)), null)),
			"date":           date(stamp),
			"decimal-in-map": obj("a", dec("125", 2)),
			"date-in-array":  arr(date(stamp)),
			"big":            obj("a", i64(math.MaxInt64)),
			"nan":            f64(math.NaN()),
		}) {
			f.from(tag+"/untyped/"+what, jsonC, conf, oracle.Data{Value: v})
		}
	}
	d := oracle.Data{Schema: int32S(), Value: i32(1)}
	for what, conf := range sorted(map[string]map[string]string{
		"lower-decimal-format":           options("decimal.format", "numeric"),
		"bad-decimal-format":             options("decimal.format", "TEXT"),
		"bad-schemas-enable":             options("schemas.enable", "maybe"),
		"cache-size-zero":                options("schemas.cache.size", "0"),
		"cache-size-bad":                 options("schemas.cache.size", "-1"),
		"unknown-option":                 options("no.such", "x"),
		"schema-content":                 options("schema.content", `{"type":"int32"}`),
		"schema-content-bad":             options("schema.content", `{"type":`),
		"schema-content-without-schemas": options("schema.content", `{"type":"int32"}`, "schemas.enable", "false"),
		"schema-content-unknown-type":    options("schema.content", `{"type":"int128"}`),
	}) {
		f.from("config/"+what, jsonC, conf, d)
	}
	f.add("key", oracle.Case{Op: oracle.FromConnect, Converter: &oracle.ConverterSpec{Class: jsonC, Config: options(), Key: true}, Data: &d})
}

func jsonTo(f *file) {
	on, off := options(), options("schemas.enable", "false")
	enveloped := func(schema, payload string) string {
		return `{"schema":` + schema + `,"payload":` + payload + `}`
	}
	decimal := func(scale string) string {
		return `{"type":"bytes","name":"` + oracle.DecimalName + `","version":1,"parameters":{"scale":"` + scale + `"}}`
	}
	logical := func(typ, name string) string { return `{"type":"` + typ + `","name":"` + name + `","version":1}` }
	for name, c := range sorted(map[string][2]string{
		"boolean":                     {`{"type":"boolean"}`, `true`},
		"int8":                        {`{"type":"int8"}`, `5`},
		"int16":                       {`{"type":"int16"}`, `300`},
		"int32":                       {`{"type":"int32"}`, `70000`},
		"int64":                       {`{"type":"int64"}`, `9007199254740993`},
		"float":                       {`{"type":"float"}`, `1.5`},
		"double":                      {`{"type":"double"}`, `2.25`},
		"string":                      {`{"type":"string"}`, `"käse"`},
		"bytes":                       {`{"type":"bytes"}`, `"AAH+"`},
		"float32-name":                {`{"type":"float32"}`, `1.5`},
		"float64-name":                {`{"type":"float64"}`, `1.5`},
		"int8-overflow":               {`{"type":"int8"}`, `300`},
		"int16-overflow":              {`{"type":"int16"}`, `70000`},
		"int32-overflow":              {`{"type":"int32"}`, `3000000000`},
		"int64-overflow":              {`{"type":"int64"}`, `9223372036854775808`},
		"int-fraction":                {`{"type":"int32"}`, `1.9`},
		"int-exponent":                {`{"type":"int32"}`, `1e3`},
		"float-integer":               {`{"type":"float"}`, `3`},
		"double-integer":              {`{"type":"double"}`, `3`},
		"double-nan":                  {`{"type":"double"}`, `"NaN"`},
		"double-big":                  {`{"type":"double"}`, `1e400`},
		"float-tenth":                 {`{"type":"float"}`, `0.1`},
		"int-text":                    {`{"type":"int32"}`, `"5"`},
		"string-number":               {`{"type":"string"}`, `5`},
		"boolean-number":              {`{"type":"boolean"}`, `1`},
		"boolean-text":                {`{"type":"boolean"}`, `"true"`},
		"string-object":               {`{"type":"string"}`, `{}`},
		"bytes-bad-base64":            {`{"type":"bytes"}`, `"%%"`},
		"bytes-number":                {`{"type":"bytes"}`, `5`},
		"bytes-no-padding":            {`{"type":"bytes"}`, `"AAE"`},
		"bytes-url-base64":            {`{"type":"bytes"}`, `"-_-_"`},
		"decimal":                     {decimal("2"), `"BNI="`},
		"decimal-number":              {decimal("2"), `12.34`},
		"decimal-number-fewer-digits": {decimal("2"), `12.3`},
		"decimal-number-more-digits":  {decimal("2"), `12.345`},
		"decimal-number-integer":      {decimal("2"), `12`},
		"decimal-number-wide":         {decimal("2"), `123456789012345678901234567890.12`},
		"decimal-number-exponent":     {decimal("2"), `1e2`},
		"decimal-text":                {decimal("2"), `"12.34"`},
		"decimal-empty":               {decimal("2"), `""`},
		"decimal-boolean":             {decimal("2"), `true`},
		"decimal-bad-scale":           {decimal("x"), `"BNI="`},
		"decimal-no-scale":            {logical("bytes", oracle.DecimalName), `"BNI="`},
		"decimal-negative":            {decimal("2"), `"/w=="`},
		"date":                        {logical("int32", oracle.DateName), `19675`},
		"date-negative":               {logical("int32", oracle.DateName), `-1`},
		"date-text":                   {logical("int32", oracle.DateName), `"2023-11-14"`},
		"date-float":                  {logical("int32", oracle.DateName), `1.0`},
		"date-too-big":                {logical("int32", oracle.DateName), `3000000000`},
		"time":                        {logical("int32", oracle.TimeName), `3723004`},
		"time-too-big":                {logical("int32", oracle.TimeName), `86400001`},
		"time-negative":               {logical("int32", oracle.TimeName), `-1`},
		"time-text":                   {logical("int32", oracle.TimeName), `"01:02"`},
		"timestamp":                   {logical("int64", oracle.TimestampName), `1700000000123`},
		"timestamp-negative":          {logical("int64", oracle.TimestampName), `-1`},
		"timestamp-text":              {logical("int64", oracle.TimestampName), `"2023"`},
		"timestamp-on-int32":          {logical("int32", oracle.TimestampName), `5`},
		"date-on-string":              {logical("string", oracle.DateName), `"x"`},
		"array":                       {`{"type":"array","items":{"type":"int32"}}`, `[1,2]`},
		"array-empty":                 {`{"type":"array","items":{"type":"int32"}}`, `[]`},
		"array-null":                  {`{"type":"array","items":{"type":"int32","optional":true}}`, `[1,null]`},
		"array-null-required":         {`{"type":"array","items":{"type":"int32"}}`, `[1,null]`},
		"array-no-items":              {`{"type":"array"}`, `[1]`},
		"array-object":                {`{"type":"array","items":{"type":"int32"}}`, `{"a":1}`},
		"array-wrong-item":            {`{"type":"array","items":{"type":"int32"}}`, `["x"]`},
		"map":                         {`{"type":"map","keys":{"type":"string"},"values":{"type":"int32"}}`, `{"a":1,"b":2}`},
		"map-as-pairs":                {`{"type":"map","keys":{"type":"string"},"values":{"type":"int32"}}`, `[["a",1]]`},
		"map-int-keys":                {`{"type":"map","keys":{"type":"int32"},"values":{"type":"string"}}`, `[[1,"a"],[2,"b"]]`},
		"map-int-keys-object":         {`{"type":"map","keys":{"type":"int32"},"values":{"type":"string"}}`, `{"1":"a"}`},
		"map-short-pair":              {`{"type":"map","keys":{"type":"int32"},"values":{"type":"string"}}`, `[[1]]`},
		"map-long-pair":               {`{"type":"map","keys":{"type":"int32"},"values":{"type":"string"}}`, `[[1,"a","b"]]`},
		"map-no-pair":                 {`{"type":"map","keys":{"type":"int32"},"values":{"type":"string"}}`, `[1]`},
		"map-no-keys":                 {`{"type":"map","values":{"type":"string"}}`, `{}`},
		"map-no-values":               {`{"type":"map","keys":{"type":"string"}}`, `{}`},
		"map-null-value":              {`{"type":"map","keys":{"type":"string"},"values":{"type":"int32","optional":true}}`, `{"a":null}`},
		"struct":                      {`{"type":"struct","fields":[{"type":"int32","field":"a"},{"type":"string","optional":true,"field":"b"}]}`, `{"a":1,"b":"x"}`},
		"struct-missing-optional":     {`{"type":"struct","fields":[{"type":"int32","field":"a"},{"type":"string","optional":true,"field":"b"}]}`, `{"a":1}`},
		"struct-missing-required":     {`{"type":"struct","fields":[{"type":"int32","field":"a"}]}`, `{}`},
		"struct-null-required":        {`{"type":"struct","fields":[{"type":"int32","field":"a"}]}`, `{"a":null}`},
		"struct-extra-field":          {`{"type":"struct","fields":[{"type":"int32","field":"a"}]}`, `{"a":1,"z":2}`},
		"struct-array":                {`{"type":"struct","fields":[{"type":"int32","field":"a"}]}`, `[1]`},
		"struct-no-fields":            {`{"type":"struct"}`, `{}`},
		"struct-field-without-name":   {`{"type":"struct","fields":[{"type":"int32"}]}`, `{}`},
		"struct-repeated-field":       {`{"type":"struct","fields":[{"type":"int32","field":"a"},{"type":"int32","field":"a"}]}`, `{"a":1}`},
		"struct-empty":                {`{"type":"struct","fields":[]}`, `{}`},
		"struct-repeated-member":      {`{"type":"struct","fields":[{"type":"int32","field":"a"}]}`, `{"a":1,"a":2}`},
		"struct-default":              {`{"type":"struct","fields":[{"type":"int32","default":7,"field":"a"}]}`, `{}`},
		"struct-default-null":         {`{"type":"struct","fields":[{"type":"int32","optional":true,"default":7,"field":"a"}]}`, `{"a":null}`},
		"struct-nested":               {`{"type":"struct","name":"s","fields":[{"type":"struct","name":"t","optional":true,"fields":[{"type":"array","items":{"type":"map","keys":{"type":"string"},"values":{"type":"double"}},"field":"c"}],"field":"b"}]}`, `{"b":{"c":[{"k":1}]}}`},
		"null-optional":               {`{"type":"int32","optional":true}`, `null`},
		"null-required":               {`{"type":"int32"}`, `null`},
		"null-default":                {`{"type":"int32","default":5}`, `null`},
		"null-optional-default":       {`{"type":"int32","optional":true,"default":5}`, `null`},
		"attributes":                  {`{"type":"int32","optional":true,"name":"n","version":3,"doc":"d","parameters":{"p":"q"},"default":5}`, `1`},
		"attributes-other-order":      {`{"default":5,"parameters":{"p":"q"},"doc":"d","version":3,"name":"n","optional":true,"type":"int32"}`, `1`},
		"version-text":                {`{"type":"int32","version":"3"}`, `1`},
		"version-float":               {`{"type":"int32","version":3.5}`, `1`},
		"name-number":                 {`{"type":"int32","name":3}`, `1`},
		"doc-number":                  {`{"type":"int32","doc":3}`, `1`},
		"parameters-array":            {`{"type":"int32","parameters":[]}`, `1`},
		"parameter-number":            {`{"type":"int32","parameters":{"p":1}}`, `1`},
		"optional-text":               {`{"type":"int32","optional":"true"}`, `null`},
		"default-wrong":               {`{"type":"int32","default":"x"}`, `1`},
		"default-logical":             {decimal("2")[:len(decimal("2"))-1] + `,"default":"BNI="}`, `"AA=="`},
		"default-date":                {`{"type":"int32","name":"` + oracle.DateName + `","version":1,"default":19675}`, `1`},
		"no-type":                     {`{"optional":true}`, `1`},
		"unknown-type":                {`{"type":"int128"}`, `1`},
		"upper-type":                  {`{"type":"INT32"}`, `1`},
		"type-number":                 {`{"type":5}`, `1`},
		"schema-null":                 {`null`, `{"a":1}`},
		"schema-null-null":            {`null`, `null`},
		"schema-text":                 {`"int32"`, `1`},
		"schema-array":                {`[]`, `1`},
		"unknown-attribute":           {`{"type":"int32","extra":1}`, `1`},
		"version-zero":                {`{"type":"int32","name":"n","version":0}`, `1`},
		"version-null":                {`{"type":"int32","version":null}`, `1`},
		"name-null":                   {`{"type":"int32","name":null}`, `1`},
	}) {
		f.to("envelope/"+name, jsonC, on, enveloped(c[0], c[1]))
	}
	for name, text := range sorted(map[string]string{
		"payload-first":     `{"payload":1,"schema":{"type":"int32"}}`,
		"third-member":      `{"schema":{"type":"int32"},"payload":1,"more":1}`,
		"no-payload":        `{"schema":{"type":"int32"}}`,
		"no-schema":         `{"payload":1}`,
		"other-object":      `{"a":1,"b":2}`,
		"number":            `5`,
		"array":             `[1]`,
		"text":              `"x"`,
		"null":              `null`,
		"empty":             ``,
		"spaces":            `  `,
		"bad-json":          `{"schema"`,
		"not-json":          `hello`,
		"trailing":          `{"schema":{"type":"int32"},"payload":1} x`,
		"two-documents":     `{"schema":{"type":"int32"},"payload":1}{}`,
		"spaces-around":     "  {\"schema\" : {\"type\":\"int32\"} , \"payload\" : 1 }\n",
		"comment":           `{"schema":{"type":"int32"},/* c */"payload":1}`,
		"single-quotes":     `{'schema':{'type':'int32'},'payload':1}`,
		"bom":               "\ufeff" + `{"schema":{"type":"int32"},"payload":1}`,
		"bad-utf8":          "{\"schema\":{\"type\":\"string\"},\"payload\":\"\xff\"}",
		"duplicate-payload": `{"schema":{"type":"int32"},"payload":1,"payload":2}`,
		"lone-surrogate":    `{"schema":{"type":"string"},"payload":"\ud83d"}`,
		"surrogate-pair":    `{"schema":{"type":"string"},"payload":"\ud83d\ude00"}`,
		"escapes":           `{"schema":{"type":"string"},"payload":"\"\\\/\b\f\n\r\t\u0041"}`,
		"control-in-string": "{\"schema\":{\"type\":\"string\"},\"payload\":\"a\x01b\"}",
		"nan-literal":       `{"schema":{"type":"double"},"payload":NaN}`,
		"leading-zero":      `{"schema":{"type":"int32"},"payload":007}`,
		"leading-plus":      `{"schema":{"type":"int32"},"payload":+7}`,
		"minus-zero":        `{"schema":{"type":"int32"},"payload":-0}`,
	}) {
		f.to("document/"+name, jsonC, on, text)
	}
	for name, text := range sorted(map[string]string{
		"integer":           `5`,
		"negative":          `-5`,
		"int64":             `9223372036854775807`,
		"beyond-int64":      `9223372036854775808`,
		"far-beyond-int64":  `123456789012345678901234567890`,
		"float":             `1.5`,
		"tenth":             `0.1`,
		"whole-float":       `3.0`,
		"exponent":          `1e3`,
		"many-digits":       `1.23456789012345678901234567890`,
		"too-big":           `1e400`,
		"minus-zero":        `-0`,
		"minus-zero-float":  `-0.0`,
		"true":              `true`,
		"false":             `false`,
		"null":              `null`,
		"text":              `"x"`,
		"empty-text":        `""`,
		"array":             `[1,"a",null,true,1.5]`,
		"empty-array":       `[]`,
		"object":            `{"b":1,"a":{"c":[{"d":null}]}}`,
		"empty-object":      `{}`,
		"envelope":          `{"schema":{"type":"int32"},"payload":1}`,
		"empty":             ``,
		"spaces":            ` `,
		"bad":               `{`,
		"trailing":          `1 2`,
		"word":              `hello`,
		"duplicate-members": `{"a":1,"a":2}`,
		"nested-deep":       `[[[[[[[[[[1]]]]]]]]]]`,
		"nan":               `NaN`,
		"unicode":           `"ä✓😀"`,
		"trailing-comma":    `[1,]`,
		"bad-utf8":          "\"\xff\"",
	}) {
		f.to("plain/"+name, jsonC, off, text)
	}
	for _, replace := range []string{"true", "false"} {
		conf := options("replace.null.with.default", replace)
		f.to("replace-"+replace+"/top", jsonC, conf, enveloped(`{"type":"int32","optional":true,"default":5}`, `null`))
		f.to("replace-"+replace+"/field", jsonC, conf, enveloped(`{"type":"struct","fields":[{"type":"int32","optional":true,"default":7,"field":"a"}]}`, `{"a":null}`))
		f.to("replace-"+replace+"/missing", jsonC, conf, enveloped(`{"type":"struct","fields":[{"type":"int32","optional":true,"default":7,"field":"a"}]}`, `{}`))
		f.to("replace-"+replace+"/required", jsonC, conf, enveloped(`{"type":"int32","default":5}`, `null`))
	}
	for _, format := range []string{"NUMERIC", "BASE64"} {
		f.to("decimal-format/"+format+"-number", jsonC, options("decimal.format", format), enveloped(decimal("2"), `12.34`))
		f.to("decimal-format/"+format+"-text", jsonC, options("decimal.format", format), enveloped(decimal("2"), `"BNI="`))
	}
	content := options("schema.content", `{"type":"struct","fields":[{"type":"int32","field":"a"}]}`)
	f.to("schema-content/plain", jsonC, content, `{"a":1}`)
	f.to("schema-content/envelope-wins", jsonC, content, enveloped(`{"type":"int64"}`, `5`))
	f.to("schema-content/does-not-fit", jsonC, content, `{"a":"x"}`)
	f.to("schema-content/null", jsonC, content, `null`)
	f.toNull("schema-content/null-bytes", jsonC, content)
	f.to("schema-content/empty-text", jsonC, options("schema.content", ""), `{"a":1}`)
	f.toNull("null/envelope", jsonC, on)
	f.toNull("null/plain", jsonC, off)
}
