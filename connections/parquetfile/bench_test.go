package parquetfile

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/flowrecords/flow/engine/schema"
)

// BenchmarkWrite and BenchmarkRead compare records of typed JSON with what the
// library alone does with Go structs; they say bytes of typed JSON a second.
func BenchmarkWrite(b *testing.B) {
	b.Run("flow", writeFlow)
	b.Run("bare", writeBare)
}

func BenchmarkRead(b *testing.B) {
	b.Run("flow", readFlow)
	b.Run("bare", readBare)
}

func writeFlow(b *testing.B) {
	s, text := benchRows(b)
	p, _ := FromSchema(s, Options{})
	pk, _ := p.NewPacker()
	w, _ := NewWriter(io.Discard, p, WriterOptions{})
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	var packed []byte
	for b.Loop() {
		packed, _ = pk.Append(packed, text)
		if len(packed) > 1<<18 {
			if err := w.Write(packed); err != nil {
				b.Fatal(err)
			}
			packed = packed[:0]
		}
	}
}

func benchRows(testing.TB) (*schema.Schema, []byte) {
	s := schema.NewStruct("", schema.F("id", schema.New(schema.Int64)), schema.F("price", schema.NewDecimal(10, 2)),
		schema.F("at", schema.NewTime(schema.Timestamp, schema.Microsecond)), schema.F("name", schema.New(schema.String).AsOptional()),
		schema.F("tags", schema.NewArray(schema.New(schema.String))))
	return s, []byte(`{"id":9007199254740993,"price":12.50,"at":"2026-01-02T03:04:05.123456Z","name":"somebody","tags":["a","b"]}`)
}

func readFlow(b *testing.B) {
	s, text := benchRows(b)
	rows := make([]string, 20000)
	for i := range rows {
		rows[i] = string(text)
	}
	data := file(b, s, Options{}, WriterOptions{}, rows...)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	var r *Reader
	for b.Loop() {
		for {
			if r == nil {
				r, _ = NewReader(bytes.NewReader(data), int64(len(data)))
			}
			if _, err := r.Next(); err == nil {
				break
			}
			r.Close()
			r = nil
		}
	}
}

// bare is the record of benchRows as the library alone takes it, through Go
// structs.
type bare struct {
	ID    int64    `parquet:"id"`
	Price int64    `parquet:"price,decimal(2:10)"`
	At    int64    `parquet:"at,timestamp(microsecond)"`
	Name  *string  `parquet:"name,optional,dict"`
	Tags  []string `parquet:"tags,list,dict"`
}

func bareRows(n int) []bare {
	name := "somebody"
	list := make([]bare, n)
	for i := range list {
		list[i] = bare{9007199254740993, 1250, time.Date(2026, 1, 2, 3, 4, 5, 123456000, time.UTC).UnixMicro(), &name, []string{"a", "b"}}
	}
	return list
}

func writeBare(b *testing.B) {
	_, text := benchRows(b)
	list := bareRows(512)
	w := parquet.NewGenericWriter[bare](io.Discard, parquet.DataPageVersion(1), parquet.Compression(&parquet.Snappy))
	b.SetBytes(int64(len(text)))
	for i := 0; b.Loop(); i++ {
		if i%len(list) == 0 {
			if _, err := w.Write(list); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func readBare(b *testing.B) {
	_, text := benchRows(b)
	var out bytes.Buffer
	w := parquet.NewGenericWriter[bare](&out, parquet.DataPageVersion(1), parquet.Compression(&parquet.Snappy))
	if _, err := w.Write(bareRows(20000)); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	list, left := make([]bare, 512), 0
	var r *parquet.GenericReader[bare]
	for b.Loop() {
		for left == 0 {
			if r == nil {
				r = parquet.NewGenericReader[bare](bytes.NewReader(out.Bytes()))
			}
			if left, _ = r.Read(list); left == 0 {
				r = nil
			}
		}
		left--
	}
}
