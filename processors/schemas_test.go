package processors_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/schematest"
	"github.com/flowrecords/flow/processors/cast"
	"github.com/flowrecords/flow/processors/extractfield"
	"github.com/flowrecords/flow/processors/flatten"
	"github.com/flowrecords/flow/processors/headerfrom"
	"github.com/flowrecords/flow/processors/hoistfield"
	"github.com/flowrecords/flow/processors/insertfield"
	"github.com/flowrecords/flow/processors/mapping"
	"github.com/flowrecords/flow/processors/maskfield"
	"github.com/flowrecords/flow/processors/redact"
	"github.com/flowrecords/flow/processors/replacefield"
	"github.com/flowrecords/flow/processors/schemametadata"
	"github.com/flowrecords/flow/processors/split"
	"github.com/flowrecords/flow/processors/timestampconverter"
	"github.com/flowrecords/flow/processors/valuetokey"
	"github.com/flowrecords/flow/processors/window"
)

// typedStep is a processor with a config at random.
type typedStep struct {
	factory engine.ProcessorFactory
	config  any
	text    string
	// alone: it is about one path, so that with a problem nothing happens.
	alone bool
}

// stepper makes steps for records of known schemas.
type stepper struct {
	t     testing.TB
	r     *rand.Rand
	paths []record.Path // of the value, with some that are not there
	keys  []record.Path // of the key
}

func (g *stepper) one(n int) bool { return g.r.IntN(n) == 0 }

func (g *stepper) in(paths []record.Path) record.Path {
	if len(paths) == 0 || g.one(8) {
		return record.Path{{Name: "nope"}}
	}
	return paths[g.r.IntN(len(paths))]
}

func (g *stepper) path() record.Path { return g.in(g.paths) }

func (g *stepper) option() engine.PathOption { return engine.PathOption{Path: g.path()} }

func (g *stepper) when() engine.Expression {
	if !g.one(4) {
		return engine.Expression{}
	}
	return expression(g.t, "offset % 2 == 0", expr.WantBool)
}

func pick[T any](g *stepper, of ...T) T { return of[g.r.IntN(len(of))] }

// ref is a path as an expression reads it.
func ref(root string, p record.Path) string {
	text := p.String()
	if text == "" || text[0] == '[' {
		return root + text
	}
	return root + "." + text
}

// expression is one of a path or of nothing of the record.
func (g *stepper) expression() string {
	v := ref("value", g.path())
	return pick(g, v, v, v, v+" + 1", "'x' + string("+v+")", v+" ?? 5", v+" == nil", "1.5", "now()", "nil", "{a: "+v+", b: 1}", "["+v+"]", "key", "len(string("+v+"))", "has("+v+") ? "+v+" : nil",
		"has("+v+") ? cast("+v+", 'string') : nothing()", "cast("+v+", '"+pick(g, "int8", "float32", "bool")+"')", "offset % 2 == 0 ? 5 : nothing()", "convertTime("+v+", '"+pick(g, "date", "time", "unix", "timestamp", "string")+"')",
		"withDefaults("+v+")", "blank("+v+")", "flattenObject("+v+")", "withSchema("+v+", {name: 'N', version: 2})", "withSchema({a: "+v+"}, {name: 'Made'})", "schemaType("+v+")", "get("+v+", 'x')", "offset % 3 == 0 ? nothing() : {a: "+v+", b: ["+v+"]}")
}

func (g *stepper) typed(text string) engine.Expression {
	src, problems := expr.NewEnv().Compile(text, expr.WantAny)
	if len(problems) > 0 {
		return expression(g.t, "'odd'", expr.WantAny)
	}
	return engine.Expression{Source: src}
}

