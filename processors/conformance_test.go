package processors_test

import (
	"testing"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/processors/filter"
	"github.com/flowrecords/flow/processors/mapping"
	"github.com/flowrecords/flow/processors/route"
	"github.com/flowrecords/flow/processors/split"
)

// TestConformance runs the suite of every processor.
func TestConformance(t *testing.T) {
	t.Parallel()
	rec := func(v string) enginetest.Record { return enginetest.Record{Value: []byte(v)} }
	out := func(port, v string) enginetest.Emitted { return enginetest.Emitted{Port: port, Record: rec(v)} }
	cases := map[string]struct {
		factory  engine.ProcessorFactory
		config   func(t *testing.T) any
		examples []enginetest.ProcessorExample
	}{
		"filter": {filter.Factory(), func(t *testing.T) any {
			return &filter.Config{Where: expression(t, "value.n > 1", expr.WantBool)}
		}, []enginetest.ProcessorExample{
			{Name: "keep", In: rec(`{"n":2}`), Want: []enginetest.Emitted{out("", `{"n":2}`)}},
			{Name: "drop", In: rec(`{"n":1}`)},
			{Name: "refuse", In: rec(`{"n":"x"}`), Err: true},
		}},
		"map": {mapping.Factory(), func(t *testing.T) any {
			return &mapping.Config{Set: sets(t, "n", "value.n + 1", "new.m", "value.n"), Remove: paths(t, "gone")}
		}, []enginetest.ProcessorExample{
			{Name: "change", In: rec(`{"gone":0,"n":2}`), Want: []enginetest.Emitted{out("", `{"n":3,"new":{"m":2}}`)}},
			{Name: "refuse an expression", In: rec(`{"n":"x"}`), Err: true},
			{Name: "refuse an edit", In: rec(`{"gone":1,"n":2,"new":5}`), Err: true},
		}},
		"route": {route.Factory(), func(t *testing.T) any {
			return &route.Config{Mode: "first", Cases: []route.Case{{Port: "big", When: expression(t, "value.n > 9", expr.WantBool)}}}
		}, []enginetest.ProcessorExample{
			{Name: "port", In: rec(`{"n":10}`), Want: []enginetest.Emitted{out("big", `{"n":10}`)}},
			{Name: "main", In: rec(`{"n":1}`), Want: []enginetest.Emitted{out("", `{"n":1}`)}},
			{Name: "refuse", In: rec(`{"n":"x"}`), Err: true},
		}},
		"split": {split.Factory(), func(t *testing.T) any {
			c := split.Defaults()
			c.Path, c.Into, c.MaxParts = paths(t, "items")[0], paths(t, "item")[0], 3
			return c
		}, []enginetest.ProcessorExample{
			{Name: "parts", In: rec(`{"id":1,"items":[1,2]}`), Want: []enginetest.Emitted{out("", `{"id":1,"item":1}`), out("", `{"id":1,"item":2}`)}},
			{Name: "empty", In: rec(`{"id":1,"items":[]}`)},
			{Name: "refuse after some parts", In: rec(`{"id":1,"items":[1,2,3,4]}`), Err: true},
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			enginetest.RunProcessor(t, enginetest.ProcessorCase{
				New: func(t *testing.T) engine.Processor {
					p, err := c.factory.New(c.config(t), engine.Env{})
					if err != nil {
						t.Fatal(err)
					}
					return p
				},
				Examples: c.examples,
			})
		})
	}
}
