package playground

import (
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/engine/record"
)

const testConfig = `
variable "limit" {
  default = { low = 1, high = 2 }
}
variable "token" {
  sensitive = true
  default   = { name = "x", password = "hidden-here" }
}
function "twice" {
  params = ["n"]
  result = "n * 2"
}
`

func testSession(tb testing.TB) *Session {
	tb.Helper()
	res := dsl.LoadSources(map[string][]byte{"c.hcl": []byte(testConfig)}, dsl.Options{})
	return &Session{Scope: res.Scope(), Plan: res.Plan, Template: Record{Headers: []record.Header{{Key: "source"}, {Key: "content-type"}}}}
}

func testCompleter(tb testing.TB) *completer {
	tb.Helper()
	s := testSession(tb)
	p := &prompt{Session: s, sample: &sample{records: []Record{
		s.Template.At(1, []byte(`{"id":1,"customer":{"name":"Ada","e-mail":"x"},"items":[{"sku":"A","tags":["x"],"dims":{"w":1}}],"a.b":{"c":1}}`)),
		s.Template.At(2, []byte(`{"id":"2","customer":null}`)),
	}}}
	c := p.newCompleter()
	c.files = func(prefix string) []string { return []string{prefix + "x.json"} }
	return c
}

func TestComplete(t *testing.T) {
	t.Parallel()
	c := testCompleter(t)
	for _, x := range []struct {
		line, word string
		want       []string // values, of which note is behind a space
	}{
		{"value.", "value.", []string{"value.id int or string", "value.customer object or nil", "value.items array of object"}},
		{"1 + value.cust", "value.cust", []string{"value.customer object or nil"}},
		{"value.customer.", "value.customer.", []string{"value.customer.name string"}},
		{"value.customer?.n", "value.customer?.n", []string{"value.customer?.name string"}},
		{"value.customer[", "value.customer[", []string{`value.customer["name"] string`, `value.customer["e-mail"] string`}},
		{`value.customer["e`, `value.customer["e`, []string{`value.customer["e-mail"] string`}},
		{"value.customer['e", "value.customer['e", []string{"value.customer['e-mail'] string"}},
		{`value["a.b"].`, `value["a.b"].`, []string{`value["a.b"].c int`}},
		{"value.items[", "value.items[", []string{"value.items[0] object, the first", "value.items[-1] object, the last"}},
		{"value.items[0].s", "value.items[0].s", []string{"value.items[0].sku string"}},
		{"value.items[0].dims.", "value.items[0].dims.", []string{"value.items[0].dims.w int"}},
		{"map(value.items, .s", ".s", []string{".sku string"}},
		{"map(value.items, #.", "#.", []string{"#.sku string", "#.tags array of string", "#.dims object"}},
		{"any(value.items, .dims.w > 1 and (.t", ".t", []string{".tags array of string"}},
		{"headers.", "headers.", []string{"headers.source string"}},
		{"headers[", "headers[", []string{`headers["source"] string`, `headers["content-type"] string`}},
		{"var.", "var.", []string{"var.limit object", "var.token (secret)"}},
		{"var.limit.", "var.limit.", []string{"var.limit.high int", "var.limit.low int"}},
		{"var.token.", "var.token.", nil},
		{"valu", "valu", []string{"value object", "values( values(obj object) array"}},
		{"twi", "twi", []string{"twice( twice(n)"}},
		{"startsW", "startsW", []string{"startsWith "}},
		{"'value.", "", nil},
		{"1 // value.", "", nil},
		{"12", "", nil},
		{"nothing.", "nothing.", nil},
		{":ne", ":ne", []string{":next go to the next record"}},
		{":type value.id", "value.id", []string{"value.id int or string"}},
		{":doc twi", "twi", []string{"twice twice(n)"}},
		{":load da", "da", []string{"dax.json "}},
		{":nope x", "", nil},
	} {
		word, found := c.complete(x.line)
		var got []string
		for _, f := range found {
			got = append(got, f.value+" "+f.note)
		}
		slices.Sort(got)
		slices.Sort(x.want)
		if word != x.word || !slices.Equal(got, x.want) {
			t.Errorf("%q: %q %q, want %q %q", x.line, word, got, x.word, x.want)
		}
		if strings.Contains(strings.Join(got, ""), "hidden-here") {
			t.Errorf("%q shows a secret", x.line)
		}
	}
	for line, want := range map[string]string{"upper(value.a": "upper", "upper(lower(x), ": "upper", "upper(lower(": "lower", "(1": "", "upper(x)": ""} {
		if f, _ := c.calling(line); f.name != want {
			t.Errorf("%q: in the arguments of %q, want %q", line, f.name, want)
		}
	}
}

// TestCropKeepsTheCommonBeginning: what is left out would otherwise make Tab
// insert letters that not all candidates have.
func TestCropKeepsTheCommonBeginning(t *testing.T) {
	t.Parallel()
	var all []candidate
	for _, v := range []string{"abc1", "abc2", "abc3", "abc4", "abc5", "abd", "ab"} {
		all = append(all, candidate{value: v})
	}
	kept, more := crop(all, 5)
	if len(kept)+more != len(all) || len(kept) > 5 {
		t.Fatalf("%d kept, %d more", len(kept), more)
	}
	for _, must := range []string{"ab", "abd"} {
		if !slices.ContainsFunc(kept, func(c candidate) bool { return c.value == must }) {
			t.Errorf("%q is not kept", must)
		}
	}
}

func TestShapes(t *testing.T) {
	t.Parallel()
	s := testSession(t)
	set := &sample{records: []Record{
		s.Template.At(1, []byte(`{"id":1,"c":{"n":"x"},"items":[{"sku":1},{"sku":"b","q":2}],"e":[],"a b":true}`)),
		s.Template.At(2, []byte(`{"id":2.5,"c":null}`)),
	}}
	value, _ := set.shapes()
	var got []string
	for _, r := range value.rows("value") {
		got = append(got, strings.TrimSpace(r.path+" | "+r.typ+" | "+r.example))
	}
	want := []string{
		"value | object |", "value.id | int or float | 1", "value.c | object or nil |", "value.c.n | string | \"x\"",
		"value.items | array of object, not always there |", "value.items[] | object |", "value.items[].sku | int or string | 1", "value.items[].q | int, not always there | 2",
		"value.e | array, not always there |", `value["a b"] | bool, not always there | true`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
