package processors_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/schematest"
)

// transforms are options of each transform, for %s the part that they are on:
// every option is in one of them, by its name in a config of its own where it
// stands alone.
var transforms = []string{
	`"cast" { fields = { a = "int32", b = "string", "c.d" = "float64", "[\"e.f\"]" = "bool" } }`,
	`"cast" { fields = { a = "string", at = "int64", day = "string", tod = "string", dec = "string", raw = "string", "c.n" = "int8" } }`,
	`"cast" { fields = { a = "int8", b = "float32" }, when = "has(value.c)" }`,
	`"cast" { fields = { a = "int8", b = "bool", "c.d" = "int16", dec = "float32" }, connect = true }`,
	`"cast" { fields = { b = "string", nd = "int32" }, replace_null_with_default = true }`,
	`"cast" { type = "string" }`,
	`"cast" { type = "int8", connect = true, replace_null_with_default = true }`,
	`"drop_headers" { headers = ["h1", "nope"] }`,
	`"drop_headers" { headers = ["h2"], when = "hasHeader('h1') && has(value.a)" }`,
	`"extract_field" { field = "c.d" }`,
	`"extract_field" { field = "[\"e.f\"]", when = "value.a != nil" }`,
	`"extract_field" { field = "a", missing = "null" }`,
	`"extract_field" { field = "c.d.x", missing = "connect" }`,
	`"extract_field" { field = "nd", replace_null_with_default = true }`,
	`"flatten" { delimiter = "_" }`,
	`"flatten" { connect = true }`,
	`"flatten" { when = "has(value.a)" }`,
	`"header_from" { fields = ["a", "c.d", "[\"e.f\"]", "at", "day", "tod", "raw", "c"], headers = ["h1", "x", "y", "at", "day", "tod", "raw", "c"] }`,
	`"header_from" { fields = ["a", "b"], headers = ["h1", "h1"], operation = "move" }`,
	`"header_from" { fields = ["nd", "c.d", "at"], headers = ["nd", "d", "at"], operation = "move", connect = true, replace_null_with_default = true }`,
	`"header_from" { fields = ["c.d"], headers = ["d"], when = "has(value.a)" }`,
	`"hoist_field" { field = "x.y" }`,
	`"hoist_field" { field = "[\"x.y\"]", when = "has(value.a)" }`,
	`"hoist_field" { field = "x", null = "wrap" }`,
	`"insert_field" { topic_field = "meta.topic" }`,
	`"insert_field" { partition_field = "p", offset_field = "a", static_field = "c.s", static_value = "it's \"quoted\"" }`,
	`"insert_field" { timestamp_field = "t", topic_field = "[\"the.topic\"]" }`,
	`"insert_field" { timestamp_field = "t", topic_field = "a", required = ["timestamp"], when = "has(value.a)" }`,
	`"insert_field" { timestamp_field = "t", topic_field = "a", existing = "connect", connect = true }`,
	`"insert_field" { static_field = "a", static_value = "new", existing = "keep", replace_null_with_default = true }`,
	`"insert_header" { header = "h1", value = "v", replace = true }`,
	`"insert_header" { header = "h1", value = "v" }`,
	`"insert_header" { header = "a b", value = "it's", when = "has(value.a)" }`,
	`"mask_field" { fields = ["a", "b", "c.d", "at", "day", "tod", "u", "raw", "fix", "list", "all", "dec"] }`,
	`"mask_field" { fields = ["a", "[\"e.f\"]"], replacement = "17" }`,
	`"mask_field" { fields = ["b"], replacement = "it's", when = "has(value.a)" }`,
	`"mask_field" { fields = ["a", "b", "c.d"], replacement = "1.5", connect = true }`,
	`"mask_field" { fields = ["nd", "c.d"], connect = true, replace_null_with_default = true }`,
	`"regex_router" { regex = "orders-(.*)", replacement = "new-$1" }`,
	`"regex_router" { regex = "a|orders|orders-(.*)", replacement = "new-$1", connect = true }`,
	`"regex_router" { regex = ".*", replacement = "new", topics = ["new"], when = "has(value.a)" }`,
	`"replace_field" { exclude = ["a", "c.d"], renames = { b = "z" } }`,
	`"replace_field" { include = ["a", "c.d", "[\"e.f\"]"], when = "has(value.c)" }`,
	`"replace_field" { renames = { a = "b", b = "a", "c.d" = "d" } }`,
	`"replace_field" { include = ["a", "b", "nd"], renames = { a = "b", "[\"e.f\"]" = "nd" }, connect = true, replace_null_with_default = true }`,
	`"set_schema_metadata" { schema_name = "shop.Order", schema_version = 2 }`,
	`"set_schema_metadata" { schema_doc = "it's", schema_parameters = { owner = "shop", "a b" = "x" }, connect = true, replace_null_with_default = true }`,
	`"set_schema_metadata" { schema_version = 3, when = "has(value.a)" }`,
	`"timestamp_converter" { field = "a", target = "string", format = "yyyy-MM-dd HH:mm:ss.SSS", zone = "Europe/Berlin" }`,
	`"timestamp_converter" { field = "a", target = "unix", unix_precision = "seconds" }`,
	`"timestamp_converter" { field = "b", target = "timestamp", when = "has(value.a)" }`,
	`"timestamp_converter" { field = "at", target = "date", zone = "Europe/Berlin" }`,
	`"timestamp_converter" { field = "at", target = "time", replace_null_with_default = true }`,
	`"timestamp_converter" { field = "day", target = "unix" }`,
	`"timestamp_converter" { field = "a", target = "time", connect = true }`,
	`"timestamp_converter" { target = "date" }`,
	`"timestamp_router" { timestamp_format = "yyyy.MM" }`,
	`"timestamp_router" { topic_format = "x-[timestamp]", timestamp_format = "HH", zone = "Europe/Berlin", when = "has(value.a)" }`,
	`"value_to_key" { fields = ["a", "c.d", "day"] }`,
	`"value_to_key" { fields = ["a"], unwrap = true, missing = "null" }`,
	`"value_to_key" { fields = ["nd", "[\"e.f\"]"], missing = "connect", replace_null_with_default = true, when = "offset == 42" }`,
}

