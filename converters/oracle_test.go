package converters_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/converters"
	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/connect"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	connectschema "github.com/flowrecords/flow/engine/schema/connect"
	"github.com/flowrecords/flow/inputs/generate"
	"github.com/flowrecords/flow/internal/oracle"
	"github.com/flowrecords/flow/outputs/drop"
)

// tally counts the cases of one section of docs/connect-differences.md.
type tally struct {
	listed               []*oracle.Difference
	count, equal, beyond int
}

func newTally(t *testing.T, section string) *tally {
	t.Helper()
	text, err := os.ReadFile("../docs/connect-differences.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, there := bytes.Cut(text, []byte("\n## "+section+"\n"))
	if !there {
		t.Fatalf("docs/connect-differences.md has no section %s", section)
	}
	table, _, _ = bytes.Cut(table, []byte("\n## "))
	y := &tally{}
	if y.listed, err = oracle.ParseDifferences(table); err != nil {
		t.Fatal(err)
	}
	return y
}

// add counts a case and how flow differs from Java in it, "" if it does not.
func (y *tally) add(t *testing.T, name, diff string) {
	t.Helper()
	if diff == "" {
		y.equal++
		return
	}
	rows := 0
	for _, d := range y.listed {
		if d.Match(name) {
			d.Used++
			rows++
		}
	}
	if rows == 0 {
		t.Errorf("%s: %s", name, diff)
	}
}

// end says how many there were, of which least must be equal.
func (y *tally) end(t *testing.T, least int) {
	t.Helper()
	for _, d := range y.listed {
		if d.Used == 0 {
			t.Errorf("docs/connect-differences.md: no case of %s differs", d.Pattern)
		}
	}
	t.Logf("%d cases: %d equal, %d of values that JSON without a schema cannot hold", y.count, y.equal, y.beyond)
	if y.equal < least {
		t.Errorf("only %d cases are equal", y.equal)
	}
}

// answers loads the cases of some operations, in the order of their names.
func answers(t *testing.T, ops ...oracle.Op) []oracle.Answered {
	t.Helper()
	all, err := oracle.Load("../testdata/oracle")
	if err != nil {
		t.Fatal(err)
	}
	var out []oracle.Answered
	for _, file := range slices.Sorted(maps.Keys(all)) {
		for _, c := range all[file] {
			if slices.Contains(ops, c.Op) {
				out = append(out, c)
			}
		}
	}
	return out
}

// TestOracle compares the converters with Kafka Connect's own.
func TestOracle(t *testing.T) {
	t.Parallel()
	cases, y := answers(t, oracle.ToConnect, oracle.FromConnect), newTally(t, "Converters")
	translated := newTranslator(t, "value.converter", "value")
	for _, c := range cases {
		y.count++
		conv, err := translated.of(t, c.Case, c.Op == oracle.ToConnect)
		switch {
		case err != nil || c.Result.Error != nil && c.Result.Error.Stage == "configure":
			y.add(t, c.Name, configured(c.Result, err))
		case c.Op == oracle.ToConnect:
			y.add(t, c.Name, read(t, conv, c))
		case !representable(*c.Data):
			y.beyond++
		default:
			y.add(t, c.Name, write(conv, c))
		}
	}
	y.end(t, 700)
}

// configured compares an error in the options of a converter with Java's, when
// there is one of them.
func configured(want oracle.Result, err error) string {
	diff := failures(want, "configure", err)
	if err == nil {
		diff = "is no error when it is configured, Java: " + want.Error.Message
	}
	return diff
}

// translator makes the converters that the translations of options say.
type translator struct {
	reg           *engine.Registry
	option, block string
	made          map[string]engine.Converter
}

func newTranslator(t testing.TB, option, block string) *translator {
	t.Helper()
	reg, err := engine.NewRegistry(engine.Components{Inputs: []engine.InputFactory{generate.Factory()}, Outputs: []engine.OutputFactory{drop.Factory()}, Converters: converters.All()})
	if err != nil {
		t.Fatal(err)
	}
	return &translator{reg, option, block, map[string]engine.Converter{}}
}

// of returns the converter of a case; nil where the translation has no block.
func (r *translator) of(t *testing.T, c oracle.Case, reading bool) (engine.Converter, error) {
	t.Helper()
	props := map[string]string{r.option: c.Converter.Class}
	for k, v := range c.Converter.Config {
		props[r.option+"."+k] = v
	}
	element, findings := connect.Converter(props, r.option, reading)
	for _, f := range findings {
		if f.Severity == connect.Mistake {
			return nil, fmt.Errorf("%v", findings)
		}
	}
	if element.Type == "" {
		return nil, nil
	}
	return r.converter(t, element.ConverterHCL(r.block)), nil
}

// converter makes the converter of a block.
func (r *translator) converter(t testing.TB, block string) engine.Converter {
	t.Helper()
	if conv := r.made[block]; conv != nil {
		return conv
	}
	res := dsl.LoadSources(map[string][]byte{"case.hcl": []byte("pipeline \"p\" {\n  input \"generate\" \"in\" {\n    value = \"1\"\n  }\n\n  output \"drop\" \"out\" {\n" + block + "\n  }\n}\n")}, dsl.Options{Registry: r.reg})
	if res.Diags.HasErrors() {
		t.Fatalf("%v\n%s", res.Diags, block)
	}
	out := res.Plan.Pipelines[0].Elements[1]
	conv := out.Value
	if r.block == "header_values" {
		conv = out.Headers
	}
	r.made[block] = conv
	return conv
}

// failures compares an error with Java's.
func failures(want oracle.Result, stage string, err error) string {
	switch {
	case err == nil && want.Error == nil:
		return ""
	case want.Error == nil:
		return fmt.Sprintf("fails to %s: %v", stage, err)
	case err == nil:
		return fmt.Sprintf("is no error, Java says %s: %s", want.Error.ShortClass(), want.Error.Message)
	case want.Error.Stage != stage:
		return fmt.Sprintf("fails to %s, Java to %s: %v", stage, want.Error.Stage, err)
	}
	return ""
}

// read decodes the bytes of a case and compares what they are.
func read(t *testing.T, conv engine.Converter, c oracle.Answered) string {
	t.Helper()
	var src []byte
	if c.Bytes != nil {
		src = append([]byte{}, *c.Bytes...)
	}
	value, enc, err := src, conv.Decoded(), error(nil)
	if decode := conv.NewDecoder(); decode != nil {
		var own record.Encoding
		if value, own, err = decode([]byte{}, src, &engine.Meta{}); own != nil {
			enc = own
		}
	}
	if err == nil && value != nil && enc == record.Text {
		_, err = enc.AppendJSON(nil, value) // a text is checked when it is read
	}
	if err != nil || c.Result.Error != nil {
		return failures(c.Result, "apply", err)
	}
	want := *c.Result.Data
	if value == nil {
		if !want.Value.IsNull() {
			return "is a null"
		}
		return ""
	}
	s := record.SchemaOf(enc)
	if !record.IsJSON(enc) {
		if s == nil {
			s = map[record.Encoding]*schema.Schema{record.Text: schema.New(schema.String), record.Opaque: schema.New(schema.Bytes)}[enc].AsOptional()
		}
		if value, err = enc.AppendJSON(nil, value); err != nil {
			t.Fatal(err)
		}
	}
	if s == nil {
		if want.Schema != nil {
			return "has no schema"
		}
		text, err := oracle.Plain(want)
		if err != nil {
			return err.Error()
		}
		if text == nil {
			text = []byte("null")
		}
		return oracle.DiffJSON(text, value)
	}
	if err := schema.Check(s, value); err != nil {
		t.Errorf("%s: %s is not of its schema: %v", c.Name, value, err)
	}
	node, err := connectschema.AppendSchema(nil, s, connectschema.Options{})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := connectschema.AppendPayload(nil, value, s, connectschema.Options{KeepNulls: true})
	if err != nil {
		t.Fatal(err)
	}
	got, err := oracle.Wire{Envelope: true, KeepNulls: true}.Read(connectschema.AppendEnvelope(nil, node, payload))
	if err != nil {
		t.Fatal(err)
	}
	return oracle.Diff(want, got)
}

// write encodes the value of a case and compares the bytes.
func write(conv engine.Converter, c oracle.Answered) string {
	value, s, err := typed(*c.Data)
	if err != nil { // Java refuses such a value, too, or has made it with another class
		return failures(c.Result, "apply", err)
	}
	enc := record.JSONOf(s)
	got := value
	if encode := conv.NewEncoder(enc); encode != nil {
		if got, err = encode([]byte{}, value, &engine.Meta{}); err != nil {
			got = nil
		}
	}
	if err != nil || c.Result.Error != nil {
		return failures(c.Result, "apply", err)
	}
	want := c.Result.Bytes
	switch {
	case (want == nil) != (got == nil):
		return fmt.Sprintf("%q, Java: %v", got, want)
	case want == nil || bytes.Equal(*want, got):
		return ""
	case strings.HasSuffix(c.Converter.Class, "JsonConverter"):
		return oracle.DiffJSON(*want, got)
	}
	return fmt.Sprintf("%q, Java: %q", got, *want)
}

// typed is a value as flow has it.
func typed(data oracle.Data) ([]byte, *schema.Schema, error) {
	if data.Schema == nil {
		text, err := oracle.Plain(data)
		return text, nil, err
	}
	envelope := func(d oracle.Data, keepNulls bool) (e struct{ Schema, Payload json.RawMessage }, err error) {
		text, err := oracle.Wire{Envelope: true, KeepNulls: keepNulls}.Write(d)
		if err == nil {
			err = json.Unmarshal(text, &e)
		}
		return e, err
	}
	if data.Value.IsNull() {
		// A null is no value of a required type: only the schema is asked for.
		of := *data.Schema
		of.Optional = true
		e, err := envelope(oracle.Data{Schema: &of}, true)
		if err != nil {
			return nil, nil, err
		}
		s, err := connectschema.ParseSchema(e.Schema)
		if err != nil {
			return nil, nil, err
		}
		s = s.Clone()
		s.Optional = data.Schema.Optional
		return []byte("null"), s, nil
	}
	e, err := envelope(data, true)
	keep := err == nil
	if err != nil {
		if e, err = envelope(data, false); err != nil {
			return nil, nil, err
		}
	}
	s, err := connectschema.ParseSchema(e.Schema)
	if err != nil {
		return nil, nil, err
	}
	text, err := connectschema.AppendTyped(nil, e.Payload, s, connectschema.Options{KeepNulls: keep})
	return text, s, err
}

// representable reports whether flow can hold a value: without a schema only
// what JSON has.
func representable(d oracle.Data) bool { return d.Schema != nil || plain(d.Value) }

func plain(v oracle.Value) bool {
	switch v.Kind {
	case oracle.Bytes, oracle.Decimal, oracle.BigInt, oracle.Date, oracle.Struct:
		return false
	case oracle.Float32, oracle.Float64:
		return v.Float-v.Float == 0
	}
	return !slices.ContainsFunc(v.Items, func(i oracle.Value) bool { return !plain(i) }) &&
		!slices.ContainsFunc(v.Pairs, func(p oracle.Pair) bool { return p.Key.Kind != oracle.String || !plain(p.Value) })
}