func (g *stepper) step() typedStep {
	on := pick(g, "value", "value", "value", "key")
	field := g.path
	if on == "key" {
		field = func() record.Path { return g.in(g.keys) }
	}
	p := field()
	opt := engine.PathOption{Path: p}
	switch g.r.IntN(14) {
	case 0:
		c := cast.Defaults()
		c.When, c.On = g.when(), on
		c.Fields = map[string]string{p.String(): pick(g, "int8", "int32", "int64", "float32", "float64", "bool", "string")}
		return typedStep{cast.Factory(), c, fmt.Sprint(c.On, c.Fields), true}
	case 1:
		c := headerfrom.Defaults()
		c.When, c.On, c.Fields, c.Headers, c.Operation = g.when(), on, []engine.PathOption{opt}, []string{"h"}, pick(g, "move", "copy")
		return typedStep{headerfrom.Factory(), c, fmt.Sprint(c.On, c.Operation, " ", p), true}
	case 2:
		c := maskfield.Defaults()
		c.When, c.On, c.Fields, c.With = g.when(), on, []engine.PathOption{opt}, pick(g, "", "7", "***")
		return typedStep{maskfield.Factory(), c, fmt.Sprint(c.On, " ", p, " ", c.With), true}
	case 3:
		c := extractfield.Defaults()
		c.When, c.On, c.Field, c.Missing = g.when(), on, opt, pick(g, "error", "null", "connect")
		return typedStep{extractfield.Factory(), c, fmt.Sprint(c.On, " ", p, " ", c.Missing), false}
	case 4:
		c := hoistfield.Defaults()
		c.When, c.On, c.Field.Path = g.when(), on, record.Path{{Name: "up"}, {Name: "x"}}
		return typedStep{hoistfield.Factory(), c, c.On, false}
	case 5:
		c := insertfield.Defaults()
		c.When, c.On, c.Existing = g.when(), on, pick(g, "replace", "keep", "connect")
		c.Offset, c.Topic = opt, engine.PathOption{Path: append(append(record.Path{}, field()...), record.Step{Name: "topic"})}
		c.Required = pick(g, nil, []string{"offset"})
		return typedStep{insertfield.Factory(), c, fmt.Sprint(c.On, " ", c.Offset.Path, " ", c.Topic.Path, " ", c.Existing, c.Required), false}
	case 6:
		c := flatten.Defaults()
		c.When, c.On, c.Connect = g.when(), on, g.one(3)
		return typedStep{flatten.Factory(), c, fmt.Sprint(c.On, c.Connect), true}
	case 7:
		c := replacefield.Defaults()
		c.When, c.On = g.when(), on
		q := field()
		switch g.r.IntN(3) {
		case 0:
			c.Include = []engine.PathOption{opt, {Path: q}}
		case 1:
			c.Exclude = []engine.PathOption{opt}
		}
		if p.String() != q.String() && (len(c.Include)+len(c.Exclude) == 0 || g.one(2)) {
			c.Renames = engine.Renames{{From: p, To: q}}
			if g.one(2) {
				c.Renames = append(c.Renames, engine.Rename{From: q, To: p})
			}
		}
		return typedStep{replacefield.Factory(), c, fmt.Sprint(c.On, c.Include, c.Exclude, c.Renames), false}
	case 8:
		c := schemametadata.Defaults()
		c.When, c.On, c.Name, c.About = g.when(), on, "new.Name", "about"
		return typedStep{schemametadata.Factory(), c, c.On, false}
	case 9:
		c := timestampconverter.Defaults()
		c.When, c.On, c.Field, c.Target = g.when(), on, opt, pick(g, "string", "unix", "date", "time", "timestamp")
		return typedStep{timestampconverter.Factory(), c, fmt.Sprint(c.On, " ", p, " ", c.Target), true}
	case 10:
		c := valuetokey.Defaults()
		c.When, c.Fields, c.Unwrap, c.Missing = g.when(), []engine.PathOption{g.option()}, g.one(2), pick(g, "error", "null", "connect")
		last := c.Fields[0].Path[len(c.Fields[0].Path)-1]
		c.Unwrap = c.Unwrap || last.IsIndex
		return typedStep{valuetokey.Factory(), c, fmt.Sprint(c.Fields, c.Unwrap, c.Missing), false}
	case 11:
		c := redact.Defaults()
		c.Mode, c.In, c.Values = pick(g, "replace", "remove", "keep_last"), []string{"value", "key"}, []string{"card", "ip"}
		name := p[len(p)-1].Name
		c.Fields = []engine.Pattern{{Regexp: regexp.MustCompile(regexp.QuoteMeta(name))}}
		return typedStep{redact.Factory(), c, c.Mode + " " + name, false}
	}
	return g.mapStep()
}

