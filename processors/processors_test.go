package processors_test

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/processors/filter"
	"github.com/flowrecords/flow/processors/mapping"
	"github.com/flowrecords/flow/processors/route"
	"github.com/flowrecords/flow/processors/split"
)

// expression compiles text as a config would.
func expression(t testing.TB, text string, want expr.Want) engine.Expression {
	t.Helper()
	src, problems := expr.NewEnv().Compile(text, want)
	if len(problems) > 0 {
		t.Fatalf("%s: %+v", text, problems)
	}
	return engine.Expression{Source: src}
}

func path(t testing.TB, text string) record.Path {
	t.Helper()
	p, err := record.ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func paths(t testing.TB, texts ...string) []engine.PathOption {
	t.Helper()
	var ps []engine.PathOption
	for _, s := range texts {
		ps = append(ps, engine.PathOption{Path: path(t, s)})
	}
	return ps
}

// sets makes assignments of pairs path, expression.
func sets(t testing.TB, pairs ...string) engine.Assignments {
	t.Helper()
	var as engine.Assignments
	for i := 0; i < len(pairs); i += 2 {
		as = append(as, engine.Assignment{Path: path(t, pairs[i]), Expr: expression(t, pairs[i+1], expr.WantAny)})
	}
	return as
}

// bound is a processor bound to a worker of its own.
type bound struct {
	engine.Bound
	rec *record.Record
}

func bind(t testing.TB, f engine.ProcessorFactory, config any) *bound {
	t.Helper()
	p, err := f.New(config, engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	l := record.NewLayout()
	b, err := p.Bind(l)
	if err != nil {
		t.Fatal(err)
	}
	return &bound{b, record.NewRecord(l)}
}

// load makes the record's value a JSON text, "null" for a tombstone.
func (b *bound) load(value string) *record.Record {
	r := b.rec
	r.Value.Reset(record.JSON, []byte(value))
	if value == "null" {
		r.Value.Reset(record.JSON, nil)
	}
	r.Key.Reset(record.Text, nil)
	r.ResetHeaders(nil)
	r.Topic, r.HasTimestamp = "source", false
	return r
}

// show is the record in one line: value, and what else is there.
func show(t testing.TB, r *record.Record) string {
	t.Helper()
	s := "null"
	if !r.Value.IsNull() {
		out, err := r.Value.AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		s = string(out)
	}
	if !r.Key.IsNull() {
		out, err := r.Key.AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		s += " key=" + string(out)
	}
	for _, h := range r.Headers() {
		s += " " + h.Key + ":" + string(h.Value)
	}
	if r.Topic != "source" {
		s += " topic=" + r.Topic
	}
	if r.HasTimestamp {
		s += " at=" + r.Time().Format("2006-01-02")
	}
	return s
}

func TestMap(t *testing.T) {
	t.Parallel()
	const order = `{"id":7,"price":2.50,"qty":4,"c":{"mail":"a@b.c","card":"12345678"},"tags":["x","y"]}`
	tests := []struct {
		name   string
		config func(c *mapping.Config)
		in     string
		want   string // or
		err    string
	}{
		{"set computes and nests", func(c *mapping.Config) {
			c.Set = sets(t, "total", "value.price * value.qty", "c.domain", "split(value.c.mail, '@')[1]")
		}, order, `{"id":7,"price":2.50,"qty":4,"c":{"mail":"a@b.c","card":"12345678","domain":"b.c"},"tags":["x","y"],"total":10}`, ""},
		{"expressions see the record as it came in", func(c *mapping.Config) {
			c.Set = sets(t, "price", "value.qty", "qty", "value.price")
		}, `{"price":1.50,"qty":2}`, `{"price":2,"qty":1.50}`, ""},
		{"set of nil is null", func(c *mapping.Config) {
			c.Set = sets(t, "a", "value.nope")
		}, `{"a":1,"b":2}`, `{"a":null,"b":2}`, ""},
		{"rename, remove, keep", func(c *mapping.Config) {
			c.Keep = paths(t, "id", "c")
			c.Remove = paths(t, "c.card")
			c.Rename = engine.Renames{{From: path(t, "id"), To: path(t, "order")}}
		}, order, `{"order":7,"c":{"mail":"a@b.c"}}`, ""},
		{"whole value", func(c *mapping.Config) {
			c.Value = expression(t, "{n: value.id, m: value.c.mail}", expr.WantAny)
		}, order, `{"n":7,"m":"a@b.c"}`, ""},
		{"value null makes a tombstone", func(c *mapping.Config) {
			c.Value = expression(t, "nil", expr.WantAny)
			c.Key = expression(t, "value.id", expr.WantAny)
		}, order, `null key=7`, ""},
		{"key, headers, topic, timestamp", func(c *mapping.Config) {
			c.Key = expression(t, "value.c.mail", expr.WantAny)
			c.Headers = engine.NamedExpressions{{Name: "h", Expr: expression(t, "string(value.qty)", expr.WantAny)}, {Name: "none", Expr: expression(t, "nil", expr.WantAny)}}
			c.Topic = expression(t, "'t-' + value.tags[0]", expr.WantAny)
			c.Timestamp = expression(t, "date('2026-01-02T00:00:00Z')", expr.WantAny)
			c.Keep = paths(t, "id")
		}, order, `{"id":7} key=a@b.c h:4 topic=t-x at=2026-01-02`, ""},
		{"when leaves others as they are", func(c *mapping.Config) {
			c.When = expression(t, "value.qty > 100", expr.WantBool)
			c.Set = sets(t, "id", "0")
		}, order, order, ""},
		{"array elements", func(c *mapping.Config) {
			c.Set = sets(t, "tags[0]", "upper(value.tags[0])", "tags[-1]", "'last'")
		}, `{"tags":["x","y"]}`, `{"tags":["X","last"]}`, ""},
		{"a failing expression names its option", func(c *mapping.Config) {
			c.Set = sets(t, "total", "value.price * value.nope")
		}, order, "", "set.total: "},
		{"set below a scalar", func(c *mapping.Config) {
			c.Remove = paths(t, "tags")
			c.Key = expression(t, "'k'", expr.WantAny)
			c.Headers = engine.NamedExpressions{{Name: "h", Expr: expression(t, "'v'", expr.WantAny)}}
			c.Set = sets(t, "new", "1", "id.x", "1")
		}, order, "", "set.id.x: "},
		{"topic must be listed", func(c *mapping.Config) {
			c.Topic = expression(t, "value.c.mail", expr.WantAny)
			c.Topics = []string{"a", "b"}
		}, order, "", `topic: "a@b.c" is not one of topics`},
		{"topic must be one of Kafka", func(c *mapping.Config) {
			c.Topic = expression(t, "value.c.mail", expr.WantAny)
		}, order, "", `topic: "a@b.c" is no name of a topic`},
		{"topic must be a string", func(c *mapping.Config) {
			c.Topic = expression(t, "value.id", expr.WantAny)
		}, order, "", "topic: "},
		{"timestamp must be a time", func(c *mapping.Config) {
			c.Timestamp = expression(t, "value.id", expr.WantAny)
		}, order, "", "timestamp: "},
		{"invalid JSON", func(c *mapping.Config) {
			c.Set = sets(t, "a", "value.id")
		}, `{"id":`, "", "set.a: "},
		{"tombstone", func(c *mapping.Config) {
			c.Remove = paths(t, "a")
		}, `null`, `null`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := mapping.Defaults()
			tt.config(c)
			if ps := c.Validate(); len(ps) > 0 {
				t.Fatalf("config: %+v", ps)
			}
			b := bind(t, mapping.Factory(), c)
			for range 2 { // the second time on warm scratch
				r := b.load(tt.in)
				keep, err := b.Step(r)
				if tt.err != "" {
					if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
						t.Fatalf("err = %v, want %s...", err, tt.err)
					}
					if got := show(t, r); got != tt.in {
						t.Fatalf("the failed map left %s", got)
					}
					continue
				}
				if err != nil || !keep {
					t.Fatalf("keep = %v, err = %v", keep, err)
				}
				if got := show(t, r); got != tt.want {
					t.Fatalf("got  %s\nwant %s", got, tt.want)
				}
			}
		})
	}
}

