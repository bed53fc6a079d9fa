package connect_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
	"github.com/flowrecords/flow/engine/schema/schematest"
)

// everyLogical is an envelope with all logical types of Connect.
const everyLogical = `{"type":"struct","fields":[` +
	`{"type":"int64","optional":false,"field":"id"},` +
	`{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"10"},"field":"price"},` +
	`{"type":"int32","optional":true,"name":"org.apache.kafka.connect.data.Date","version":1,"field":"d"},` +
	`{"type":"int32","optional":true,"name":"org.apache.kafka.connect.data.Time","version":1,"field":"t"},` +
	`{"type":"int64","optional":true,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"ts"},` +
	`{"type":"array","items":{"type":"string","optional":false},"optional":true,"field":"tags"},` +
	`{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"int32","optional":true},"optional":true,"field":"counts"}],` +
	`"optional":false,"name":"orders"}`

func TestEveryLogicalType(t *testing.T) {
	t.Parallel()
	s, err := connect.ParseSchema([]byte(everyLogical))
	if err != nil {
		t.Fatal(err)
	}
	const want = `struct orders{id int64, price decimal(10,2)?, d date?, t time(ms)?, ts timestamp(ms)?, tags array<string>?, counts map<string, int32?>?}`
	if s.String() != want {
		t.Errorf("got %s", s)
	}
	if got, err := connect.AppendSchema(nil, s, connect.Options{}); err != nil || string(got) != everyLogical {
		t.Errorf("written as %s, %v", got, err)
	}
	const payload = `{"id":1,"price":"BNI=","d":20000,"t":3600000,"ts":1700000000000,"tags":["a"],"counts":{"x":1}}`
	const typed = `{"id":1,"price":12.34,"d":"2024-10-04","t":"01:00:00","ts":"2023-11-14T22:13:20Z","tags":["a"],"counts":{"x":1}}`
	if got, err := connect.AppendTyped(nil, []byte(payload), s, connect.Options{}); err != nil || string(got) != typed {
		t.Errorf("read as %s, %v", got, err)
	}
	if got, err := connect.AppendPayload(nil, []byte(typed), s, connect.Options{}); err != nil || string(got) != payload {
		t.Errorf("written as %s, %v", got, err)
	}
	if list := connect.Foreign(s); len(list) > 0 {
		t.Errorf("foreign: %v", list)
	}
}

func TestAnySchema(t *testing.T) {
	t.Parallel()
	for seed := range uint64(600) {
		g := schematest.New(seed, schematest.Options{})
		s := g.Schema()
		o := connect.Options{Numeric: seed%2 == 1}
		text, err := connect.AppendSchema(nil, s, o)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, s, err)
		}
		if !json.Valid(text) {
			t.Fatalf("seed %d: not JSON: %s", seed, text)
		}
		back, err := connect.ParseSchema(text)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, text, err)
		}
		if !schema.Equal(s, back) {
			again, _ := connect.AppendSchema(nil, back, o)
			t.Fatalf("seed %d: %s came back as %s\n%s\n%s", seed, s, back, text, again)
		}
		for range 4 {
			v := g.Value(s)
			payload, err := connect.AppendPayload(nil, v, s, connect.Options{Numeric: o.Numeric, KeepNulls: true})
			if err != nil {
				t.Fatalf("seed %d: %s: %s: %v", seed, s, v, err)
			}
			got, err := connect.AppendTyped(nil, payload, s, connect.Options{KeepNulls: true, Lenient: seed%3 == 0})
			if err != nil || !bytes.Equal(got, v) {
				t.Fatalf("seed %d: %s: %s, as %s, came back as %s, %v", seed, s, v, payload, got, err)
			}
		}
	}
}