// onParts are the configs on both parts, as blocks.
func onParts() []string {
	var out []string
	for _, text := range transforms {
		name, body, _ := strings.Cut(text, " { ")
		options := splitOptions(strings.TrimSuffix(body, " }"))
		block := func(options []string) string {
			return "processor " + name + " \"x\" {\n  " + strings.Join(options, "\n  ") + "\n}"
		}
		out = append(out, block(options))
		switch strings.Trim(name, `"`) {
		case "drop_headers", "insert_header", "regex_router", "timestamp_router", "value_to_key":
		default:
			out = append(out, block(append([]string{`on = "key"`}, options...)))
		}
	}
	return out
}

// splitOptions splits at commas outside of brackets and texts.
func splitOptions(text string) []string {
	var out []string
	depth, quoted, from := 0, false, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			depth++
		case c == '}', c == ']':
			depth--
		case c == ',' && depth == 0:
			out = append(out, strings.TrimSpace(text[from:i]))
			from = i + 1
		}
	}
	return append(out, strings.TrimSpace(text[from:]))
}

var equalTopics = []string{"new", "new-a", "new-b-c", "orders-a-2023.11", "orders-b-c-2023.11", "x-2023.11", "-2023.11", "x-22", "x-23", "new-rders-a", "new-rders-b-c", "new--a", "new--b-c"}

// TestTransformsHaveAllOptions fails for an option that no config above has.
func TestTransformsHaveAllOptions(t *testing.T) {
	t.Parallel()
	all := strings.Join(onParts(), "\n")
	reg := newForms(t, nil).reg
	seen := 0
	for _, name := range slices.Sorted(maps.Keys(reg.Processors)) {
		if reg.Processors[name].Equal == nil {
			continue
		}
		seen++
		spec, err := engine.Describe(reg.Processors[name].Defaults())
		if err != nil {
			t.Fatal(err)
		}
		for _, option := range spec.Names() {
			if !hasOption(all, name, option) {
				t.Errorf("%s: no config has %s", name, option)
			}
		}
	}
	if seen != 15 {
		t.Errorf("%d processors have an expression form, want 15", seen)
	}
}

func hasOption(all, processor, option string) bool {
	for block := range strings.SplitSeq(all, "processor ") {
		if strings.HasPrefix(block, `"`+processor+`"`) && strings.Contains(block, "\n  "+option+" =") {
			return true
		}
	}
	return false
}

// given is a record that both forms get.
type given struct {
	part  []byte
	typed *schema.Schema
	topic string
}

func (s given) load(r *record.Record) {
	r.Value.Reset(record.JSONOf(s.typed), s.part)
	r.Key.Reset(record.JSONOf(s.typed), s.part)
	r.Topic, r.Partition, r.Offset = s.topic, 3, 42
	r.HasTimestamp, r.Timestamp = s.topic != "x", 1_700_000_000_123_456_789
	r.ResetHeaders([]record.Header{{Key: "h1", Value: []byte("1")}, {Key: "h2", Value: []byte("2")}, {Key: "h1", Value: []byte("3")}})
}

