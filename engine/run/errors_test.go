package run

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
)

var errBroken = errors.New("broken")

// third refuses records 2, 5, 8, ...
func third(r *record.Record) error {
	if number(r)%3 == 2 {
		return errBroken
	}
	return nil
}

// conv is a converter that marks what it did and refuses what holds "bad".
type conv struct {
	decode, encode bool
}

func (conv) Decoded() record.Encoding { return record.Text }

func (c conv) NewDecoder() engine.Decode {
	f := mark(c.decode, "d")
	if f == nil {
		return nil
	}
	return func(dst, src []byte, m *engine.Meta) ([]byte, record.Encoding, error) {
		dst, err := f(dst, src, m)
		return dst, nil, err
	}
}

func (c conv) NewEncoder(record.Encoding) engine.Encode { return mark(c.encode, "e") }

func mark(on bool, text string) engine.Encode {
	if !on {
		return nil
	}
	return func(dst, src []byte, _ *engine.Meta) ([]byte, error) {
		if src == nil {
			return nil, nil
		}
		if bytes.Contains(src, []byte("bad")) {
			return dst, errBroken
		}
		return append(append(dst, text...), src...), nil
	}
}

// withBad makes n records of which each third one cannot be converted.
func withBad(n int) *enginetest.Input {
	in := memory("a", n, 4)
	for i := range in.Partitions[0].Records {
		if i%3 == 2 {
			in.Partitions[0].Records[i].Value = fmt.Appendf(nil, "bad\xff%d", i)
		}
	}
	return in
}

// failing is one way in which records are refused.
type failing struct {
	name    string
	element string
	// build makes a pipeline whose good records arrive in out.
	build func(p *plan, out *enginetest.Output)
	// good and bad are the values of record i in out and on the errors edge.
	good, bad func(i int) string
	reason    string
}

func plain(i int) string { return fmt.Sprint("a", i) }

func failingWays() []failing {
	return []failing{
		{"step", "processor.f.x", func(p *plan, out *enginetest.Output) {
			p.input("in", memory("a", 30, 4))
			p.proc("pre", tag("0"), "input.mem.in")
			p.proc("x", processor{step: func(r *record.Record) (bool, error) {
				if err := thirdOfTen(r); err != nil {
					return false, err
				}
				r.Value.Reset(record.Opaque, append(r.Value.Raw(), "x"...))
				return true, nil
			}}, "processor.f.pre")
			p.output("out", out, "processor.f.x")
		}, func(i int) string { return fmt.Sprintf("a%d0x", i) }, func(i int) string { return fmt.Sprintf("a%d0", i) }, "broken"},
		{"filter", "processor.f.x", func(p *plan, out *enginetest.Output) {
			p.input("in", memory("a", 30, 4))
			p.proc("x", processor{readOnly: true, step: func(r *record.Record) (bool, error) { return true, third(r) }}, "input.mem.in")
			p.output("out", out, "processor.f.x")
		}, plain, plain, "broken"},
		{"route", "processor.f.x", func(p *plan, out *enginetest.Output) {
			p.input("in", memory("a", 30, 4))
			p.proc("x", processor{readOnly: true, ports: []string{"y"}, route: func(r *record.Record, ports []int) ([]int, error) {
				return append(ports, 1), third(r)
			}}, "input.mem.in")
			p.output("out", out, "processor.f.x.y")
		}, plain, plain, "broken"},
		{"decode in a stage", "input.mem.in", func(p *plan, out *enginetest.Output) {
			p.input("in", withBad(30)).Value = conv{decode: true}
			p.proc("all", filter(func(int) bool { return true }), "input.mem.in")
			p.output("out", out, "processor.f.all")
		}, func(i int) string { return fmt.Sprint("da", i) }, func(i int) string { return fmt.Sprintf("bad\xff%d", i) }, "decoding: broken"},
		{"decode alone", "input.mem.in", func(p *plan, out *enginetest.Output) {
			p.input("in", withBad(30)).Value = conv{decode: true}
			p.output("out", out, "input.mem.in")
		}, func(i int) string { return fmt.Sprint("da", i) }, func(i int) string { return fmt.Sprintf("bad\xff%d", i) }, "decoding: broken"},
		{"encode", "output.mem.out", func(p *plan, out *enginetest.Output) {
			p.input("in", withBad(30))
			p.output("out", out, "input.mem.in").Value = conv{encode: true}
		}, func(i int) string { return fmt.Sprint("ea", i) }, func(i int) string { return fmt.Sprintf("bad\xff%d", i) }, "encoding: broken"},
		{"refused by the output", "output.mem.out", func(p *plan, out *enginetest.Output) {
			p.input("in", withBad(30))
			refuse(out, "bad")
			p.output("out", out, "input.mem.in")
		}, plain, func(i int) string { return fmt.Sprintf("bad\xff%d", i) }, "broken"},
		{"refused by the output after encoding", "output.mem.out", func(p *plan, out *enginetest.Output) {
			p.input("in", memory("a", 30, 4))
			refuse(out, "2", "5", "8", "11", "14", "17", "20", "23", "26", "29")
			p.output("out", out, "input.mem.in").Value = conv{encode: true}
		}, func(i int) string { return fmt.Sprint("ea", i) }, plain, "broken"},
		{"input", "input.mem.in", func(p *plan, out *enginetest.Output) {
			in := withBad(30)
			for i := range in.Partitions[0].Records {
				if i%3 == 2 {
					in.Partitions[0].Records[i].Failure.Reason = errBroken
				}
			}
			p.input("in", in).Value = conv{decode: true}
			p.output("out", out, "input.mem.in")
		}, func(i int) string { return fmt.Sprint("da", i) }, func(i int) string { return fmt.Sprintf("bad\xff%d", i) }, "broken"},
	}
}

