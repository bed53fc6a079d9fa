package expr_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/schema"
)

// found writes problems as the tests do: kind, what is underlined, detail.
func found(text string, problems []expr.Problem) string {
	names := map[expr.Kind]string{
		expr.KindTypes: "types", expr.KindWrongArguments: "arguments", expr.KindNotBool: "not bool", expr.KindNoMember: "no member", expr.KindNoField: "no field",
		expr.KindNoSymbol: "no symbol", expr.KindNeverThere: "never there", expr.KindNeverNil: "never nil", expr.KindHole: "hole",
	}
	var out []string
	for _, p := range problems {
		out = append(out, fmt.Sprintf("%s [%s] %s", names[p.Kind], text[p.Offset:p.Offset+p.Length], p.Detail))
	}
	return strings.Join(out, "\n")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct{ expr, want string }{
		// Fields that are not there, at the step.
		{"value.idd", `no field [idd] value is struct shop.Order, which has no such field. Did you mean "id"?`},
		{"value.customer.nam == 'x'", `no field [nam] value.customer is struct shop.Customer, which has no such field. Did you mean "name"?`},
		{"value.customer.addrss.city", `no field [addrss] value.customer is struct shop.Customer, which has no such field. Did you mean "address"?`},
		{"value.buyer?.nme", `no field [nme] value.buyer is struct Buyer, which has no such field. Did you mean "name"?`},
		{"value.buyer?.zzzz", `no field [zzzz] value.buyer is struct Buyer, which has no such field. There is name.`},
		{"value['idd']", `no field ['idd'] value is struct shop.Order, which has no such field. Did you mean "id"?`},
		{"'é' + value.nme", `no field [nme] value is struct shop.Order, which has no such field. Did you mean "name"?`},
		{"value.pay.crd.number", `no field [crd] value.pay is union, which has no such branch. Did you mean "card"?`},
		{"key.idd", `no field [idd] key is struct, which has no such field. Did you mean "id"?`},
		{"value.items[0].skuu", `no field [skuu] value.items[0] is struct Item, which has no such field. Did you mean "sku"?`},
		{"filter(value.items, .qtty > 1)", `no field [qtty] the element is struct Item, which has no such field. Did you mean "qty"?`},
		{"map(value.items, #.skuu)", `no field [skuu] the element is struct Item, which has no such field. Did you mean "sku"?`},
		{"let c = value.customer; c.nme", `no field [nme] c is struct shop.Customer, which has no such field. Did you mean "name"?`},
		{"value.idd + value.nme + 1", `no field [idd] value is struct shop.Order, which has no such field. Did you mean "id"?` + "\n" +
			`no field [nme] value is struct shop.Order, which has no such field. Did you mean "name"?`},
		// Members and elements of what has none.
		{"value.name.x", `no member [x] value.name is string.`},
		{"value.id?.x", `no member [x] value.id is int64.`},
		{"value.id.x.y.z", `no member [x] value.id is int64.`},
		{"value.at.year", `no member [year] value.at is timestamp(ms).`},
		{"value.items.sku", `no member [sku] value.items is array<struct Item>: take an element first, as in value.items[0], or go through all with map or filter.`},
		{"value.tags['x']", `no member ['x'] value.tags is array<string>: take an element first, as in value.tags[0], or go through all with map or filter.`},
		{"value.customer[0]", `no member [0] value.customer is struct shop.Customer, which has members and no elements: write value.customer.name.`},
		{"value.counts[0]", `no member [0] value.counts is map<string, int64>, which has members and no elements: write value.counts.name.`},
		{"value.raw[0]", `no member [0] value.raw is bytes.`},
		{"value.items[value.name]", `no member [value.name] value.items is array<struct Item>, whose elements have numbers, and this is string.`},
		{"value[value.id]", `no member [value.id] value is struct shop.Order, whose members have names, and this is int64.`},
		{"value.name.Year()", `no member [Year] Only times and durations have methods, and value.name is string.`},
		{"value.at.Hours()", `no member [Hours] A time has no method Hours.`},
		// Arithmetic and order.
		{"value.name + 1", `types [value.name + 1] + cannot be applied to string and int. Make text of it with string(...).`},
		{"value.note + 1", `types [value.note + 1] + cannot be applied to string and int. Make text of it with string(...).`},
		{"value.name + value.id", `types [value.name + value.id] + cannot be applied to string and int64. Make text of it with string(...).`},
		{"(value.id + 1) * value.on", `types [(value.id + 1) * value.on] * cannot be applied to int and bool.`},
		{"value.price % 2", `types [value.price % 2] % cannot be applied to decimal(10,2) and int. % is for integers: toInt(...).`},
		{"value.at + 1", `types [value.at + 1] + cannot be applied to timestamp(ms) and int. Times go with durations: duration("1h").`},
		{"-value.name", `types [-value.name] - cannot be applied to string.`},
		{"value.at + value.at", `types [value.at + value.at] + cannot be applied to timestamp(ms) and timestamp(ms).`},
		{"value.at > '2026-01-01'", `types [value.at > '2026-01-01'] timestamp(ms) and string cannot be compared with >. Make a time of the text with toTime(...).`},
		{"value.took > '5m'", `types [value.took > '5m'] duration(ns) and string cannot be compared with >. Make a duration of the text with duration(...).`},
		{"value.took > 5", `types [value.took > 5] duration(ns) and int cannot be compared with >.`},
		{"value.customer > 1", `types [value.customer > 1] struct shop.Customer and int cannot be compared with >.`},
		{"value.id[1:2]", `types [value.id[1:2]] int64 cannot be cut: only text, bytes and arrays can.`},
		{"value.name['a':]", `types ['a'] The bounds of a slice are numbers, and this is string.`},
		{"value.name..5", `types [value.name..5] The ends of a range are whole numbers, these are string and int.`},
		// Equality.
		{"value.status == 5", `types [value.status == 5] enum Status and int cannot be compared with ==. Make a number of the text with toInt(...) or toFloat(...), or write the number in quotes.`},
		{"value.id != 'x'", `types [value.id != 'x'] int64 and string cannot be compared with !=. Make a number of the text with toInt(...) or toFloat(...), or write the number in quotes.`},
		{"value.day == '2026-01-01'", `types [value.day == '2026-01-01'] date and string cannot be compared with ==. Make a time of the text with toTime(...).`},
		{"value.on == 'true'", `types [value.on == 'true'] bool and string cannot be compared with ==.`},
		{"value.status == 'payd'", `no symbol ['payd'] Did you mean "paid"?`},
		{"'open' != value.status", `no symbol ['open'] There are new, paid, done.`},
		{"value.prio == 'hgh'", `no symbol ['hgh'] Did you mean "high"?`},
		{"value.status == value.prio", `types [value.status == value.prio] enum Status and enum cannot be compared with ==.`},
		{"any(value.items, .kind == 'C')", `no symbol ['C'] There are A, B.`},
		{"value.uid == '17'", `no symbol ['17'] This is compared with a uuid, which is written as f81d4fae-7dec-11d0-a765-00a0c91e6bf6.`},
		{"value.status == var.country", `no symbol [var.country] There are new, paid, done.`},
		// Membership and text.
		{"value.status in ['new', 'payd']", `no symbol ['payd'] Did you mean "paid"?`},
		{"value.status not in ['new', 5]", `types [5] enum Status is never equal to int. Make a number of the text with toInt(...) or toFloat(...), or write the number in quotes.`},
		{"value.id in ['a', 'b']", `types [value.id in ['a', 'b']] int64 is never in a list of string. Make a number of the text with toInt(...) or toFloat(...), or write the number in quotes.`},
		{"value.name in value.nums", `types [value.name in value.nums] string is never in a list of int64. Make a number of the text with toInt(...) or toFloat(...), or write the number in quotes.`},
		{"value.name in value.id", `types [value.id] in needs an array or object on its right, and this is int64.`},
		{"value.id in value.counts", `types [value.id] Names of members are text, and this is int64.`},
		{"value.id contains '1'", `types [value.id] contains works on text, and this is int64.`},
		{"value.at matches '2026'", `types [value.at] matches works on text, and this is timestamp(ms).`},
		// Conditions.
		{"value.id ? 1 : 2", `not bool [value.id] This is int64. Compare it with something.`},
		{"value.on && value.name", `not bool [value.name] This is string. Compare it with something.`},
		{"not value.id", `not bool [value.id] This is int64. Compare it with something.`},
		{"filter(value.items, .sku)", `not bool [.sku] This is string. Compare it with something.`},
		// Functions.
		{"lower(value.price)", `arguments [value.price] lower needs string here, this is decimal(10,2).`},
		{"substring(value.name, value.name)", `arguments [value.name] substring needs int here, this is string.`},
		{"formatTime(value.name, 'rfc3339')", `arguments [value.name] formatTime needs time here, this is string.`},
		{"len(value.id)", `arguments [value.id] len needs array or object or string here, this is int64.`},
		{"map(value.customer, #)", `arguments [value.customer] map needs array here, this is struct shop.Customer.`},
		{"keys(value.tags)", `arguments [value.tags] keys needs object here, this is array<string>.`},
		{"cast(value.items, 'int32')", `arguments [value.items] array<struct Item> cannot be cast.`},
		{"map(value.items, lower(.qty))", `arguments [.qty] lower needs string here, this is int32.`},
		// In a function of the config, at its call.
		{"1 + twice(value.name)", `types [twice(value.name)] In function twice: * cannot be applied to string and int. Make a number of the text with toInt(...) or toFloat(...).`},
		{"quad(value.name)", `types [quad(value.name)] In function twice: * cannot be applied to string and int. Make a number of the text with toInt(...) or toFloat(...).`},
		{"deep_b(value)", `no field [deep_b(value)] In function deep_b: value is struct shop.Order, which has no such field. There are id, big, n, ratio, small, price, exact, name, note, email, on, maybe and 24 more.`},
		{"mask_card(value.nme)", `no field [nme] value is struct shop.Order, which has no such field. Did you mean "name"?`},
		{"bump(value.name)", `types [bump(value.name)] In function bump: + cannot be applied to string and int. Make text of it with string(...).`},
		// Never there, never nil.
		{"has(value.nope)", `never there [nope] value is struct shop.Order, which has no such field. Did you mean "note"?`},
		{"has(value.name.x)", `never there [x] value.name is string.`},
		{"'idd' in value", `never there ['idd'] value is struct shop.Order, which has no such field. Did you mean "id"?`},
		{"value.id == nil", `never nil [value.id == nil] The schema requires value.id, so it is never nil.`},
		{"nil != value.customer.name", `never nil [nil != value.customer.name] The schema requires value.customer.name, so it is never nil.`},
		{"value.name ?? 'x'", `never nil [value.name ?? 'x'] The schema requires value.name, so what stands behind ?? is never used.`},
	}
	e, in := env(t), orders(t)
	for _, tt := range tests {
		src := compile(t, e, tt.expr)
		if got := found(tt.expr, src.Check(in)); got != tt.want {
			t.Errorf("%s:\n got  %s\n want %s", tt.expr, got, tt.want)
		}
		if got := src.Check(engine.Schemas{}); len(got) > 0 {
			t.Errorf("%s without a schema: %+v", tt.expr, got)
		}
	}
}

