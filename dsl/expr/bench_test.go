package expr_test

import (
	"testing"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

const benchOrder = `{"order_id":"ord-00000042","ts":"2026-09-01T12:30:45.123Z","status":"paid","channel":"web","amount":150,"price":12.5,"quantity":4,` +
	`"customer":{"id":7,"email":"someone@example.com","country":"KR"},"card":"4111111111111111","currency":"KRW","items":[{"sku":"a","qty":1},{"sku":"b","qty":2}]}`

// benchmark loads a record once, so that the figures are those of the
// expression and the slot reads, not of the scan.
func benchmark(b *testing.B, text string, want expr.Want, vm bool) {
	e := env(b)
	if vm {
		e = e.VMOnly()
	}
	s, ps := e.Compile(text, want)
	if len(ps) > 0 {
		b.Fatalf("%+v", ps)
	}
	if mode := s.(*expr.Source).Mode(); (mode == expr.ModeVM) != vm {
		b.Fatalf("%s runs as %v", text, mode)
	}
	l := record.NewLayout()
	p, err := s.Bind(l)
	if err != nil {
		b.Fatal(err)
	}
	r := rec(l, benchOrder)
	if _, err := p.Eval(r); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r.ResetHeaders(nil)
		if want == expr.WantBool {
			_, err = p.Test(r)
		} else {
			_, err = p.Eval(r)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExpression(b *testing.B) {
	for _, bb := range []struct {
		name, text string
		want       expr.Want
	}{
		{"slot", "value.amount", expr.WantAny},
		{"filter", "value.status == 'paid' && value.amount >= 100", expr.WantBool},
		{"filter-in", "value.amount > 100 && value.customer.country in ['KR', 'JP', 'US']", expr.WantBool},
		{"arithmetic", "value.price * value.quantity + 2.5", expr.WantAny},
		{"mask", "mask_card(value.card)", expr.WantAny},
		{"concat", "value.customer.country + '-' + lower(value.channel) + '-' + value.currency", expr.WantAny},
		{"literal", "{id: value.order_id, total: value.price * value.quantity}", expr.WantAny},
		{"library", "default(value.customer.country, 'none')", expr.WantAny},
	} {
		b.Run(bb.name+"/closures", func(b *testing.B) { benchmark(b, bb.text, bb.want, false) })
		b.Run(bb.name+"/vm", func(b *testing.B) { benchmark(b, bb.text, bb.want, true) })
	}
}

func BenchmarkTemplate(b *testing.B) {
	t, ps := env(b).CompileTemplate("orders-{{ lower(value.customer.country) }}-{{ value.amount }}")
	if len(ps) > 0 {
		b.Fatalf("%+v", ps)
	}
	l := record.NewLayout()
	p, err := t.Bind(l)
	if err != nil {
		b.Fatal(err)
	}
	r := rec(l, benchOrder)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		r.ResetHeaders(nil)
		if dst, err = p.Append(dst[:0], r); err != nil {
			b.Fatal(err)
		}
	}
}

// TestNoAllocations holds the closures to their promise.
func TestNoAllocations(t *testing.T) {
	e := env(t)
	for _, text := range []string{
		"value.status == 'paid' && value.amount >= 100",
		"value.customer.country in ['KR', 'JP'] || value.nope?.x == nil",
		"value.price * value.quantity - 1 / value.amount + value.amount % 7",
		"mask_card(value.card)",
		"value.customer.country + '-' + lower(value.channel) + upper(value.channel) + '!'",
		"trim(value.channel) + replace(value.order_id, '-', '_') + string(value.amount)",
		"{id: value.order_id, total: value.price * value.quantity, n: [1, value.amount]}",
		"let x = value.amount; x > 1 ? x : 0",
		"default(value.customer.country, 'none')",
		"int(value.price) + len(value.channel) + min(value.amount, 3)",
		"has(value.nope) && headers.h == 'x'",
		"value.order_id matches '^ord-[0-9]+$' && value.channel startsWith 'w'",
		"var.rates[value.currency] * value.amount",
	} {
		src, ps := e.Compile(text, expr.WantAny)
		if len(ps) > 0 {
			t.Fatalf("%s: %+v", text, ps)
		}
		l := record.NewLayout()
		p, err := src.Bind(l)
		if err != nil {
			t.Fatal(err)
		}
		r := rec(l, benchOrder)
		run(t, text, p, r)
		if n := testing.AllocsPerRun(100, func() { r.ResetHeaders(r.Headers()); run(t, text, p, r) }); n > 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func run(t *testing.T, text string, p engine.Program, r *record.Record) {
	if _, err := p.Eval(r); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func BenchmarkCompile(b *testing.B) {
	e := env(b)
	for b.Loop() {
		s, ps := e.Compile("value.status == 'paid' && value.amount >= var.min && any(value.items, .qty > 1)", expr.WantBool)
		if len(ps) > 0 {
			b.Fatalf("%+v", ps)
		}
		if _, err := s.Bind(record.NewLayout()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewEnv(b *testing.B) {
	for b.Loop() {
		expr.NewEnv()
	}
}