// thirdOfTen looks at values whose number was multiplied by ten.
func thirdOfTen(r *record.Record) error {
	if number(r)/10%3 == 2 {
		return errBroken
	}
	return nil
}

// refuse makes an output refuse values that end with a number, or hold a text.
func refuse(out *enginetest.Output, texts ...string) {
	out.Refuse = func(r enginetest.Record) error {
		v := string(r.Value)
		for _, s := range texts {
			if strings.TrimLeft(v, "ae") == s || strings.HasPrefix(v, s) && s == "bad" {
				return errBroken
			}
		}
		return nil
	}
}

func goodAndBad(f failing) (good, bad []string) {
	for i := range 30 {
		if i%3 == 2 {
			bad = append(bad, f.bad(i))
		} else {
			good = append(good, f.good(i))
		}
	}
	return good, bad
}

func TestErrorsEdges(t *testing.T) {
	t.Parallel()
	for _, f := range failingWays() {
		for _, named := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,named=%v", f.name, named), func(t *testing.T) {
				t.Parallel()
				p := newPlan(t)
				out, bad, bare := &enginetest.Output{}, &enginetest.Output{}, &enginetest.Output{}
				f.build(p, out)
				if named {
					p.output("bad", bad, f.element+".errors")
					p.output("bare", bare, "errors")
				} else {
					p.output("bad", bad, "errors").Value = conv{encode: true} // leaves bytes that were never decoded alone
				}
				now := time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)
				store := checkpoint.NewMemory()
				r := p.runner(Options{Now: func() time.Time { return now }, Store: store})
				if err := r.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				good, failed := goodAndBad(f)
				expect(t, "good", out.Values(), good)
				expect(t, "refused", bad.Values(), failed)
				expect(t, "bare", bare.Values(), []string{})
				for k, x := range bad.Records() {
					i := 3*k + 2
					for name, want := range map[string]string{
						engine.HeaderErrorElement: f.element, engine.HeaderErrorReason: f.reason,
						engine.HeaderErrorOrigin: fmt.Sprint("a@", i), engine.HeaderErrorTime: "2026-03-04T05:06:07Z",
					} {
						if got := x.Header(name); got != want {
							t.Fatalf("record %d: header %s is %q, want %q", i, name, got, want)
						}
					}
					if x.Failure.Element != f.element || !errors.Is(x.Failure.Reason, errBroken) || x.Failure.Origin != fmt.Sprint("a@", i) {
						t.Fatalf("record %d: failure %+v", i, x.Failure)
					}
				}
				if m, _ := store.Load(t.Context()); m["input.mem.in/a"].Offset != 30 {
					t.Errorf("stored %v, want 30", m)
				}
				for _, e := range r.Elements() {
					if n := e.Errors.Load(); e.Address == f.element && n != 10 || e.Address != f.element && n != 0 {
						t.Errorf("%s counts %d errors", e.Address, n)
					}
				}
			})
		}
	}
}