func TestMapConfig(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		config func(c *mapping.Config)
		want   string
	}{
		{"nothing", func(*mapping.Config) {}, "map changes nothing"},
		{"topics alone", func(c *mapping.Config) { c.Topics = []string{"a"}; c.Remove = paths(t, "x") }, "topics without topic"},
		{"a topic that cannot be", func(c *mapping.Config) { c.Topic = expression(t, "'a@b'", expr.WantAny) }, "invalid name of a topic"},
		{"a listed topic that cannot be", func(c *mapping.Config) { c.Topics = []string{".."}; c.Topic = expression(t, "topic", expr.WantAny) }, "invalid name of a topic"},
		{"twice", func(c *mapping.Config) { c.Set = sets(t, "a", "1", "a", "2") }, "a is set twice"},
		{"whole in set", func(c *mapping.Config) { c.Set = engine.Assignments{{Expr: expression(t, "1", expr.WantAny)}} }, "set names the whole value"},
		{"to itself", func(c *mapping.Config) {
			c.Rename = engine.Renames{{From: path(t, "a"), To: path(t, "a")}}
		}, "a is renamed to itself"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := mapping.Defaults()
			tt.config(c)
			ps := c.Validate()
			if len(ps) != 1 || ps[0].Summary != tt.want || ps[0].Detail == "" {
				t.Fatalf("problems %+v, want %q", ps, tt.want)
			}
		})
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	b := bind(t, filter.Factory(), &filter.Config{Where: expression(t, "value.n > 1", expr.WantBool)})
	for in, want := range map[string]string{
		`{"n":2}`: "keep", `{"n":1}`: "drop", `{"n":"x"}`: "error", `{}`: "error", `{"n":`: "error", `null`: "error", `[1]`: "error",
	} {
		keep, err := b.Step(b.load(in))
		got := map[bool]string{true: "keep", false: "drop"}[keep]
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s (%v), want %s", in, got, err, want)
		}
	}
}

