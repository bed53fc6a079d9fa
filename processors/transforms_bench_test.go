package processors_test

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/record"
)

// BenchmarkTransforms times each transform beside the map that does the same,
// with loading and writing of the record.
func BenchmarkTransforms(b *testing.B) {
	const order = `{"id":"ord-0001","a":1700000000123,"b":"text of some length","c":{"d":12.5,"x":"y"},"e.f":true,"customer":{"id":77,"name":"Jane Doe","email":"jane@example.com"},"items":[{"sku":"a-1","n":2},{"sku":"b-2","n":1}],"note":"nothing special, but long enough to matter"}`
	forms := newForms(b, equalTopics)
	for _, block := range []string{
		`processor "cast" "x" {
  fields = { a = "string" }
}`,
		`processor "cast" "int32" {
  fields = { "c.d" = "int32" }
}`,
		`processor "drop_headers" "x" {
  headers = ["h1"]
}`,
		`processor "extract_field" "x" {
  field = "customer"
}`,
		`processor "flatten" "x" {}`,
		`processor "header_from" "x" {
  fields  = ["b", "c.d"]
  headers = ["b", "d"]
}`,
		`processor "insert_header" "add" {
  header = "h1"
  value  = "v"
}`,
		`processor "replace_field" "swap" {
  renames = { a = "b", b = "a" }
}`,
		`processor "timestamp_converter" "date" {
  field  = "a"
  target = "date"
}`,
		`processor "cast" "connect" {
  fields  = { a = "int32", "c.d" = "int8", none = "string" }
  connect = true
}`,
		`processor "hoist_field" "x" {
  field = "x"
}`,
		`processor "insert_field" "x" {
  offset_field = "o"
  static_field = "s"
  static_value = "v"
}`,
		`processor "insert_header" "x" {
  header  = "h1"
  value   = "v"
  replace = true
}`,
		`processor "mask_field" "x" {
  fields      = ["b"]
  replacement = "****"
}`,
		`processor "regex_router" "x" {
  regex       = "orders-(.*)"
  replacement = "new-$1"
}`,
		`processor "replace_field" "x" {
  exclude = ["note"]
  renames = { b = "z" }
}`,
		`processor "timestamp_converter" "x" {
  field  = "a"
  target = "string"
  format = "yyyy-MM-dd HH:mm:ss"
}`,
		`processor "timestamp_router" "x" {
  timestamp_format = "yyyy.MM"
}`,
		`processor "value_to_key" "x" {
  fields = ["id", "c.d"]
}`,
	} {
		words := strings.Split(block, `"`)
		name := words[1]
		if words[3] != "x" {
			name += "_" + words[3]
		}
		own, equal, ok := forms.both([]string{block})
		if !ok {
			b.Fatal(block)
		}
		b.Run(name+"/transform", func(b *testing.B) { timed(b, []byte(order), own) })
		b.Run(name+"/map", func(b *testing.B) { timed(b, []byte(order), equal) })
	}
}

func timed(b *testing.B, value []byte, f *form) {
	b.Helper()
	r := record.NewRecord(f.layout)
	var out []byte
	b.ReportAllocs()
	b.ResetTimer()
	headers := []record.Header{{Key: "h1", Value: []byte("1")}, {Key: "h2", Value: []byte("2")}}
	for b.Loop() {
		r.Value.Reset(record.JSON, value)
		r.Key.Reset(record.Text, []byte("key"))
		r.Topic, r.Partition, r.Offset, r.HasTimestamp, r.Timestamp = "orders-a", 3, 42, true, 1_700_000_000_123_456_789
		r.ResetHeaders(headers)
		for _, step := range f.steps {
			if keep, err := step(r); err != nil || !keep {
				b.Fatal(keep, err)
			}
		}
		var err error
		if out, err = r.Value.AppendTo(out[:0]); err != nil {
			b.Fatal(err)
		}
	}
}