// TestNobodyReadsErrors: the pipeline stops, names the record, and stores
// nothing behind it.
func TestNobodyReadsErrors(t *testing.T) {
	t.Parallel()
	for _, f := range failingWays() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			p := newPlan(t)
			f.build(p, &enginetest.Output{})
			store := checkpoint.NewMemory()
			err := p.runner(Options{Store: store}).Run(t.Context())
			var re *RecordError
			if !errors.As(err, &re) || !errors.Is(err, errBroken) || re.Element != f.element || !strings.HasPrefix(re.Origin, "a@") {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(re.Excerpt, "\xff") {
				t.Errorf("the excerpt is not quoted: %q", re.Excerpt)
			}
			first := int64(0)
			if _, serr := fmt.Sscanf(re.Origin, "a@%d", &first); serr != nil {
				t.Fatal(serr)
			}
			if m, _ := store.Load(t.Context()); m["input.mem.in/a"].Offset > first {
				t.Errorf("stored %v, behind the record %s", m, re.Origin)
			}
		})
	}
}

// TestErrorsOfAnErrorsOutputStop: its failures never go round in a circle.
func TestErrorsOfAnErrorsOutputStop(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	f := failingWays()[1]
	f.build(p, &enginetest.Output{})
	bad := &enginetest.Output{Refuse: func(enginetest.Record) error { return errBroken }}
	p.output("bad", bad, "errors")
	var re *RecordError
	if err := p.run(); !errors.As(err, &re) || re.Element != "output.mem.bad" || re.Origin != "a@2" {
		t.Errorf("got %v", err)
	}
}

// TestErrorsThroughProcessors: an errors edge may feed a chain like any other.
func TestErrorsThroughProcessors(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	out, bad := &enginetest.Output{}, &enginetest.Output{}
	failingWays()[1].build(p, out)
	p.proc("note", tag("-noted"), "errors")
	p.output("bad", bad, "processor.f.note")
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
	var exp []string
	for i := 2; i < 30; i += 3 {
		exp = append(exp, fmt.Sprintf("a%d-noted", i))
	}
	expect(t, "noted", bad.Values(), exp)
	if h := bad.Records()[0].Header(engine.HeaderErrorElement); h != "processor.f.x" {
		t.Errorf("header %q", h)
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 100)
	for _, tt := range []struct{ in, want string }{
		{"a\x1b[31m\"\n\xff", `"a\x1b[31m\"\n\xff"`},
		{"", `""`},
		{`{"a":1}`, `{"a":1}`},
		{"a\u202eb", `"a\u202eb"`},
		{long, long[:120] + `... (200 bytes)`},
		{"x" + long, "x" + long[:118] + `... (201 bytes)`},
	} {
		if got := excerpt([]byte(tt.in)); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
	if got := excerpt(nil); got != "null" {
		t.Errorf("got %s", got)
	}
}

// TestNullsAndKeysPassConverters: tombstones stay, keys are converted, too.
func TestNullsAndKeysPassConverters(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	in := &enginetest.Input{Partitions: []enginetest.Partition{{ID: "a", Records: []enginetest.Record{
		{Key: []byte("k"), Value: []byte("v")}, {Key: []byte("t")}, {Value: []byte("w")}, {}, {Value: []byte{}},
	}}}}
	out := &enginetest.Output{}
	el := p.input("in", in)
	el.Key, el.Value = conv{decode: true}, conv{decode: true}
	el = p.output("out", out, "input.mem.in")
	el.Key, el.Value = conv{encode: true}, conv{encode: true}
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range out.Records() {
		got = append(got, fmt.Sprintf("%s=%s %v %v", r.Key, r.Value, r.Key == nil, r.Value == nil))
	}
	expect(t, "records", got, []string{"edk=edv false false", "edt= false true", "=edw true false", "= true true", "=ed true false"})
}