// TestCheckSilent: what works, or may, is left alone.
func TestCheckSilent(t *testing.T) {
	t.Parallel()
	e, in := env(t), orders(t)
	for _, text := range []string{
		"value.id + value.price * value.n - value.ratio", "value.note + 'x'", "value.note == nil", "value.note ?? ''", "value == nil", "value?.id ?? 0", "isTombstone() || value.on",
		"value.at == value.day", "value.at > value.wall", "value.at - value.day > value.open", "value.at.Year() > 2025", "value.took.Hours() > 1.5", "value.day + value.open",
		"value.status == 'paid'", "value.status in ['new', 'paid']", "value.status == value.name", "value.prio == nil", "value.uid == 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'",
		"value.big > 1", "value.price == 5", "value.price in [1, 2.5]", "value.id in 1..5", "value.id in value.nums", "'a' in value.tags", "'x' in value.counts", "value.name in value.counts",
		"value.customer.address?.zip ?? 'none'", "value.counts.anything ?? 0", "value.counts[value.name]", "value.pay.card?.number ?? 'cash'", "value.any.whatever[0].x + 1", "value.any == 5 || lower(value.any) == 'x'",
		"value.name[0] > 64", "value.tags[value.n]", "value.pairs[0][1]", "value[value.name]", "keys(value.counts)", "value.name[1:value.n]", "len(value.raw) + len(value.tags) + len(value.counts) + len(value.name)",
		"filter(value.items, .qty > 1 && .price > 2.5 && .kind == 'A')", "map(value.items, .at)", "map(value.items, toTime(.at).Year())", "sum(value.items, .price * .qty)", "find(value.items, .sku == 'x')?.qty",
		"any(value.raw, # > 3)", "any(value.rates, # == 'NaN' || # > 1)", "sortBy(value.items, .sku)[0].qty", "reduce(value.nums, #acc + #, 0)", "groupBy(value.items, .sku)", "let c = value.customer; c.name + c.since", "let n = value.note; n == nil ? 0 : len(n)",
		"get(value.customer, 'since')", "get(value.tags, 0)", "get(value.name, 0)", "cast(value.at, 'int64')", "string(value.customer)", "toInt(value.name) + 1", "int(value.ratio)", "int(value.took)", "repeat('x', value.ratio)",
		"min(value.took, value.open)", "max(value.nums)", "min(value.nums, 3)", "default(value.note, 5)", "headers.x == 'a'", "meta.path contains 'x'", "timestamp > value.at", "topic == value.name", "headers[value.name]",
		"value.raw matches 'x'", "toBytes(value.raw)", "base64Encode(value.name)", "value.maybe && value.on", "value.maybe ?? false", "value.name < value.status", "mask_card(value.name)", "quad(value.price)", "scaled(value.nums, value.ratio)",
		"deep_b(value.any)", "value.on ? throw('x') : value.id + 1", "(value.note ?? value.email)[1:]", "value.level == nil ? 1 : 2", `value["a.b"] + 'x'`, "value.id; value.name", "{a: value.id}.a + 1", "value.items[0]?.qty + 1",
		"has(value.note)", "has(value.customer.address.zip)", "has(value.counts.x)", "has(value.any.x)", "hasHeader('x')", "value.on == (value.id > 1)", "1 < value.id < 5", "not (value.status in ['new'])",
	} {
		problems := compile(t, e, text).Check(in)
		for _, p := range problems {
			if p.Kind == expr.KindNeverNil && strings.Contains(text, "value.level") {
				continue
			}
			t.Errorf("%s: %s", text, found(text, problems))
		}
	}
}

