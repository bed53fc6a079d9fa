package parquetfile

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

var updateLegacy = flag.Bool("update-legacy", false, "write legacy.parquet anew; look at what other readers say of it")

// oldType is a type whose annotation is a converted type alone, as writers of
// before logical types have it.
type oldType struct {
	parquet.Type
	c deprecated.ConvertedType
}

func (o oldType) ConvertedType() *deprecated.ConvertedType { return &o.c }
func (oldType) LogicalType() *format.LogicalType           { return nil }

func oldGroup(c deprecated.ConvertedType, fields ...parquet.Field) parquet.Node {
	g := newGroup(fields...)
	return &annotated{g, oldType{g.Type(), c}}
}

func oldLeaf(c deprecated.ConvertedType, t parquet.Type) parquet.Node {
	return parquet.Leaf(oldType{t, c})
}

func named(name string, n parquet.Node) parquet.Field { return &field{Node: n, name: name} }

// legacySchema has a column of each form that only old writers use.
func legacySchema() *parquet.Schema {
	text := oldLeaf(deprecated.UTF8, parquet.ByteArrayType)
	number := parquet.Leaf(parquet.Int32Type)
	return parquet.NewSchema("old", newGroup(
		// Lists of two levels: what is repeated is the element.
		named("two", parquet.Optional(oldGroup(deprecated.List, named("array", parquet.Repeated(text))))),
		named("pairs", oldGroup(deprecated.List, named("element", parquet.Repeated(newGroup(named("a", number), named("b", text)))))),
		named("array", oldGroup(deprecated.List, named("array", parquet.Repeated(newGroup(named("v", number)))))),
		named("thrift", oldGroup(deprecated.List, named("thrift_tuple", parquet.Repeated(newGroup(named("v", number)))))),
		// A list of three, as Hive names them, is not one of two.
		named("three", oldGroup(deprecated.List, named("bag", parquet.Repeated(newGroup(named("array_element", parquet.Optional(number))))))),
		named("bare", parquet.Repeated(number)),
		named("map", oldGroup(deprecated.MapKeyValue, named("map", parquet.Repeated(newGroup(named("key", text), named("value", parquet.Optional(number))))))),
		named("interval", oldLeaf(deprecated.Interval, parquet.FixedLenByteArrayType(12))),
		named("bson", oldLeaf(deprecated.Bson, parquet.ByteArrayType)),
		named("json", oldLeaf(deprecated.Json, parquet.ByteArrayType)),
		named("at96", parquet.Leaf(parquet.Int96Type)),
		named("at", oldLeaf(deprecated.TimestampMillis, parquet.Int64Type)),
		named("time", oldLeaf(deprecated.TimeMillis, parquet.Int32Type)),
		named("small", oldLeaf(deprecated.Uint8, parquet.Int32Type)),
	))
}

func legacyFile(t *testing.T) []byte {
	t.Helper()
	str, num := func(s string) parquet.Value { return parquet.ByteArrayValue([]byte(s)) }, parquet.Int32Value
	var row parquet.Row
	column := 0
	add := func(values ...parquet.Value) {
		for _, v := range values {
			row = append(row, v.Level(v.RepetitionLevel(), v.DefinitionLevel(), column))
		}
		column++
	}
	at := func(v parquet.Value, rep, def int) parquet.Value { return v.Level(rep, def, 0) }
	interval := []byte{14, 0, 0, 0, 3, 0, 0, 0, 0xe9, 3, 0, 0} // 14 months, 3 days, 1001 ms
	var list []parquet.Row
	for i := range 2 {
		row, column = nil, 0
		if i == 0 {
			add(at(str("a"), 0, 2), at(str("b"), 1, 2))
			add(at(num(1), 0, 1), at(num(2), 1, 1))
			add(at(str("x"), 0, 1), at(str("y"), 1, 1))
			add(at(num(3), 0, 1))
			add(at(num(4), 0, 1), at(num(5), 1, 1))
			add(at(num(6), 0, 2), at(parquet.NullValue(), 1, 1))
			add(at(num(7), 0, 1), at(num(8), 1, 1))
			add(at(str("k"), 0, 1), at(str("l"), 1, 1))
			add(at(num(9), 0, 2), at(parquet.NullValue(), 1, 1))
		} else { // nothing in any of them
			for range 9 {
				add(at(parquet.NullValue(), 0, 0))
			}
		}
		add(parquet.FixedLenByteArrayValue(interval))
		add(str("\x05\x00\x00\x00\x00"))
		add(str(`{"a":[1,2.50]}`))
		add(parquet.Int96Value(deprecated.Int96{1, 0, 2440589})) // a nanosecond into 1970-01-02
		add(parquet.Int64Value(1001))
		add(num(1001))
		add(num(255))
		list = append(list, row)
	}
	var out bytes.Buffer
	w := parquet.NewWriter(&out, legacySchema(), parquet.DataPageVersion(1))
	if _, err := w.WriteRows(list); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestLegacy reads the forms of old writers by the specification's rules for
// them.
func TestLegacy(t *testing.T) {
	t.Parallel()
	if *updateLegacy {
		if err := os.WriteFile(testdata("legacy.parquet"), legacyFile(t), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(testdata("legacy.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	got, s := rows(t, data, 0)
	const rest = `"interval":"P14M3DT1.001S","bson":"BQAAAAA=","json":{"a":[1,2.50]},"at96":"1970-01-02T00:00:00.000000001Z","at":"1970-01-01T00:00:01.001Z","time":"00:00:01.001","small":255}`
	want := []string{
		`{"two":["a","b"],"pairs":[{"a":1,"b":"x"},{"a":2,"b":"y"}],"array":[{"v":3}],"thrift":[{"v":4},{"v":5}],"three":[6,null],"bare":[7,8],"map":{"k":9,"l":null},` + rest,
		`{"two":null,"pairs":[],"array":[],"thrift":[],"three":[],"bare":[],"map":{},` + rest,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	const types = "struct{two array<string>?, pairs array<struct{a int32, b string}>, array array<struct{v int32}>, thrift array<struct{v int32}>, three array<int32?>, bare array<int32>, " +
		"map map<string, int32?>, interval string, bson bytes, json any, at96 timestamp(ns), at timestamp(ms), time time(ms), small uint8}"
	if s.String() != types {
		t.Errorf("the schema is\n%s, want\n%s", s, types)
	}
}
