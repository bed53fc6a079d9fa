package gen

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/flowrecords/flow/internal/oracle"
)

// avroFile gathers the cases of one file about Avro.
type avroFile struct {
	name  string
	cases []oracle.AvroCase
}

func (f *avroFile) add(name string, c oracle.AvroCase) {
	c.Name = "avro/" + f.name + "/" + name
	f.cases = append(f.cases, c)
}

func avro() []avroFile {
	tables := []struct {
		name string
		fill func(*avroFile)
	}{{"values", avroValues}, {"schemas", avroSchemas}, {"decode", avroDecode}, {"resolution", avroResolution}, {"compatibility", avroCompatibility}, {"evolution", avroEvolution}}
	var files []avroFile
	for _, t := range tables {
		f := avroFile{name: t.name}
		t.fill(&f)
		files = append(files, f)
	}
	return files
}

func enumV(symbol string) value { return value{Kind: oracle.Enum, Text: symbol} }
func fixedV(b string) value     { return value{Kind: oracle.Fixed, Bytes: []byte(b)} }
func logicalV(kind oracle.Kind, text string) value {
	return value{Kind: kind, Text: text}
}

// logicalS is the text of a schema with a logical type.
func logicalS(base, name string) string {
	return fmt.Sprintf(`{"type":"%s","logicalType":"%s"}`, base, name)
}

func decimalOn(base string, precision, scale int) string {
	if base == "bytes" {
		return fmt.Sprintf(`{"type":"bytes","logicalType":"decimal","precision":%d,"scale":%d}`, precision, scale)
	}
	return fmt.Sprintf(`{"type":"fixed","name":"D","size":%s,"logicalType":"decimal","precision":%d,"scale":%d}`, base, precision, scale)
}

func recordOf(name string, fields ...string) string {
	return fmt.Sprintf(`{"type":"record","name":"%s","fields":[%s]}`, name, strings.Join(fields, ","))
}

// fieldOf is a field; more are further attributes with their commas.
func fieldOf(name, schema string, more ...string) string {
	return fmt.Sprintf(`{"name":"%s","type":%s%s}`, name, schema, strings.Join(more, ""))
}

const (
	avroEnum = `{"type":"enum","name":"Color","symbols":["RED","GREEN","BLUE"]}`
	avroList = `{"type":"record","name":"Node","fields":[{"name":"value","type":"int"},{"name":"next","type":["null","Node"],"default":null}]}`
	avroTree = `{"type":"record","name":"Tree","fields":[{"name":"children","type":{"type":"array","items":"Tree"}},{"name":"by_name","type":{"type":"map","values":"Tree"}}]}`
)