func TestCheckWantsBool(t *testing.T) {
	t.Parallel()
	e, in := env(t), orders(t)
	for text, want := range map[string]string{
		"value.name":                "not bool [value.name] This is always string. Compare it with something.",
		"value.on ? 1 : 2":          "",
		"value.on":                  "",
		"value.maybe":               "",
		"value.any":                 "",
		"value.nope":                "no field [nope] value is struct shop.Order, which has no such field. Did you mean \"note\"?",
		"lower(value.name)":         "compile",
		"value.on ? value.id : nil": "not bool [value.on ? value.id : nil] This is always int64. Compare it with something.",
	} {
		src, problems := e.Compile(text, expr.WantBool)
		if len(problems) > 0 {
			if want != "compile" && text != "value.on ? 1 : 2" {
				t.Errorf("%s: %+v", text, problems)
			}
			continue
		}
		if got := found(text, src.(*expr.Source).Check(in)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestCheckTemplate(t *testing.T) {
	t.Parallel()
	e, in := env(t), orders(t)
	for text, want := range map[string]string{
		"orders-{{ lower(value.name) }}-{{value.id}}":        "",
		"é-{{ value.nme }}/{{ '{{' }}/{{ lower(value.id) }}": "no field [nme] value is struct shop.Order, which has no such field. Did you mean \"name\"?\narguments [value.id] lower needs string here, this is int64.",
		"{{ value.customer }}":                               "hole [value.customer] This is always struct shop.Customer. A template is filled with text, numbers, booleans or times.",
		"{{ value.tags }}-{{ value.any }}-{{ value.maybe }}": "hole [value.tags] This is always array<string>. A template is filled with text, numbers, booleans or times.",
		"{{ twice(value.name) }}":                            "types [twice(value.name)] In function twice: * cannot be applied to string and int. Make a number of the text with toInt(...) or toFloat(...).",
		"plain {{ 1 + 1 }}":                                  "",
	} {
		tmpl, problems := e.CompileTemplate(text)
		if len(problems) > 0 {
			t.Fatalf("%s: %+v", text, problems)
		}
		if got := found(text, tmpl.(*expr.Template).Check(in)); got != want {
			t.Errorf("%s:\n got  %s\n want %s", text, got, want)
		}
	}
}

// TestCheckSaysNewNames: a field that was renamed is known by its alias.
func TestCheckSaysNewNames(t *testing.T) {
	t.Parallel()
	s := schema.NewStruct("o", schema.Field{Name: "customer_id", Schema: schema.New(schema.String), Aliases: []string{"cust"}})
	text := "value.cust"
	if got := found(text, compile(t, env(t), text).Check(engine.Schemas{Value: s})); got != `no field [cust] value is struct o, which has no such field. It is called "customer_id" now.` {
		t.Error(got)
	}
}

// TestCheckNamesConstants: a detail may rest on a constant, which may be a secret.
func TestCheckNamesConstants(t *testing.T) {
	t.Parallel()
	ps := compile(t, env(t), "value.status == var.country").Check(orders(t))
	if len(ps) != 1 || strings.Join(ps[0].Constants, " ") != "var.country" {
		t.Errorf("got %+v", ps)
	}
}