func TestRoute(t *testing.T) {
	t.Parallel()
	cases := []route.Case{
		{Port: "small", When: expression(t, "value.n < 10", expr.WantBool)},
		{Port: "even", When: expression(t, "value.n % 2 == 0", expr.WantBool)},
	}
	tests := []struct {
		mode, in string
		want     []int
	}{
		{"first", `{"n":4}`, []int{1}},
		{"first", `{"n":12}`, []int{2}},
		{"first", `{"n":13}`, []int{0}},
		{"all", `{"n":4}`, []int{1, 2}},
		{"all", `{"n":13}`, []int{0}},
	}
	for _, tt := range tests {
		b := bind(t, route.Factory(), &route.Config{Mode: tt.mode, Cases: cases})
		got, err := b.Route(b.load(tt.in), nil)
		if err != nil || len(got) != len(tt.want) {
			t.Fatalf("%s %s: %v, %v", tt.mode, tt.in, got, err)
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("%s %s: ports %v, want %v", tt.mode, tt.in, got, tt.want)
			}
		}
	}
	b := bind(t, route.Factory(), &route.Config{Mode: "all", Cases: cases})
	if ports, err := b.Route(b.load(`{"n":"x"}`), nil); err == nil || len(ports) != 0 || !strings.HasPrefix(err.Error(), "case small: ") {
		t.Errorf("ports %v, err %v", ports, err)
	}
}