func avroValues(f *avroFile) {
	add := func(name, schema string, values ...value) {
		for i := range values {
			n := name
			if len(values) > 1 {
				n = fmt.Sprintf("%s-%d", name, i)
			}
			v := &values[i]
			if v.IsNull() {
				v = nil // absent is null
			}
			f.add(n, oracle.AvroCase{Op: oracle.AvroValue, Schema: json.RawMessage(schema), Value: v})
		}
	}
	add("null", `"null"`, null)
	add("boolean", `"boolean"`, boolV(true), boolV(false))
	add("int", `"int"`, i32(0), i32(-1), i32(1), i32(63), i32(64), i32(-64), i32(-65), i32(math.MaxInt32), i32(math.MinInt32))
	add("long", `"long"`, i64(0), i64(-1), i64(9007199254740993), i64(math.MaxInt64), i64(math.MinInt64))
	add("float", `"float"`, f32(0), f32(1.5), f32(-0.1), f32(math.MaxFloat32), f32(float32(math.NaN())), f32(float32(math.Inf(1))), f32(float32(math.Copysign(0, -1))))
	add("double", `"double"`, f64(0), f64(2.25), f64(-0.1), f64(math.MaxFloat64), f64(math.SmallestNonzeroFloat64), f64(math.NaN()), f64(math.Inf(-1)))
	add("string", `"string"`, str(""), str("abc"), str("ä✓😀"), str("\x00\n\""), str(strings.Repeat("x", 200)))
	add("string-of-java", `{"type":"string","avro.java.string":"String"}`, str("abc"))
	add("bytes", `"bytes"`, byt(""), byt("\x00\xff\x80"), byt(strings.Repeat("\x01", 70)))
	add("fixed", `{"type":"fixed","name":"F","size":4}`, fixedV("\x00\x01\xfe\xff"))
	add("fixed-namespace", `{"type":"fixed","name":"F","namespace":"com.acme","size":1}`, fixedV("x"))
	add("fixed-empty", `{"type":"fixed","name":"F","size":0}`, fixedV(""))
	add("enum", avroEnum, enumV("RED"), enumV("BLUE"))
	add("enum-default", `{"type":"enum","name":"E","symbols":["A","B"],"default":"A"}`, enumV("B"))
	add("array", `{"type":"array","items":"int"}`, arr(), arr(i32(1), i32(-2), i32(300)))
	add("array-of-arrays", `{"type":"array","items":{"type":"array","items":"string"}}`, arr(arr(str("a")), arr(), arr(str("b"), str("c"))))
	add("array-of-records", `{"type":"array","items":`+recordOf("R", fieldOf("a", `"int"`))+`}`, arr(structV("a", i32(1)), structV("a", i32(2))))
	add("array-of-unions", `{"type":"array","items":["null","int","string"]}`, arr(null, i32(1), str("x")))
	add("map", `{"type":"map","values":"long"}`, mapV(), mapV(str("a"), i64(1), str(""), i64(2)))
	add("map-of-records", `{"type":"map","values":`+recordOf("R", fieldOf("a", `"int"`))+`}`, mapV(str("k"), structV("a", i32(1))))
	add("record", recordOf("R", fieldOf("a", `"int"`), fieldOf("b", `"string"`), fieldOf("c", `["null","double"]`)), structV("a", i32(1), "b", str("x"), "c", null), structV("a", i32(1), "b", str("x"), "c", f64(1.5)))
	add("record-empty", recordOf("R"), structV())
	add("record-namespace", `{"type":"record","name":"R","namespace":"com.acme","doc":"d","aliases":["Old"],"fields":[{"name":"a","type":"int","doc":"x","order":"descending","aliases":["b"]}]}`, structV("a", i32(1)))
	add("record-full-name", recordOf("com.acme.R", fieldOf("a", `{"type":"enum","name":"E","symbols":["X"]}`), fieldOf("b", `"com.acme.E"`), fieldOf("c", `"E"`)), structV("a", enumV("X"), "b", enumV("X"), "c", enumV("X")))
	add("record-nested", recordOf("R", fieldOf("p", recordOf("P", fieldOf("x", `"double"`), fieldOf("y", `"double"`))), fieldOf("q", `"P"`)), structV("p", structV("x", f64(1), "y", f64(2)), "q", structV("x", f64(3), "y", f64(4))))
	add("record-defaults", recordOf("R", fieldOf("i", `"int"`, `,"default":5`), fieldOf("s", `"string"`, `,"default":"d"`), fieldOf("b", `"bytes"`, `,"default":"\u00ff\u0001"`), fieldOf("l", `"long"`, `,"default":9007199254740993`),
		fieldOf("f", `"float"`, `,"default":1.5`), fieldOf("d", `"double"`, `,"default":2`), fieldOf("z", `"boolean"`, `,"default":true`), fieldOf("n", `["null","int"]`, `,"default":null`), fieldOf("u", `["int","null"]`, `,"default":7`),
		fieldOf("a", `{"type":"array","items":"int"}`, `,"default":[1,2]`), fieldOf("m", `{"type":"map","values":"int"}`, `,"default":{"k":1}`), fieldOf("e", avroEnum, `,"default":"GREEN"`), fieldOf("x", `{"type":"fixed","name":"F","size":2}`, `,"default":"\u0001\u00fe"`),
		fieldOf("r", recordOf("P", fieldOf("q", `"int"`, `,"default":3`), fieldOf("w", `"int"`)), `,"default":{"w":4}`)), structV())
	add("union-null-first", `["null","string"]`, null, str("x"))
	add("union-null-last", `["string","null"]`, null, str("x"))
	add("union-numbers", `["int","long","float","double"]`, i32(1), i64(1), f32(1), f64(1))
	add("union-of-named", `[`+recordOf("A", fieldOf("a", `"int"`))+`,`+recordOf("B", fieldOf("b", `"int"`))+`,`+avroEnum+`,{"type":"fixed","name":"F","size":2},{"type":"array","items":"int"},{"type":"map","values":"int"},"bytes"]`,
		structV("a", i32(1)), structV("b", i32(2)), enumV("GREEN"), fixedV("xy"), arr(i32(1)), mapV(str("k"), i32(1)), byt("z"))
	add("union-single", `["int"]`, i32(1))
	add("union-empty-branch-of-null", `["null"]`, null)
	add("recursive-list", avroList, structV("value", i32(1)), structV("value", i32(1), "next", structV("value", i32(2), "next", structV("value", i32(3)))))
	add("recursive-tree", avroTree, structV("children", arr(structV("children", arr(), "by_name", mapV())), "by_name", mapV(str("k"), structV("children", arr(), "by_name", mapV()))))
	add("array-of-maps", `{"type":"array","items":{"type":"map","values":["null","boolean"]}}`, arr(mapV(str("a"), boolV(true), str("b"), null), mapV()))
	add("map-of-arrays", `{"type":"map","values":{"type":"array","items":"bytes"}}`, mapV(str("k"), arr(byt("a"), byt(""))))
	add("map-of-unions", `{"type":"map","values":["string","double"]}`, mapV(str("a"), str("x"), str("b"), f64(1.5)))
	add("record-of-optionals", recordOf("R", fieldOf("r", `["null",`+recordOf("P", fieldOf("q", `["null","long"]`))+`]`), fieldOf("e", `[`+avroEnum+`,"null"]`), fieldOf("a", `["null",{"type":"array","items":["null","string"]}]`)),
		structV("r", structV("q", i64(1)), "e", enumV("BLUE"), "a", arr(null, str("x"))), structV("r", structV("q", null), "e", null, "a", null), structV("r", null, "e", null, "a", arr()))
	add("record-of-all-types", recordOf("R", fieldOf("z", `"boolean"`), fieldOf("i", `"int"`), fieldOf("l", `"long"`), fieldOf("f", `"float"`), fieldOf("d", `"double"`), fieldOf("s", `"string"`), fieldOf("b", `"bytes"`), fieldOf("n", `"null"`), fieldOf("e", avroEnum), fieldOf("x", `{"type":"fixed","name":"F","size":2}`),
		fieldOf("a", `{"type":"array","items":"int"}`), fieldOf("m", `{"type":"map","values":"int"}`)),
		structV("z", boolV(true), "i", i32(-5), "l", i64(9007199254740993), "f", f32(0.1), "d", f64(0.1), "s", str("ä"), "b", byt("\xff"), "n", null, "e", enumV("GREEN"), "x", fixedV("xy"), "a", arr(i32(1)), "m", mapV(str("k"), i32(2))))
	add("inherited-namespace", `{"type":"record","name":"R","namespace":"a.b","fields":[{"name":"p","type":{"type":"record","name":"c.P","fields":[{"name":"e","type":{"type":"enum","name":"E","symbols":["X"]}}]}},{"name":"e","type":"c.E"}]}`, structV("p", structV("e", enumV("X")), "e", enumV("X")))
	avroLogicalValues(add)
}

