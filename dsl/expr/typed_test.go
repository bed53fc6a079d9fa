package expr_test

import (
	"testing"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/row"
	"github.com/flowrecords/flow/engine/schema"
)

// TestTypedValues: values of a schema are of their own kinds in expressions,
// whatever bytes they lie in and however the expression runs.
func TestTypedValues(t *testing.T) {
	t.Parallel()
	s, err := schema.Parse(`struct{at timestamp(ms), day date, took duration, open time, raw bytes, price decimal(20,2), big uint64, id int64, kind enum(A, B), note string?, o struct{at timestamp}, rate float64}`)
	if err != nil {
		t.Fatal(err)
	}
	const text = `{"at":"2026-03-14T09:26:53.535Z","day":"2026-03-14","took":"1h30m0s","open":"09:30:00","raw":"YWJj","price":123456789012345678.90,` +
		`"big":18446744073709551615,"id":9007199254740993,"kind":"B","note":null,"o":{"at":"2026-01-01T00:00:00Z"},"rate":2}`
	rows := row.Of(s)
	raw, err := rows.Append(nil, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ expr, want string }{
		{`value.at > date("2026-03-01")`, "true"},
		{`value.at < date("2026-03-14T09:26:53.536Z")`, "true"},
		{`value.at == date("2026-03-14T09:26:53.535Z")`, "true"},
		{`value.day == date("2026-03-14")`, "true"},
		{`value.at.Year() == 2026`, "true"},
		{`value.at - value.day > duration("9h")`, "true"},
		{`value.at > value.o.at`, "true"},
		{`value.took == duration("90m")`, "true"},
		{`get(value, "at") > date("2026-03-01")`, "true"},
		{`get(value.o, "at") == value.o.at`, "true"},
		{`get(value?.o, "none") == nil`, "true"},
		{`type(get(value, "took"))`, `"duration"`},
		{`cast(value.day, "string")`, `"2026-03-14"`},
		{`cast(value.day, "int32")`, "20526"},
		{`cast(value.at, "int64")`, "1773480413535"},
		{`cast(value.price, "string")`, `"123456789012345678.90"`},
		{`cast(withDefaults(value.day), "string") + "!"`, `"2026-03-14!"`},
		{`convertTime(value.at, "date")`, `"2026-03-14T00:00:00Z"`}, // a day, which as a Value is its first instant
		{`convertTime(value.at, "string", {format: "HH:mm", zone: "Europe/Berlin"})`, `"10:26"`},
		{`{c: convertTime(value.at, "time"), d: value.day, n: {d: [value.day]}, t: value.open}`, `{"c":"09:26:53.535","d":"2026-03-14","n":{"d":["2026-03-14"]},"t":"09:30:00"}`},
		{`{d: value.day}.d == "2026-03-14"`, "false"},
		{`schemaType(value) + " " + schemaType(value.at) + " " + (schemaType(value.nope) ?? "none")`, `"struct timestamp none"`},
		{`blank(value.at)`, `"1970-01-01T00:00:00Z"`},
		{`blank(value.price, "7.5")`, "7.5"},
		{`value.took > duration("1h")`, "true"},
		{`value.day + value.open`, `"2026-03-14T09:30:00Z"`},
		{`value.price`, "123456789012345678.90"},
		{`value.price > 1`, "true"},
		{`value.big`, "18446744073709551615"},
		{`value.big > 1`, "true"},
		{`value.id`, "9007199254740993"},
		{`value.id + 1`, "9007199254740994"},
		{`value.kind == "B"`, "true"},
		{`value.kind in ["A", "B"]`, "true"},
		{`value.note == nil`, "true"},
		{`value.note ?? "none"`, `"none"`},
		{`value.rate / 4`, "0.5"},
		{`value.raw`, `"YWJj"`},
	}
	e := env(t)
	for _, tt := range tests {
		for mode, e := range map[string]*expr.Env{"closures": e, "VM": e.VMOnly()} {
			if mode == "VM" && (tt.expr == "value.price" || tt.expr == "value.big") {
				continue // the VM computes with float64; a bare path never runs on it
			}
			for _, x := range []struct {
				enc record.Encoding
				raw []byte
			}{{record.JSONOf(s), []byte(text)}, {rows, raw}} {
				l := record.NewLayout()
				p, err := compile(t, e, tt.expr).Bind(l)
				if err != nil {
					t.Fatal(err)
				}
				r := record.NewRecord(l)
				r.Value.Reset(x.enc, x.raw)
				v, err := p.Eval(r)
				if err != nil {
					t.Errorf("%s (%s, %s): %v", tt.expr, mode, x.enc.Name(), err)
					continue
				}
				if got, err := v.AppendJSON(nil); err != nil || string(got) != tt.want {
					t.Errorf("%s (%s, %s): got %s, %v; want %s", tt.expr, mode, x.enc.Name(), got, err, tt.want)
				}
			}
		}
	}
}