func TestRouteConfig(t *testing.T) {
	t.Parallel()
	c := &route.Config{Cases: []route.Case{{Port: "a"}, {Port: "a"}, {Port: "errors"}, {Port: "1x"}, {Port: ""}}}
	if ps := c.Validate(); len(ps) != 4 {
		t.Errorf("%d problems, want 4: %+v", len(ps), ps)
	}
	if ps := route.Defaults().Validate(); len(ps) != 1 || ps[0].Summary != "route has no case" {
		t.Errorf("problems %+v", ps)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	opt := func(s string) engine.PathOption { return engine.PathOption{Path: path(t, s)} }
	tests := []struct {
		name   string
		config func(c *split.Config)
		in     string
		want   []string
		err    string
	}{
		{"whole array", func(*split.Config) {}, `[1,"a",{"b":[2]},null]`, []string{"1", `"a"`, `{"b":[2]}`, "null"}, ""},
		{"elements alone, numbered", func(c *split.Config) { c.Path, c.Index = opt("items"), opt("n") },
			`{"id":1,"items":[{"q":1.50},{"q":2}]}`, []string{`{"q":1.50,"n":0}`, `{"q":2,"n":1}`}, ""},
		{"into keeps the rest", func(c *split.Config) { c.Path, c.Into = opt("items"), opt("item") },
			`{"id":1,"items":[1,2]}`, []string{`{"id":1,"item":1}`, `{"id":1,"item":2}`}, ""},
		{"into the same path", func(c *split.Config) { c.Path, c.Into = opt("items"), opt("items") },
			`{"items":["x","y\n"],"z":0}`, []string{`{"z":0,"items":"x"}`, `{"z":0,"items":"y\n"}`}, ""},
		{"text", func(c *split.Config) { c.Path, c.Delimiter = opt("text"), "," }, `{"text":"a,,b,"}`, []string{"a", "", "b"}, ""},
		{"text into", func(c *split.Config) { c.Path, c.Delimiter, c.Into = opt("text"), ",", opt("t") },
			`{"text":"a,b"}`, []string{`{"t":"a"}`, `{"t":"b"}`}, ""},
		{"empty is dropped", func(*split.Config) {}, `[]`, nil, ""},
		{"empty is an error", func(c *split.Config) { c.Empty = "error" }, `[]`, nil, "nothing to split"},
		{"an object without path", func(c *split.Config) { c.Into = opt("item") }, `{"items":[1]}`, nil, "value is object, not an array; to split an array in it, give path"},
		{"into without path", func(c *split.Config) { c.Into = opt("item") }, `[1,2]`, []string{`{"item":1}`, `{"item":2}`}, ""},
		{"no array", func(c *split.Config) { c.Path = opt("a") }, `{"a":5}`, nil, "value.a is int, not an array"},
		{"missing", func(c *split.Config) { c.Path = opt("a") }, `{}`, nil, "value.a is missing, not an array"},
		{"too many", func(c *split.Config) { c.MaxParts = 2 }, `[1,2,3]`, nil, "more than 2 parts"},
		{"invalid JSON", func(*split.Config) {}, `[1,`, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := split.Defaults()
			tt.config(c)
			b := bind(t, split.Factory(), c)
			for range 2 {
				r := b.load(tt.in)
				r.SetHeader("h", []byte("v"))
				var got []string
				err := b.Expand(r, func(p *record.Record) error {
					if h, ok := p.Header("h"); !ok || string(h) != "v" || p.Topic != "source" {
						t.Errorf("a part lost its headers or topic")
					}
					got = append(got, strings.TrimSuffix(show(t, p), " h:v"))
					return nil
				})
				r.ResetHeaders(nil)
				if tt.want == nil {
					if tt.err == "" && tt.name != "invalid JSON" && err == nil {
						continue
					}
					if err == nil || !strings.Contains(err.Error(), tt.err) {
						t.Fatalf("err = %v, want %q", err, tt.err)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
					t.Fatalf("got  %q\nwant %q", got, tt.want)
				}
			}
		})
	}
}

// BenchmarkChain is what the file benchmark does to an order: filter, rename,
// compute, mask, all in one worker.
func BenchmarkChain(b *testing.B) {
	const order = `{"order_id":"ord-00000000","created":"2026-05-01T13:02:19Z","status":"paid","channel":"store","customer":{"id":393875,"name":"Farid","email":"farid.307@example.com","country":"KR","card":"4823559626761088"},"items":[{"sku":"kettle-926","gift":false},{"sku":"bike-945","gift":false}],"price":548.22,"quantity":6,"currency":"EUR","internal":{"trace":"98d6bdc11368285f"}}`
	env := expr.NewEnv()
	compile := func(text string, w expr.Want) engine.Expression {
		src, problems := env.Compile(text, w)
		if len(problems) > 0 {
			b.Fatal(problems)
		}
		return engine.Expression{Source: src}
	}
	l := record.NewLayout()
	f, _ := filter.Factory().New(&filter.Config{Where: compile("value.status == 'paid'", expr.WantBool)}, engine.Env{})
	mc := mapping.Defaults()
	mc.Rename = engine.Renames{{From: path(b, "order_id"), To: path(b, "id")}}
	mc.Set = engine.Assignments{
		{Path: path(b, "total"), Expr: compile("value.price * value.quantity", expr.WantAny)},
		{Path: path(b, "customer.card"), Expr: compile("'****' + value.customer.card[-4:]", expr.WantAny)},
	}
	m, _ := mapping.Factory().New(mc, engine.Env{})
	bf, err := f.Bind(l)
	if err != nil {
		b.Fatal(err)
	}
	bm, err := m.Bind(l)
	if err != nil {
		b.Fatal(err)
	}
	r := record.NewRecord(l)
	in := engine.NewBatch()
	in.Value.Encoding = record.JSON
	in.Value.Add([]byte(order))
	var out []byte
	b.ReportAllocs()
	b.SetBytes(int64(len(order)))
	for b.Loop() {
		in.Load(0, r)
		if keep, err := bf.Step(r); err != nil || !keep {
			b.Fatal(keep, err)
		}
		if _, err := bm.Step(r); err != nil {
			b.Fatal(err)
		}
		if out, err = r.Value.AppendTo(out[:0]); err != nil {
			b.Fatal(err)
		}
	}
}
