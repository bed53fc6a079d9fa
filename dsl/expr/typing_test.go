package expr_test

import (
	"testing"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/schema"
)

const orderSchema = `struct shop.Order{id int64, big uint64, n int32, ratio float64, small float32, price decimal(10,2), exact decimal(38,10), name string,
	note string?, email string?, on bool, maybe bool?, raw bytes, hash bytes(16), at timestamp(ms), day date, open time(ms), local timestamp, wall local_timestamp, took duration, uid uuid,
	status enum Status(new, paid, done), prio enum(low, high)?, tags array<string>, nums array<int64>, days array<date>, bigs array<uint64>,
	items array<struct Item{sku string, qty int32, price decimal(10,2), at timestamp, kind enum Kind(A, B), sizes array<float64>}>,
	customer struct shop.Customer{id uuid, name string, address struct{city string, zip string?}?, since date}, buyer shop.Customer?,
	counts map<string, int64>, pairs map<int32, string>, pay union{card struct Card{number string}, cash decimal(8,2)}, any any, level int8 = 3, "a.b" string}`

func parsedSchema(t testing.TB, text string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func typedSource(t testing.TB, e *expr.Env, text string, want expr.Want) *expr.Source {
	t.Helper()
	src, problems := e.Compile(text, want)
	if len(problems) > 0 {
		t.Fatalf("%s: %+v", text, problems)
	}
	return src.(*expr.Source)
}

func TestResult(t *testing.T) {
	t.Parallel()
	in := engine.Schemas{Value: parsedSchema(t, orderSchema), Key: parsedSchema(t, `struct{id int64}`)}
	tests := []struct{ expr, want string }{
		// A reference is what the schema says.
		{"value.id", "int64"},
		{"value.big", "uint64"},
		{"value.price", "decimal(10,2)"},
		{"value.at", "timestamp(ms)"},
		{"value.customer.id", "uuid"},
	}
	e := env(t)
	for _, tt := range tests {
		got := "?"
		if s := typedSource(t, e, tt.expr, expr.WantAny).Result(in); s != nil {
			got = s.String()
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.expr, got, tt.want)
		}
	}
}