func avroLogicalValues(add func(name, schema string, values ...value)) {
	add("decimal-bytes", decimalOn("bytes", 20, 2), dec("1234", 2), dec("-1", 2), dec("0", 2), dec("128", 2), dec("-128", 2), dec("12345678901234567890", 2))
	add("decimal-bytes-wide", decimalOn("bytes", 60, 10), dec("123456789012345678901234567890123456789012345678901234567890", 10))
	add("decimal-bytes-no-scale", `{"type":"bytes","logicalType":"decimal","precision":9}`, dec("1234", 0))
	add("decimal-fixed", decimalOn("8", 18, 4), dec("1234", 4), dec("-1234", 4), dec("0", 4), dec("999999999999999999", 4))
	add("decimal-other-scale", decimalOn("bytes", 20, 2), dec("12", 1), dec("12345", 3))
	add("decimal-too-precise", decimalOn("bytes", 3, 2), dec("12345", 2))
	add("decimal-fixed-too-small", decimalOn("2", 4, 0), dec("9999", 0), dec("32768", 0))
	add("big-decimal", logicalS("bytes", "big-decimal"), dec("1234", 2), dec("12", -3))
	add("date", logicalS("int", "date"), logicalV(oracle.LocalDate, "2023-11-14"), logicalV(oracle.LocalDate, "1970-01-01"), logicalV(oracle.LocalDate, "1969-12-31"), logicalV(oracle.LocalDate, "0001-01-01"), logicalV(oracle.LocalDate, "9999-12-31"))
	add("time-millis", logicalS("int", "time-millis"), logicalV(oracle.LocalTime, "00:00"), logicalV(oracle.LocalTime, "22:13:20.123"), logicalV(oracle.LocalTime, "23:59:59.999"))
	add("time-micros", logicalS("long", "time-micros"), logicalV(oracle.LocalTime, "22:13:20.123456"), logicalV(oracle.LocalTime, "23:59:59.999999"))
	for unit, digits := range sorted(map[string]string{"millis": ".123", "micros": ".123456", "nanos": ".123456789"}) {
		add("timestamp-"+unit, logicalS("long", "timestamp-"+unit), logicalV(oracle.Instant, "2023-11-14T22:13:20"+digits+"Z"), logicalV(oracle.Instant, "1970-01-01T00:00:00Z"), logicalV(oracle.Instant, "1969-12-31T23:59:59"+digits+"Z"))
		add("local-timestamp-"+unit, logicalS("long", "local-timestamp-"+unit), logicalV(oracle.LocalDateTime, "2023-11-14T22:13:20"+digits), logicalV(oracle.LocalDateTime, "1969-12-31T23:59:59"+digits))
	}
	add("timestamp-finer-than-type", logicalS("long", "timestamp-millis"), logicalV(oracle.Instant, "2023-11-14T22:13:20.123999999Z"), logicalV(oracle.Instant, "1969-12-31T23:59:59.999999999Z"))
	add("timestamp-nanos-out-of-range", logicalS("long", "timestamp-nanos"), logicalV(oracle.Instant, "2300-01-01T00:00:00Z"))
	add("timestamp-millis-raw", logicalS("long", "timestamp-millis"), i64(1700000000123))
	add("uuid", logicalS("string", "uuid"), logicalV(oracle.UUID, "123e4567-e89b-12d3-a456-426614174000"))
	add("uuid-fixed", `{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}`, logicalV(oracle.UUID, "123e4567-e89b-12d3-a456-426614174000"))
	add("duration", `{"type":"fixed","name":"D","size":12,"logicalType":"duration"}`, fixedV("\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00"))
	add("logical-unknown", logicalS("int", "no-such"), i32(5))
	add("logical-on-wrong-type", logicalS("string", "date"), str("x"))
	add("logical-in-union", `["null",`+logicalS("long", "timestamp-micros")+`,`+decimalOn("bytes", 9, 2)+`]`, logicalV(oracle.Instant, "2023-11-14T22:13:20.123456Z"), dec("1234", 2), null)
	add("logical-in-containers", recordOf("R", fieldOf("a", `{"type":"array","items":`+logicalS("int", "date")+`}`), fieldOf("m", `{"type":"map","values":`+decimalOn("bytes", 9, 2)+`}`)),
		structV("a", arr(logicalV(oracle.LocalDate, "2023-11-14")), "m", mapV(str("k"), dec("1234", 2))))
}