func (g *stepper) mapStep() typedStep {
	c := mapping.Defaults()
	c.When = g.when()
	text, path := "", g.path
	if g.one(4) {
		c.On, text, path = "key", " on key", func() record.Path { return g.in(g.keys) }
	}
	option := func() engine.PathOption { return engine.PathOption{Path: path()} }
	if g.one(6) {
		e := g.expression()
		c.Value, text = g.typed(e), text+" value = "+e
	}
	if g.one(4) {
		c.Remove = []engine.PathOption{option()}
	}
	if g.one(4) {
		c.Keep = []engine.PathOption{option(), option(), option()}
	}
	if from, to := path(), path(); g.one(3) && from.String() != to.String() {
		c.Rename = engine.Renames{{From: from, To: to}}
		if g.one(2) {
			c.Rename = append(c.Rename, engine.Rename{From: to, To: from})
		}
	}
	for range g.r.IntN(3) {
		p, e := path(), g.expression()
		c.Set = append(c.Set, engine.Assignment{Path: p, Expr: g.typed(e)})
		text += " " + p.String() + " = " + e
	}
	if g.one(4) {
		e := g.expression()
		c.Key, text = g.typed(e), text+" key = "+e
	}
	return typedStep{mapping.Factory(), c, fmt.Sprint("keep", c.Keep, "remove", c.Remove, "rename", c.Rename, text), false}
}

// lastStep may make other records of one.
func (g *stepper) lastStep() typedStep {
	if g.one(3) {
		c := window.Defaults()
		c.Records = 1
		return typedStep{window.Factory(), c, "", false}
	}
	c := split.Defaults()
	c.Path = g.option()
	if g.one(2) {
		c.Into = g.option()
	}
	if g.one(3) {
		c.Index = g.option()
	}
	if g.one(4) {
		c.Delimiter, c.Index = ",", engine.PathOption{}
	}
	return typedStep{split.Factory(), c, fmt.Sprint(c.Path, c.Into, c.Index, c.Delimiter), false}
}

// declaredPaths are those of a schema down to some depth.
func declaredPaths(s *schema.Schema, above record.Path, depth int) []record.Path {
	var out []record.Path
	step := func(next record.Step, t *schema.Schema) {
		p := append(append(record.Path{}, above...), next)
		out = append(out, p)
		if depth > 0 {
			out = append(out, declaredPaths(t, p, depth-1)...)
		}
	}
	switch s.Type {
	case schema.Struct:
		for i := range s.Fields {
			step(record.Step{Name: s.Fields[i].Name}, s.Fields[i].Schema)
		}
	case schema.Union:
		for i := range s.Branches {
			step(record.Step{Name: s.Branches[i].Name}, s.Branches[i].Schema)
		}
	case schema.Array:
		step(record.Step{IsIndex: true}, s.Elem)
	case schema.Map:
		step(record.Step{Name: "k"}, s.Elem)
	}
	return out
}

// typedRun is steps that are bound to one worker.
type typedRun struct {
	t      testing.TB
	bounds []engine.Bound
	rec    *record.Record
}

func (g *stepper) bind(steps []typedStep) *typedRun {
	g.t.Helper()
	l := record.NewLayout()
	l.Value.Add(nil)
	l.Key.Add(nil)
	run := &typedRun{t: g.t}
	for _, s := range steps {
		p, err := s.factory.New(s.config, engine.Env{Now: time.Now})
		if err != nil {
			g.t.Fatal(err)
		}
		b, err := p.Bind(l)
		if err != nil {
			g.t.Fatal(err)
		}
		run.bounds = append(run.bounds, b)
	}
	run.rec = record.NewRecord(l)
	return run
}

// pass hands what the steps make of the record to emit.
func (run *typedRun) pass(emit func(*record.Record) error) error {
	for _, b := range run.bounds {
		switch {
		case isNull(run.t, run.rec.Value) || isNull(run.t, run.rec.Key):
			return nil // nothing is said of what steps make of these
		case b.Step != nil:
			if _, err := b.Step(run.rec); err != nil {
				return err
			}
		case b.Expand != nil:
			return b.Expand(run.rec, emit)
		default:
			w := b.Window()
			if _, err := w.Add(run.rec); err != nil {
				return err
			}
			out := record.NewRecord(record.NewLayout())
			if err := w.Result(out); err != nil {
				return err
			}
			return emit(out)
		}
	}
	return emit(run.rec)
}

// isNull also finds JSON text that reads null.
func isNull(t testing.TB, d *record.Doc) bool { return strings.TrimSpace(text(t, d)) == "null" }

