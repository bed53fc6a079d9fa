package generate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// expression stands for a compiled expression: a Go function over the record.
type expression struct {
	text string
	f    func(r *record.Record, get func(path string) record.Value) (record.Value, error)
}

func (e expression) Text() string { return e.text }

func (e expression) Bind(l *record.Layout) (engine.Program, error) {
	p := &program{f: e.f, paths: map[string]record.PathID{}}
	for _, name := range []string{"int", "float", "bool", "uuid", "word", "name", "email", "country", "ip", "missing"} {
		path, err := record.ParsePath(name)
		if err != nil {
			return nil, err
		}
		p.paths[name] = l.Value.Add(path)
	}
	return p, nil
}

type program struct {
	f     func(r *record.Record, get func(path string) record.Value) (record.Value, error)
	paths map[string]record.PathID
}

func (p *program) Eval(r *record.Record) (record.Value, error) {
	var failed error
	v, err := p.f(r, func(path string) record.Value {
		v, err := r.Value.Get(p.paths[path])
		failed = errors.Join(failed, err)
		return v
	})
	return v, errors.Join(failed, err)
}

func (p *program) Test(r *record.Record) (bool, error) {
	v, err := p.Eval(r)
	return v.Bool(), err
}

// offset is the expression {n: offset}.
func offset() engine.Expression {
	return engine.Expression{Source: expression{"{n: offset}", func(r *record.Record, _ func(string) record.Value) (record.Value, error) {
		return record.FromAny(map[string]any{"n": r.Offset})
	}}}
}

// field is the expression value.PATH.
func field(path string) engine.Expression {
	return engine.Expression{Source: expression{"value." + path, func(_ *record.Record, get func(string) record.Value) (record.Value, error) {
		return get(path), nil
	}}}
}

func failing(text string) engine.Expression {
	return engine.Expression{Source: expression{text, func(r *record.Record, _ func(string) record.Value) (record.Value, error) {
		if r.Offset%3 == 1 {
			return record.Value{}, errors.New("no result")
		}
		return record.IntValue(r.Offset), nil
	}}}
}