var samples = []string{
	`null`, `{}`, `[]`, `"text"`, `5`, ` null `,
	`{"a":1,"b":"x","c":{"d":2.5},"e.f":true}`,
	`{"a":300,"b":1.25,"c":{"d":"7"},"e.f":"FALSE"}`,
	`{"a":"12","b":null,"c":null}`,
	`{"a":"2023-11-14T22:13:20.5Z","b":"2023-11-14T22:13:20+01:00","c":{"d":[1]},"at":1700000000123,"nd":null}`,
	`{"a":"2023-11-14 22:13:20.123","b":[1],"c":{"e":{}},"at":"2023-11-14T22:13:20Z","day":5}`,
	`{"a":1700000000123,"b":{"x":1},"c":{"d":{"x":[]}},"e.f":0,"raw":"YWI=","list":[1,2],"all":{"k":1}}`,
	`{"a":-9223372036854775808,"b":9223372036854775808,"c":{"d":"x"}}`,
	`{"a":true,"b":false,"c":{"d":true},"tod":"x","dec":1.50}`,
	`{"a":1e3,"b":-0.0,"c":{"d":1e400}}`,
	`{"c":5}`, `{"c":{"d":{"x":null}}}`,
	`{"a":1.5,"a":2}`,
	`{"a":`,
}

// orders is a schema of the fields that the configs name.
func orders(t testing.TB) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(`struct Order{a int64, b string?, c struct{d float64?, n int16, s string?}?, at timestamp(ms), day date, tod time(ms)?, dec decimal(10,2), u uuid, raw bytes, fix bytes?, list array<int32>, all map<string, int64>, en enum(A, B)?, any any?}`)
	if err != nil {
		t.Fatal(err)
	}
	s.Fields = append(s.Fields, schema.F("e.f", schema.New(schema.Bool)), schema.F("nd", schema.New(schema.Int64).AsOptional().WithDefault("7")))
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	return s
}

// pair is a config and what it is as expressions.
type pair struct {
	block      string
	own, equal *form
	r, e       *record.Record
}

func pairs(t testing.TB) []*pair {
	t.Helper()
	forms := newForms(t, equalTopics)
	var out []*pair
	for _, block := range onParts() {
		own, equal, ok := forms.both([]string{block})
		if !ok {
			_, err := forms.load([]string{block})
			t.Fatal(err)
		}
		out = append(out, &pair{block, own, equal, record.NewRecord(own.layout), record.NewRecord(equal.layout)})
	}
	return out
}

func (p *pair) agree(t *testing.T, s given) (end string) {
	t.Helper()
	s.load(p.r)
	s.load(p.e)
	want := p.own.run(p.r)
	if d := p.equal.run(p.e).differs(want); d != "" {
		t.Errorf("%s\nas %s\nof %s\n%s", p.block, strings.Join(p.equal.blocks, ""), s.part, d)
	}
	return want.end
}

// TestTransformsAreExpressions compares transforms with what flow explain shows
// as the same, with a schema and without.
func TestTransformsAreExpressions(t *testing.T) {
	t.Parallel()
	typed := orders(t)
	gen := schematest.New(1, schematest.Options{})
	for _, p := range pairs(t) {
		done := map[bool]int{}
		for _, text := range samples {
			for _, topic := range []string{"orders-a", "orders-b-c", "x", ""} {
				s := given{part: []byte(text), topic: topic}
				if text == "null" {
					s.part = nil
				}
				p.agree(t, s)
			}
		}
		for range 40 {
			s := given{part: gen.Value(typed), typed: typed, topic: "orders-a"}
			done[p.agree(t, s) == ""]++
		}
		if done[true] == 0 && !strings.Contains(p.block, "connect") && !strings.Contains(p.block, "type = ") && !strings.Contains(p.block, "  target = ") && !strings.Contains(p.block, "17") {
			t.Errorf("%s\nrefuses all records of the schema", p.block)
		}
	}
}

// FuzzTransformsAreExpressions does the same with any record.
func FuzzTransformsAreExpressions(f *testing.F) {
	all, typed := pairs(f), orders(f)
	for i, text := range samples {
		f.Add([]byte(text), uint8(i), uint64(0))
		f.Add([]byte(nil), uint8(i), uint64(i+1))
	}
	f.Fuzz(func(t *testing.T, value []byte, which uint8, seed uint64) {
		s := given{part: bytes.Clone(value), topic: "orders-a"}
		if seed > 0 {
			s.typed, s.part = typed, schematest.New(seed, schematest.Options{}).Value(typed)
		}
		all[int(which)%len(all)].agree(t, s)
	})
}
