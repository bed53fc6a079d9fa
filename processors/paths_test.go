package processors_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// place is where a field lies that a transform works on.
type place struct {
	name   string
	option string                              // the path as options write it
	with   func(field string) string           // a record that has the field, or "" not
	of     func(t *schema.Schema) schema.Field // of a schema
}

func around(name string) func(string) string {
	return func(field string) string {
		if field == "" {
			return `{"z":1}`
		}
		return `{"z":1,"` + name + `":` + field + `}`
	}
}

var places = []place{
	{"plain", `a`, around("a"), func(t *schema.Schema) schema.Field { return schema.F("a", t) }},
	{"nested", `c.a`, func(field string) string {
		if field == "" {
			return `{"z":1,"c":{}}`
		}
		return `{"z":1,"c":{"a":` + field + `}}`
	}, func(t *schema.Schema) schema.Field { return schema.F("c", schema.NewStruct("", schema.F("a", t))) }},
	{"literal", `[\"c.a\"]`, around("c.a"), func(t *schema.Schema) schema.Field { return schema.F("c.a", t) }},
}

// fieldCase is what a transform makes of one field, wherever it lies.
type fieldCase struct {
	name  string
	block string // %s is the path
	typ   *schema.Schema
	in    string // the field as it comes, "" for none
	want  string // as it is then; "" for none
	// instead of want: what the part as a whole, the key or a header becomes.
	whole, key, header string
	fails              bool
}

var (
	numberType = schema.New(schema.Int64).AsOptional()
	stringType = schema.New(schema.String).AsOptional()
)

var fieldCases = []fieldCase{
	{name: "cast", block: `"cast" { fields = { "%s" = "string" } }`, typ: numberType, in: `5`, want: `"5"`},
	{name: "cast null", block: `"cast" { fields = { "%s" = "string" } }`, typ: numberType, in: `null`, want: `null`},
	{name: "cast missing", block: `"cast" { fields = { "%s" = "string" } }`},
	{name: "cast error", block: `"cast" { fields = { "%s" = "int8" } }`, typ: numberType, in: `300`, fails: true},
	{name: "mask", block: `"mask_field" { fields = ["%s"] }`, typ: stringType, in: `"x"`, want: `""`},
	{name: "mask null", block: `"mask_field" { fields = ["%s"] }`, typ: stringType, in: `null`, want: `null`},
	{name: "mask missing", block: `"mask_field" { fields = ["%s"] }`},
	{name: "mask error", block: `"mask_field" { fields = ["%s"], replacement = "x" }`, typ: numberType, in: `5`, fails: true},
	{name: "time", block: `"timestamp_converter" { field = "%s", target = "string", format = "yyyy" }`, typ: numberType, in: `1700000000000`, want: `"2023"`},
	{name: "time null", block: `"timestamp_converter" { field = "%s", target = "date" }`, typ: numberType, in: `null`, want: `null`},
	{name: "time missing", block: `"timestamp_converter" { field = "%s", target = "date" }`},
	{name: "time error", block: `"timestamp_converter" { field = "%s", target = "date" }`, typ: stringType, in: `"x"`, fails: true},
	{name: "insert", block: `"insert_field" { static_field = "%s", static_value = "s" }`, typ: stringType, in: `"x"`, want: `"s"`},
	{name: "insert null", block: `"insert_field" { static_field = "%s", static_value = "s" }`, typ: stringType, in: `null`, want: `"s"`},
	{name: "insert missing", block: `"insert_field" { static_field = "%s", static_value = "s", existing = "keep" }`, in: ``, want: `"s"`},
	{name: "insert keep", block: `"insert_field" { static_field = "%s", static_value = "s", existing = "keep" }`, typ: stringType, in: `null`, want: `null`},
	{name: "exclude", block: `"replace_field" { exclude = ["%s"] }`, typ: stringType, in: `"x"`},
	{name: "exclude null", block: `"replace_field" { exclude = ["%s"] }`, typ: stringType, in: `null`},
	{name: "exclude missing", block: `"replace_field" { exclude = ["%s"] }`},
	{name: "include", block: `"replace_field" { include = ["z", "%s"] }`, typ: stringType, in: `"x"`, want: `"x"`},
	{name: "rename", block: `"replace_field" { renames = { "%s" = "n" }, exclude = ["z", "c.none"] }`, typ: numberType, in: `null`, whole: `"n":null`},
	{name: "extract", block: `"extract_field" { field = "%s" }`, typ: numberType, in: `5`, whole: `5`},
	{name: "extract null", block: `"extract_field" { field = "%s" }`, typ: numberType, in: `null`, whole: `null`},
	{name: "extract missing", block: `"extract_field" { field = "%s" }`, fails: true},
	{name: "copy", block: `"header_from" { fields = ["%s"], headers = ["h"] }`, typ: numberType, in: `5`, want: `5`, header: "h:5"},
	{name: "move", block: `"header_from" { fields = ["%s"], headers = ["h"], operation = "move" }`, typ: stringType, in: `"x"`, header: "h:x"},
	{name: "move null", block: `"header_from" { fields = ["%s"], headers = ["h"], operation = "move" }`, typ: stringType, in: `null`, header: "h:<null>"},
	{name: "move missing", block: `"header_from" { fields = ["%s"], headers = ["h"], operation = "move" }`},
	{name: "key", block: `"value_to_key" { fields = ["%s"], unwrap = true }`, typ: numberType, in: `5`, want: `5`, key: `5`},
	{name: "key null", block: `"value_to_key" { fields = ["%s"], unwrap = true }`, typ: numberType, in: `null`, want: `null`, key: `null`},
	{name: "key missing", block: `"value_to_key" { fields = ["%s"] }`, fails: true},
	{name: "flatten", block: `"flatten" {}`, typ: numberType, in: `5`, whole: `flat`},
	{name: "flatten null", block: `"flatten" {}`, typ: numberType, in: `null`, whole: `flat`},
	{name: "hoist", block: `"hoist_field" { field = "%s" }`, typ: numberType, in: `5`, whole: `hoisted`},
	{name: "metadata", block: `"set_schema_metadata" { schema_name = "N" }`, typ: numberType, in: `null`, want: `null`},
}