func avroSchemas(f *avroFile) {
	for name, schema := range sorted(map[string]string{
		"spaces":             ` { "type" : "record" , "name" : "R" , "fields" : [ { "name" : "a" , "type" : "int" } ] } `,
		"primitive-object":   `{"type":"int"}`,
		"attributes-dropped": `{"doc":"d","fields":[{"default":1,"doc":"x","name":"a","type":{"type":"int","logicalType":"date"}}],"aliases":["B"],"name":"A","custom":1,"type":"record"}`,
		"names-filled":       `{"type":"record","name":"R","namespace":"n.s","fields":[{"name":"e","type":{"type":"enum","name":"E","symbols":["A"]}},{"name":"f","type":{"type":"fixed","name":"o.F","size":3}},{"name":"g","type":"E"}]}`,
		"escapes":            `{"type":"enum","name":"\u0045","symbols":["A"]}`,
		"error-type":         `{"type":"error","name":"X","fields":[]}`, "nested-type-object": `{"type":{"type":"int"}}`, "recursive": avroList, "tree": avroTree,
		"bad-unknown-type":             `"integer"`,
		"bad-no-name":                  `{"type":"record","fields":[]}`,
		"bad-no-fields":                `{"type":"record","name":"R"}`,
		"bad-name":                     `{"type":"record","name":"1R","fields":[]}`,
		"bad-dash-name":                `{"type":"record","name":"a-b","fields":[]}`,
		"bad-field-name":               recordOf("R", fieldOf("a b", `"int"`)),
		"bad-repeated-field":           recordOf("R", fieldOf("a", `"int"`), fieldOf("a", `"int"`)),
		"bad-repeated-symbol":          `{"type":"enum","name":"E","symbols":["A","A"]}`,
		"bad-symbol":                   `{"type":"enum","name":"E","symbols":["a-b"]}`,
		"bad-no-symbols":               `{"type":"enum","name":"E"}`,
		"enum-empty":                   `{"type":"enum","name":"E","symbols":[]}`,
		"bad-enum-default":             `{"type":"enum","name":"E","symbols":["A"],"default":"B"}`,
		"bad-fixed-size":               `{"type":"fixed","name":"F","size":-1}`,
		"bad-fixed-no-size":            `{"type":"fixed","name":"F"}`,
		"bad-array":                    `{"type":"array"}`,
		"bad-map":                      `{"type":"map"}`,
		"bad-union-twice":              `["int","int"]`,
		"bad-union-in-union":           `["int",["string"]]`,
		"bad-union-two-arrays":         `[{"type":"array","items":"int"},{"type":"array","items":"string"}]`,
		"union-two-records":            `[` + recordOf("A") + `,` + recordOf("B") + `]`,
		"union-empty":                  `[]`,
		"redefined-alike":              recordOf("R", fieldOf("a", avroEnum), fieldOf("b", avroEnum)),
		"bad-redefined":                recordOf("R", fieldOf("a", avroEnum), fieldOf("b", `{"type":"enum","name":"Color","symbols":["X"]}`)),
		"bad-unknown-name":             recordOf("R", fieldOf("a", `"Nope"`)),
		"bad-default-type":             recordOf("R", fieldOf("a", `"int"`, `,"default":"x"`)),
		"default-of-second-branch":     recordOf("R", fieldOf("a", `["null","int"]`, `,"default":1`)),
		"default-int-for-double":       recordOf("R", fieldOf("a", `"double"`, `,"default":1`)),
		"bad-default-float-for-int":    recordOf("R", fieldOf("a", `"int"`, `,"default":1.5`)),
		"bad-default-range":            recordOf("R", fieldOf("a", `"int"`, `,"default":3000000000`)),
		"decimal-no-precision":         `{"type":"bytes","logicalType":"decimal"}`,
		"decimal-scale-over-precision": decimalOn("bytes", 2, 3),
		"decimal-fixed-too-small":      decimalOn("2", 10, 0),
		"decimal-on-int":               `{"type":"int","logicalType":"decimal","precision":4}`,
		"bad-not-an-object":            `5`,
		"bad-null":                     `null`,
		"empty-namespace":              `{"type":"record","name":"R","namespace":"","fields":[]}`,
	}) {
		f.add(name, oracle.AvroCase{Op: oracle.AvroSchema, Schema: json.RawMessage(schema)})
	}
}

