package connect_test

import (
	"testing"

	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
)

const benchPayload = `{"id":1,"price":"BNI=","d":20000,"t":3600000,"ts":1700000000000,"tags":["a"],"counts":{"x":1}}`

func BenchmarkDecode(b *testing.B) {
	var k connect.Cache
	text := connect.AppendEnvelope(nil, []byte(everyLogical), []byte(benchPayload))
	var dst []byte
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, _, err = k.Decode(dst[:0], text, connect.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendPayload(b *testing.B) {
	s, err := connect.ParseSchema([]byte(everyLogical))
	if err != nil {
		b.Fatal(err)
	}
	typed, err := connect.AppendTyped(nil, []byte(benchPayload), s, connect.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		if dst, err = connect.AppendPayload(dst[:0], typed, s, connect.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	s, err := connect.ParseSchema([]byte(everyLogical))
	if err != nil {
		b.Fatal(err)
	}
	typed, err := connect.AppendTyped(nil, []byte(benchPayload), s, connect.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := schema.Check(s, typed); err != nil {
			b.Fatal(err)
		}
	}
}