func open(t *testing.T, h *enginetest.Host, c *Config) engine.Input {
	t.Helper()
	in, err := newInput(c, enginetest.Env(t, "input.generate.in"))
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Open(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	return in
}

// all reads a bounded input, confirming everything.
func all(t *testing.T, h *enginetest.Host, c *Config) []enginetest.Record {
	t.Helper()
	in := open(t, h, c)
	var out []enginetest.Record
	for {
		b, err := in.Read(t.Context())
		if errors.Is(err, engine.ErrEnd) {
			h.Commit()
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, enginetest.Records(b)...)
		b.Done()
		b.Release()
	}
}

func texts(list []enginetest.Record) []string {
	out := make([]string, 0, len(list))
	for _, r := range list {
		out = append(out, string(r.Value))
	}
	return out
}

func TestRecords(t *testing.T) {
	t.Parallel()
	h := enginetest.NewHost(engine.BatchLimits{Records: 2})
	got := all(t, h, &Config{
		Value: offset(), Key: field("name"), Count: 5, Seed: 1,
		Headers: engine.NamedExpressions{{Name: "trace", Expr: field("uuid")}, {Name: "none", Expr: field("missing")}},
	})
	if want := []string{`{"n":0}`, `{"n":1}`, `{"n":2}`, `{"n":3}`, `{"n":4}`}; !slices.Equal(texts(got), want) {
		t.Errorf("got %q", texts(got))
	}
	for i, r := range got {
		if len(r.Key) == 0 || r.Key[0] == '"' || len(r.Headers) != 1 || len(r.Header("trace")) != 36 || !r.HasTimestamp || r.Offset != int64(i) {
			t.Errorf("record %d is %v", i, r)
		}
	}
	if again := all(t, h.Next(), &Config{Value: offset(), Count: 7}); !slices.Equal(texts(again), []string{`{"n":5}`, `{"n":6}`}) {
		t.Errorf("the next run made %q", texts(again))
	}
}

func TestRandomDataIsRepeatable(t *testing.T) {
	t.Parallel()
	uuids := func(h *enginetest.Host, seed, count int64) []string {
		return texts(all(t, h, &Config{Value: field("uuid"), Count: count, Seed: seed}))
	}
	h := enginetest.NewHost(engine.BatchLimits{})
	one := uuids(h, 1, 10)
	if again := uuids(enginetest.NewHost(engine.BatchLimits{Records: 3}), 1, 10); !slices.Equal(one, again) {
		t.Error("the same seed made other data")
	}
	if other := uuids(enginetest.NewHost(engine.BatchLimits{}), 2, 10); one[0] == other[0] || slices.Contains(other, one[1]) {
		t.Error("another seed made the same data")
	}
	if compact := slices.Compact(slices.Sorted(slices.Values(one))); len(compact) != 10 {
		t.Error("offsets share data")
	}
	whole := uuids(enginetest.NewHost(engine.BatchLimits{}), 1, 20)
	if rest := uuids(h.Next(), 1, 20); !slices.Equal(append(one, rest...), whole) {
		t.Error("the data differ after a restart")
	}
	// Without a seed the run that goes on has that of the first one.
	h = enginetest.NewHost(engine.BatchLimits{})
	uuids(h, 0, 1)
	p, ok := h.Next().Stored(sourceID)
	uuids2 := h.Next()
	uuids(uuids2, 0, 2)
	q, _ := uuids2.Next().Stored(sourceID)
	if !ok || p.State == "" || p.State != q.State {
		t.Errorf("seeds %q and %q", p.State, q.State)
	}
}

func TestRandomData(t *testing.T) {
	t.Parallel()
	patterns := map[string]string{
		"uuid": `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
		"word": `^[a-z]+$`, "name": `^[A-Z][a-z]+ [A-Z][a-z]+$`, "email": `^[a-z]+\.[a-z]+[0-9]+@example\.(com|org)$`,
		"country": `^[A-Z]{2}$`, "ip": `^(192\.0\.2|198\.51\.100|203\.0\.113)\.[0-9]{1,3}$`,
	}
	g := newRandom()
	truths := 0
	for i := range int64(1000) {
		raw := g.append(nil, 7, i)
		var v map[string]any
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		for name, p := range patterns {
			if s, _ := v[name].(string); !regexp.MustCompile(p).MatchString(s) {
				t.Fatalf("%s is %q", name, s)
			}
		}
		n, f := v["int"].(float64), v["float"].(float64)
		if n < 0 || n >= 1e9 || f < 0 || f >= 1 || len(v) != 9 {
			t.Fatalf("%s", raw)
		}
		if v["bool"].(bool) {
			truths++
		}
	}
	if truths < 400 || truths > 600 {
		t.Errorf("%d of 1000 are true", truths)
	}
}

// A record whose expression fails disturbs no other one.
func TestFailedExpressions(t *testing.T) {
	t.Parallel()
	for _, c := range []*Config{
		{Value: failing("offset"), Key: field("word"), Count: 5},
		{Value: offset(), Key: failing("offset"), Count: 5},
		{Value: offset(), Headers: engine.NamedExpressions{{Name: "a", Expr: field("word")}, {Name: "h", Expr: failing("offset")}}, Count: 5},
	} {
		got := all(t, enginetest.NewHost(engine.BatchLimits{}), c)
		if len(got) != 5 {
			t.Fatalf("%d records", len(got))
		}
		for i, r := range got {
			failed := r.Failure.Reason != nil
			if failed != (i%3 == 1) || failed != (r.Value == nil) || len(r.Headers) > 0 && failed {
				t.Errorf("record %d is %v, %v", i, r, r.Failure.Reason)
			}
			if failed && (r.Failure.Origin != fmt.Sprintf("generate#%d", i) || r.Failure.Element == "" || !strings.Contains(r.Failure.Reason.Error(), "no result")) {
				t.Errorf("failure %+v", r.Failure)
			}
		}
	}
}

func TestTombstone(t *testing.T) {
	t.Parallel()
	got := all(t, enginetest.NewHost(engine.BatchLimits{}), &Config{Value: field("missing"), Count: 1})
	if len(got) != 1 || got[0].Value != nil || got[0].Failure.Reason != nil {
		t.Errorf("got %v", got)
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		rate     float64
		interval time.Duration
		want     int // records in 10 s
		batches  int // at most
	}{
		{"slow", 2, 0, 20, 21},
		{"interval", 0, 2 * time.Second, 5, 6},
		{"fast", 10_000, 0, 100_000, 2100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				in := open(t, enginetest.NewHost(engine.BatchLimits{Linger: limits.Linger}), &Config{Value: offset(), Rate: tt.rate, Interval: tt.interval})
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				n, batches := 0, 0
				for {
					b, err := in.Read(ctx)
					if err != nil {
						if !errors.Is(err, context.DeadlineExceeded) {
							t.Fatal(err)
						}
						break
					}
					n += b.Len()
					batches++
					b.Done()
					b.Release()
				}
				if n < tt.want-tt.want/100-1 || n > tt.want+tt.want/100+1 || batches > tt.batches {
					t.Errorf("%d records in %d batches, want %d", n, batches, tt.want)
				}
			})
		})
	}
}

// After a long stop the lost time is not made up for by a burst.
func TestRateAfterBackPressure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := open(t, enginetest.NewHost(engine.BatchLimits{}), &Config{Value: offset(), Rate: 10})
		read := func(d time.Duration) (n int) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			for {
				b, err := in.Read(ctx)
				if err != nil {
					return n
				}
				n += b.Len()
				b.Done()
				b.Release()
			}
		}
		read(time.Second)
		<-time.After(time.Hour)
		if n := read(time.Second); n > 12 {
			t.Errorf("%d records in the second after the stop, want 10", n)
		}
	})
}

func TestValidate(t *testing.T) {
	t.Parallel()
	c := &Config{Rate: 1, Interval: 1}
	if ps := c.Validate(); len(ps) != 1 || ps[0].Option != "interval" {
		t.Errorf("got %v", ps)
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	var want []enginetest.Record
	for i := range 10 {
		want = append(want, enginetest.Record{Source: sourceID, Value: fmt.Appendf(nil, `{"n":%d}`, i)})
	}
	enginetest.RunInput(t, enginetest.InputCase{
		New: func(t *testing.T) engine.Input {
			in, err := Factory().New(&Config{Value: offset(), Count: 10}, enginetest.Env(t, "input.generate.in"))
			if err != nil {
				t.Fatal(err)
			}
			return in
		},
		Want: want, OneOrder: true,
	})
}

func BenchmarkGenerate(b *testing.B) {
	in, err := newInput(&Config{Value: field("name"), Seed: 1}, enginetest.Env(b, "input.generate.in"))
	if err != nil {
		b.Fatal(err)
	}
	if err := in.Open(b.Context(), enginetest.NewHost(engine.BatchLimits{})); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		batch, err := in.Read(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		n += batch.Len()
		batch.Done()
		batch.Release()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/record")
}