func avroDecode(f *avroFile) {
	decode := func(name, schema, digits string) {
		b, err := hex.DecodeString(digits)
		if err != nil {
			panic(err) // a mistake in this table
		}
		f.add(name, oracle.AvroCase{Op: oracle.AvroDecode, Schema: json.RawMessage(schema), Hex: b})
	}
	const ints, strs = `{"type":"array","items":"int"}`, `{"type":"map","values":"string"}`
	decode("int-long-varint", `"int"`, "80808080808001")
	decode("int-overlong-zero", `"int"`, "8000")
	decode("int-five-bytes", `"int"`, "ffffffff0f")
	decode("int-beyond", `"int"`, "ffffffff7f")
	decode("int-truncated", `"int"`, "80")
	decode("long-ten-bytes", `"long"`, "ffffffffffffffffff01")
	decode("long-eleven-bytes", `"long"`, "ffffffffffffffffffff01")
	decode("long-ten-bytes-beyond", `"long"`, "ffffffffffffffffff7f")
	decode("boolean-two", `"boolean"`, "02")
	decode("boolean-truncated", `"boolean"`, "")
	decode("float-truncated", `"float"`, "0000c0")
	decode("string-negative-length", `"string"`, "01")
	decode("string-too-long", `"string"`, "0a6162")
	decode("string-huge", `"string"`, "feffffffffffffff7f")
	decode("string-bad-utf8", `"string"`, "04ff61")
	decode("bytes-negative-length", `"bytes"`, "03")
	decode("enum-beyond", avroEnum, "06")
	decode("enum-negative", avroEnum, "01")
	decode("union-beyond", `["null","int"]`, "04")
	decode("union-negative", `["null","int"]`, "01")
	decode("fixed-truncated", `{"type":"fixed","name":"F","size":4}`, "0001")
	decode("array-two-blocks", ints, "0202020400")
	decode("array-sized-block", ints, "0304020400")
	decode("array-sized-block-wrong-size", ints, "0308020400")
	decode("array-unterminated", ints, "0202")
	decode("array-huge", ints, "feffffffffffffff7f00")
	decode("array-min-count", ints, "ffffffffffffffffff0100")
	decode("map-two-blocks", strs, "0202610278020262027900")
	decode("map-repeated-key", strs, "04026102780261027900")
	decode("map-sized-block", strs, "01080261027800")
	decode("record-truncated", recordOf("R", fieldOf("a", `"int"`), fieldOf("b", `"int"`)), "02")
	decode("left-over", `"int"`, "0202")
	decode("empty", `"int"`, "")
	decode("null-of-nothing", `"null"`, "")
	decode("recursion", avroList, strings.Repeat("0202", 20)+"0200")
}

