package processors_test

import (
	"log/slog"
	"regexp"
	"testing"
	"time"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/processors/cast"
	"github.com/flowrecords/flow/processors/dedupe"
	"github.com/flowrecords/flow/processors/filter"
	"github.com/flowrecords/flow/processors/flatten"
	"github.com/flowrecords/flow/processors/logging"
	"github.com/flowrecords/flow/processors/mapping"
	"github.com/flowrecords/flow/processors/ratelimit"
	"github.com/flowrecords/flow/processors/redact"
	"github.com/flowrecords/flow/processors/replacefield"
	"github.com/flowrecords/flow/processors/route"
	"github.com/flowrecords/flow/processors/sample"
	"github.com/flowrecords/flow/processors/split"
	"github.com/flowrecords/flow/processors/timestampconverter"
	"github.com/flowrecords/flow/processors/window"
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
		"dedupe": {dedupe.Factory(), func(t *testing.T) any {
			c := dedupe.Defaults()
			c.By = expression(t, "value.id", expr.WantAny)
			return c
		}, []enginetest.ProcessorExample{
			{Name: "first", In: rec(`{"id":1}`), Want: []enginetest.Emitted{out("", `{"id":1}`)}},
			{Name: "refuse", In: rec(`{"id":null}`), Err: true},
		}},
		"batch": {window.Factory(), func(*testing.T) any { return window.Defaults() }, []enginetest.ProcessorExample{
			{Name: "one", In: rec(`{"id": 1}`), Want: []enginetest.Emitted{out("", `[{"id": 1}]`)}},
			{Name: "null", In: enginetest.Record{}, Want: []enginetest.Emitted{out("", `[null]`)}},
			{Name: "text", In: rec("a\n\"b"), Encoding: record.Text, Want: []enginetest.Emitted{out("", `["a\n\"b"]`)}},
			{Name: "refuse", In: rec(`{"id":`), Err: true},
		}},
		"redact": {redact.Factory(), func(*testing.T) any {
			c := redact.Defaults()
			c.Fields, c.Values = []engine.Pattern{{Regexp: regexp.MustCompile("secret")}}, []string{"email"}
			return c
		}, []enginetest.ProcessorExample{
			{Name: "field", In: rec(`{"a":{"secret":1}}`), Want: []enginetest.Emitted{out("", `{"a":{"secret":"[redacted]"}}`)}},
			{Name: "text", In: rec("me@example.com"), Encoding: record.Text, Want: []enginetest.Emitted{out("", "[redacted]")}},
			{Name: "nothing", In: rec(`{ "a" : 1 }`), Want: []enginetest.Emitted{out("", `{ "a" : 1 }`)}},
			{Name: "refuse", In: rec(`{"a":`), Err: true},
		}},
		"sample": {sample.Factory(), func(t *testing.T) any {
			return &sample.Config{Rate: 1, By: expression(t, "value.id", expr.WantAny)}
		}, []enginetest.ProcessorExample{
			{Name: "pass", In: rec(`{"id":1}`), Want: []enginetest.Emitted{out("", `{"id":1}`)}},
			{Name: "refuse", In: rec(`{"id":`), Err: true},
		}},
		"log": {logging.Factory(), func(t *testing.T) any {
			c := logging.Defaults()
			c.Fields = engine.NamedExpressions{{Name: "id", Expr: expression(t, "value.id + 1", expr.WantAny)}}
			return c
		}, []enginetest.ProcessorExample{
			{Name: "pass", In: rec(`{"id":1}`), Want: []enginetest.Emitted{out("", `{"id":1}`)}},
			{Name: "pass what cannot be logged", In: rec(`{"id":`), Want: []enginetest.Emitted{out("", `{"id":`)}},
		}},
		"cast": {cast.Factory(), func(*testing.T) any {
			c := cast.Defaults()
			c.Fields = map[string]string{"n": "int8", "m": "string"}
			return c
		}, []enginetest.ProcessorExample{
			{Name: "change", In: rec(`{"n":"7","m":1.50}`), Want: []enginetest.Emitted{out("", `{"n":7,"m":"1.50"}`)}},
			{Name: "refuse after an edit", In: rec(`{"m":1,"n":300}`), Err: true},
		}},
		"flatten": {flatten.Factory(), func(*testing.T) any { return flatten.Defaults() }, []enginetest.ProcessorExample{
			{Name: "change", In: rec(`{"a":{"b":1,"c":{}},"d":[{"e":2}]}`), Want: []enginetest.Emitted{out("", `{"a.b":1,"a.c":{},"d":[{"e":2}]}`)}},
			{Name: "the last of a name", In: rec(`{"a":{"b":1},"a":{"c":2}}`), Want: []enginetest.Emitted{out("", `{"a.c":2}`)}},
			{Name: "refuse two of a name", In: rec(`{"a":{"b":1},"a.b":2}`), Err: true},
			{Name: "refuse what is no object", In: rec(`[1]`), Err: true},
		}},
		"replace_field": {replacefield.Factory(), func(t *testing.T) any {
			c := replacefield.Defaults()
			c.Exclude = paths(t, "x")
			c.Renames = engine.Renames{{From: path(t, "a"), To: path(t, "b")}, {From: path(t, "b"), To: path(t, "a")}, {From: path(t, "c"), To: path(t, "s.c")}}
			return c
		}, []enginetest.ProcessorExample{
			{Name: "change places", In: rec(`{"a":1,"x":0,"b":2}`), Want: []enginetest.Emitted{out("", `{"b":1,"a":2}`)}},
			{Name: "refuse after edits", In: rec(`{"a":1,"b":2,"c":3,"s":"text"}`), Err: true},
		}},
		"timestamp_converter": {timestampconverter.Factory(), func(t *testing.T) any {
			c := timestampconverter.Defaults()
			c.Field, c.Target, c.Format = paths(t, "at")[0], "unix", "dd.MM.yyyy HH:mm:ss.SSSSSS"
			c.Precision, c.Zone = "microseconds", "Europe/Berlin"
			return c
		}, []enginetest.ProcessorExample{
			{Name: "read", In: rec(`{"at":"14.11.2023 23:13:20.123456"}`), Want: []enginetest.Emitted{out("", `{"at":1700000000123456}`)}},
			{Name: "null", In: rec(`{"at":null}`), Want: []enginetest.Emitted{out("", `{"at":null}`)}},
			{Name: "refuse more text", In: rec(`{"at":"14.11.2023 23:13:20.123456Z"}`), Err: true},
			{Name: "refuse a month", In: rec(`{"at":"14.13.2023 23:13:20.123456"}`), Err: true},
		}},
		"rate_limit": {ratelimit.Factory(), func(*testing.T) any {
			c := ratelimit.Defaults()
			c.Records, c.Bytes = 1_000_000, 1<<30
			return c
		}, []enginetest.ProcessorExample{
			{Name: "pass", In: rec(`{"id":`), Want: []enginetest.Emitted{out("", `{"id":`)}},
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			enginetest.RunProcessor(t, enginetest.ProcessorCase{
				New: func(t *testing.T) engine.Processor {
					p, err := c.factory.New(c.config(t), engine.Env{Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
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