// TestPaths runs each transform on a field at every kind of path, of the value and
// of the key, with a schema and without, where when holds and where it does not,
// and on tombstones.
func TestPaths(t *testing.T) {
	t.Parallel()
	forms := newForms(t, nil)
	for _, c := range fieldCases {
		for _, p := range places {
			for _, on := range []string{"value", "key"} {
				if on == "key" && strings.Contains(c.block, "value_to_key") {
					continue
				}
				for _, when := range []string{"", "true", "false"} {
					own, equal, ok := forms.both([]string{block(c, p, on, when)})
					if !ok {
						t.Fatalf("%s: %s", c.name, block(c, p, on, when))
					}
					for _, typed := range []bool{false, true} {
						for _, f := range []*form{own, equal} {
							c.run(t, f, p, on, typed, when != "false")
						}
					}
				}
			}
		}
	}
}

func block(c fieldCase, p place, on, when string) string {
	text := c.block
	if strings.Contains(text, "%s") {
		text = fmt.Sprintf(text, p.option)
	}
	name, body, _ := strings.Cut(text, " {")
	options := splitOptions(strings.Trim(strings.TrimSuffix(body, "}"), " "))
	if on == "key" {
		options = append(options, `on = "key"`)
	}
	if when != "" {
		options = append(options, fmt.Sprintf(`when = "offset == 42 && %s"`, when))
	}
	return "processor " + name + " \"x\" {\n  " + strings.Join(options, "\n  ") + "\n}"
}

func (c fieldCase) run(t *testing.T, f *form, p place, on string, typed, applies bool) {
	t.Helper()
	id := fmt.Sprintf("%s, %s, on %s, schema %t, applies %t\n%s", c.name, p.name, on, typed, applies, strings.Join(f.blocks, ""))
	var s *schema.Schema
	if typed {
		s = schema.NewStruct("T", schema.F("z", schema.New(schema.Int64)))
		if c.typ != nil {
			s.Fields = append(s.Fields, p.of(c.typ))
		} else if p.name == "nested" {
			s.Fields = append(s.Fields, schema.F("c", schema.NewStruct("")))
		}
	}
	load := func(r *record.Record, text []byte) *record.Doc {
		part, other := r.Value, r.Key
		if on == "key" {
			part, other = r.Key, r.Value
		}
		other.Reset(record.JSON, []byte(`"other"`))
		part.Reset(record.JSONOf(s), text)
		r.ResetHeaders(nil)
		r.Offset = 42
		return part
	}
	r := record.NewRecord(f.layout)
	in := p.with(c.in)
	part := load(r, []byte(in))
	got := f.run(r)
	if refused := c.fails || c.name == "metadata" && !typed; refused && applies {
		if !got.failed() {
			t.Errorf("%s\nof %s: %+v, want an error", id, in, got)
		}
		if after := text(t, part); after != in {
			t.Errorf("%s\nof %s: the refused record is %s", id, in, after)
		}
		return
	}
	result := text(t, part)
	want := p.with(c.want)
	switch {
	case !applies:
		want = in
	case c.whole == "flat" && p.name == "nested":
		want = `{"z":1,"c.a":` + c.in + `}`
	case c.whole == "flat":
		want = in
	case c.whole == "hoisted":
		want = map[string]string{"plain": `{"a":` + in + `}`, "nested": `{"c":{"a":` + in + `}}`, "literal": `{"c.a":` + in + `}`}[p.name]
	case strings.HasPrefix(c.whole, `"`): // a member
		want = map[bool]string{true: `{"c":{},` + c.whole + `}`, false: `{` + c.whole + `}`}[p.name == "nested"]
	case c.whole != "":
		want = c.whole
	}
	if got.failed() || result != want {
		t.Errorf("%s\nof %s: %s %s, want %s", id, in, got.end, result, want)
	}
	header := ""
	for _, h := range r.Headers() {
		header = h.Key + ":" + string(h.Value)
		if h.Value == nil {
			header = h.Key + ":<null>"
		}
	}
	if applies && header != c.header {
		t.Errorf("%s\nof %s: header %q, want %q", id, in, header, c.header)
	}
	if applies && c.key != "" && text(t, r.Key) != c.key {
		t.Errorf("%s\nof %s: key %s, want %s", id, in, text(t, r.Key), c.key)
	}
	if _, err := schemaHolds(part); err != nil {
		t.Errorf("%s\nof %s: made %s, which is no %s: %v", id, in, result, part.Schema(), err)
	}

	part = load(r, nil)
	if end := f.run(r); end.end != "" || !part.IsNull() || len(r.Headers()) > 0 {
		t.Errorf("%s\na tombstone became %+v %s", id, end, text(t, part))
	}
}

func schemaHolds(d *record.Doc) (bool, error) {
	if d.Schema() == nil || d.IsNull() {
		return false, nil
	}
	text, err := d.AppendTo(nil)
	if err != nil {
		return false, err
	}
	return true, schema.Check(d.Schema(), text)
}