// pairs are writer, reader and a value of the writer.
func avroPairs() map[string]struct {
	writer, reader string
	value          value
} {
	type pair = struct {
		writer, reader string
		value          value
	}
	rec := func(fields ...string) string { return recordOf("R", fields...) }
	a := fieldOf("a", `"int"`)
	one := structV("a", i32(1))
	p := map[string]pair{
		"same":                       {rec(a), rec(a), one},
		"field-added-with-default":   {rec(a), rec(a, fieldOf("b", `"string"`, `,"default":"d"`)), one},
		"field-added":                {rec(a), rec(a, fieldOf("b", `"string"`)), one},
		"field-added-nullable":       {rec(a), rec(a, fieldOf("b", `["null","string"]`)), one},
		"field-removed":              {rec(a, fieldOf("b", `"string"`)), rec(a), structV("a", i32(1), "b", str("x"))},
		"fields-reordered":           {rec(a, fieldOf("b", `"string"`)), rec(fieldOf("b", `"string"`), a), structV("a", i32(1), "b", str("x"))},
		"field-renamed":              {rec(a), rec(fieldOf("z", `"int"`)), one},
		"field-alias":                {rec(a), rec(fieldOf("z", `"int"`, `,"aliases":["a"]`)), one},
		"field-alias-of-writer":      {rec(fieldOf("z", `"int"`, `,"aliases":["a"]`)), rec(a), structV("z", i32(1))},
		"record-renamed":             {rec(a), recordOf("S", a), one},
		"record-alias":               {rec(a), `{"type":"record","name":"S","aliases":["R"],"fields":[` + a + `]}`, one},
		"record-other-namespace":     {recordOf("x.R", a), recordOf("y.R", a), one},
		"removed-containers":         {rec(a, fieldOf("m", `{"type":"map","values":{"type":"array","items":"string"}}`), fieldOf("u", `["null",`+avroEnum+`]`), fieldOf("z", `"int"`)), rec(fieldOf("z", `"int"`)), structV("a", i32(1), "m", mapV(str("k"), arr(str("x"))), "u", enumV("RED"), "z", i32(9))},
		"enum-symbol-added":          {`{"type":"enum","name":"E","symbols":["A"]}`, `{"type":"enum","name":"E","symbols":["B","A"]}`, enumV("A")},
		"enum-symbol-removed":        {`{"type":"enum","name":"E","symbols":["A","B"]}`, `{"type":"enum","name":"E","symbols":["A"]}`, enumV("B")},
		"enum-symbol-removed-unused": {`{"type":"enum","name":"E","symbols":["A","B"]}`, `{"type":"enum","name":"E","symbols":["A"]}`, enumV("A")},
		"enum-symbol-default":        {`{"type":"enum","name":"E","symbols":["A","B"]}`, `{"type":"enum","name":"E","symbols":["A"],"default":"A"}`, enumV("B")},
		"enum-renamed":               {`{"type":"enum","name":"E","symbols":["A"]}`, `{"type":"enum","name":"F","symbols":["A"]}`, enumV("A")},
		"fixed-size":                 {`{"type":"fixed","name":"F","size":2}`, `{"type":"fixed","name":"F","size":3}`, fixedV("xy")},
		"fixed-renamed":              {`{"type":"fixed","name":"F","size":2}`, `{"type":"fixed","name":"G","size":2}`, fixedV("xy")},
		"array-items":                {`{"type":"array","items":"int"}`, `{"type":"array","items":"long"}`, arr(i32(1), i32(2))},
		"array-items-wrong":          {`{"type":"array","items":"string"}`, `{"type":"array","items":"int"}`, arr(str("x"))},
		"map-values":                 {`{"type":"map","values":"int"}`, `{"type":"map","values":"double"}`, mapV(str("k"), i32(1))},
		"map-values-wrong":           {`{"type":"map","values":"string"}`, `{"type":"map","values":"int"}`, mapV(str("k"), str("x"))},
		"array-to-map":               {`{"type":"array","items":"int"}`, `{"type":"map","values":"int"}`, arr(i32(1))},
		"to-union":                   {`"int"`, `["null","int"]`, i32(1)},
		"to-union-promoted":          {`"int"`, `["null","long"]`, i32(1)},
		"to-union-best-branch":       {`"int"`, `["double","long","int"]`, i32(1)},
		"to-union-first-promotion":   {`"int"`, `["string","double","long"]`, i32(1)},
		"to-union-wrong":             {`"boolean"`, `["null","int"]`, boolV(true)},
		"from-union":                 {`["null","int"]`, `"int"`, i32(1)},
		"from-union-null":            {`["null","int"]`, `"int"`, null},
		"from-union-promoted":        {`["int","string"]`, `"string"`, str("x")},
		"union-branch-added":         {`["null","int"]`, `["null","int","string"]`, i32(1)},
		"union-branch-removed":       {`["null","int","string"]`, `["null","int"]`, str("x")},
		"union-branch-unused":        {`["null","int","string"]`, `["null","int"]`, i32(1)},
		"union-reordered":            {`["null","int"]`, `["int","null"]`, i32(1)},
		"union-promoted":             {`["null","int"]`, `["null","long"]`, i32(1)},
		"union-of-records":           {`["null",` + recordOf("A", a) + `]`, `["null",` + recordOf("B", a) + `]`, one},
		"nested-promoted":            {rec(fieldOf("p", recordOf("P", a))), rec(fieldOf("p", recordOf("P", fieldOf("a", `"double"`)))), structV("p", one)},
		"nested-wrong":               {rec(fieldOf("p", recordOf("P", a))), rec(fieldOf("p", recordOf("P", fieldOf("a", `"string"`)))), structV("p", one)},
		"recursive":                  {avroList, `{"type":"record","name":"Node","fields":[{"name":"value","type":"long"},{"name":"next","type":["null","Node"],"default":null},{"name":"more","type":"string","default":""}]}`, structV("value", i32(1), "next", structV("value", i32(2)))},
		"logical-ignored":            {logicalS("long", "timestamp-millis"), `"long"`, i64(5)},
		"logical-changed":            {logicalS("long", "timestamp-millis"), logicalS("long", "timestamp-micros"), i64(5)},
		"decimal-scale-changed":      {decimalOn("bytes", 9, 2), decimalOn("bytes", 9, 3), dec("1234", 2)},
		"decimal-precision-changed":  {decimalOn("bytes", 9, 2), decimalOn("bytes", 12, 2), dec("1234", 2)},
		"default-of-every-kind": {rec(a), rec(a, fieldOf("b", `"bytes"`, `,"default":"\u00ff"`), fieldOf("l", `{"type":"array","items":"int"}`, `,"default":[1]`), fieldOf("m", `{"type":"map","values":["null","int"]}`, `,"default":{"k":null}`), fieldOf("e", avroEnum, `,"default":"BLUE"`),
			fieldOf("x", `{"type":"fixed","name":"F","size":1}`, `,"default":"\u00fe"`), fieldOf("u", `["string","null"]`, `,"default":"d"`), fieldOf("r", recordOf("P", fieldOf("q", `"float"`, `,"default":1.5`)), `,"default":{}`), fieldOf("g", `"double"`, `,"default":1`)), one},
	}
	types := []struct {
		name string
		v    value
	}{{"int", i32(16777217)}, {"long", i64(9007199254740993)}, {"float", f32(1.5)}, {"double", f64(0.1)}, {"string", str("ä")}, {"bytes", byt("\xc3\xa4")}, {"boolean", boolV(true)}, {"null", null}}
	for _, w := range types {
		for _, r := range types {
			if w.name != r.name {
				p["type/"+w.name+"-to-"+r.name] = pair{`"` + w.name + `"`, `"` + r.name + `"`, w.v}
			}
		}
	}
	return p
}

func avroResolution(f *avroFile) {
	for name, p := range sorted(avroPairs()) {
		v := &p.value
		if v.IsNull() {
			v = nil
		}
		f.add(name, oracle.AvroCase{Op: oracle.AvroResolve, Writer: json.RawMessage(p.writer), Reader: json.RawMessage(p.reader), Value: v})
	}
	bad := byt("\xff")
	f.add("type/bytes-to-string-bad-utf8", oracle.AvroCase{Op: oracle.AvroResolve, Writer: json.RawMessage(`"bytes"`), Reader: json.RawMessage(`"string"`), Value: &bad})
}

func avroCompatibility(f *avroFile) {
	for name, p := range sorted(avroPairs()) {
		f.add(name, oracle.AvroCase{Op: oracle.AvroCompatible, Writer: json.RawMessage(p.writer), Reader: json.RawMessage(p.reader)})
		if !strings.HasPrefix(name, "type/") {
			f.add(name+"/turned", oracle.AvroCase{Op: oracle.AvroCompatible, Writer: json.RawMessage(p.reader), Reader: json.RawMessage(p.writer)})
		}
	}
}