func text(t testing.TB, d *record.Doc) string {
	t.Helper()
	if d.IsNull() {
		return "null"
	}
	raw, err := d.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	if d.Schema() == nil && !record.IsJSON(d.Encoding()) {
		return string(raw)
	}
	out, err := d.Encoding().AppendJSON(nil, raw)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// typedCase checks what is said of one chain of steps, for some records.
func typedCase(t testing.TB, seed uint64) (exact, vague, problems int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	gen := schematest.New(seed, schematest.Options{Depth: 3, Recursive: seed%7 == 0})
	in := engine.Schemas{Key: gen.Schema(), Value: gen.Struct()}
	if seed%5 == 0 {
		in.Key = gen.Struct()
	}
	if in.Key.Type == schema.Any {
		in.Key = schema.New(schema.Int64)
	}
	g := &stepper{t: t, r: r, paths: declaredPaths(in.Value, nil, 2), keys: declaredPaths(in.Key, nil, 1)}
	var steps []typedStep
	for range 1 + r.IntN(3) {
		steps = append(steps, g.step())
	}
	if g.one(6) {
		steps = append(steps, g.lastStep())
	}
	said, trouble := in, 0
	describe := func() string {
		out := "seed " + strconv.FormatUint(seed, 10) + "\nkey " + in.Key.String() + "\nvalue " + in.Value.String()
		for _, s := range steps {
			out += "\n" + s.factory.Type + " " + s.text
		}
		return out
	}
	for _, s := range steps {
		var ps []engine.Problem
		said, ps = s.factory.Schemas(s.config, said)
		trouble += len(ps)
		for _, p := range ps {
			if p.Summary == "" || p.Detail == "" || !strings.HasSuffix(p.Detail, ".") {
				t.Fatalf("%s\nproblem %+v is no sentence", describe(), p)
			}
		}
		for _, x := range []*schema.Schema{said.Key, said.Value} {
			if x == nil {
				continue
			}
			if err := x.Validate(); err != nil {
				t.Fatalf("%s\nsaid %s: %v", describe(), x, err)
			}
		}
	}
	run := g.bind(steps)
	for i := range 6 {
		value, key := gen.Value(in.Value), gen.Value(in.Key)
		run.rec.Value.Reset(record.JSONOf(in.Value), value)
		run.rec.Key.Reset(record.JSONOf(in.Key), key)
		run.rec.Topic, run.rec.Offset, run.rec.Partition = "t", int64(i), 1
		before := text(t, run.rec.Value) + text(t, run.rec.Key)
		if isNull(t, run.rec.Value) || isNull(t, run.rec.Key) {
			continue
		}
		err := run.pass(func(out *record.Record) error {
			if trouble > 0 && len(steps) == 1 && steps[0].alone && text(t, out.Value)+text(t, out.Key) != before {
				t.Fatalf("%s\nhas a problem and changed\n%s\n%s%s", describe(), before, text(t, out.Value), text(t, out.Key))
			}
			for _, part := range []struct {
				name string
				said *schema.Schema
				doc  *record.Doc
			}{{"value", said.Value, out.Value}, {"key", said.Key, out.Key}} {
				if isNull(t, part.doc) {
					continue
				}
				real := part.doc.Schema()
				if !schematest.Covers(part.said, real) {
					t.Fatalf("%s\nof %s\nmade %s %s\nsaid %s\nreal %s", describe(), before, part.name, text(t, part.doc), part.said, real)
				}
				if real == nil {
					continue
				}
				if err := real.Validate(); err != nil {
					t.Fatalf("%s\nmade %s: %v", describe(), real, err)
				}
				if err := schema.Check(real, []byte(text(t, part.doc))); err != nil {
					t.Fatalf("%s\nof %s\nmade %s %s\nwhich is no %s: %v", describe(), before, part.name, text(t, part.doc), real, err)
				}
				if schema.Equal(part.said, real) {
					exact++
				} else {
					vague++
				}
			}
			return nil
		})
		if trouble > 0 {
			problems++
		}
		_ = err // the schema of a record that is refused says nothing
	}
	return exact, vague, problems
}

// TestSchemas holds what processors say of schemas before a run against what
// chains of them make of records.
func TestSchemas(t *testing.T) {
	t.Parallel()
	exact, vague, problems := 0, 0, 0
	for seed := range uint64(3000) {
		e, v, p := typedCase(t, seed)
		exact, vague, problems = exact+e, vague+v, problems+p
	}
	t.Logf("%d schemas are known, %d in part or not; %d records of configs with problems", exact, vague, problems)
	if exact < 3*vague || problems == 0 {
		t.Errorf("only %d of %d schemas are known, and %d records met problems", exact, exact+vague, problems)
	}
}

func FuzzSchemas(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { typedCase(t, seed) })
}
