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

// differences reads the table of the converters.
func differences(t *testing.T) []*oracle.Difference {
	t.Helper()
	text, err := os.ReadFile("../docs/connect-differences.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, there := bytes.Cut(text, []byte("\n## Converters\n"))
	if !there {
		t.Fatal("docs/connect-differences.md has no section Converters")
	}
	out, err := oracle.ParseDifferences(table)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestOracle compares the converters with Kafka Connect's own.
func TestOracle(t *testing.T) {
	t.Parallel()
	all, err := oracle.Load("../testdata/oracle")
	if err != nil {
		t.Fatal(err)
	}
	reg, err := engine.NewRegistry(engine.Components{Inputs: []engine.InputFactory{generate.Factory()}, Outputs: []engine.OutputFactory{drop.Factory()}, Converters: converters.All()})
	if err != nil {
		t.Fatal(err)
	}
	listed := differences(t)
	made := map[string]engine.Converter{}
	count, equal, beyond := 0, 0, 0
	for _, file := range slices.Sorted(maps.Keys(all)) {
		for _, c := range all[file] {
			if c.Op != oracle.ToConnect && c.Op != oracle.FromConnect {
				continue
			}
			count++
			var diff string
			conv, err := converterOf(t, reg, made, c.Case)
			switch {
			case err != nil || c.Result.Error != nil && c.Result.Error.Stage == "configure":
				if diff = failures(c.Result, "configure", err); err == nil {
					diff = "is no error when it is configured, Java: " + c.Result.Error.Message
				}
			case c.Op == oracle.ToConnect:
				diff = read(t, conv, c)
			case !representable(*c.Data):
				beyond++
				continue
			default:
				diff = write(conv, c)
			}
			rows := 0
			for _, d := range listed {
				if diff != "" && d.Match(c.Name) {
					d.Used++
					rows++
				}
			}
			switch {
			case diff == "":
				equal++
			case rows == 0:
				t.Errorf("%s: %s", c.Name, diff)
			}
		}
	}
	for _, d := range listed {
		if d.Used == 0 {
			t.Errorf("docs/connect-differences.md: no case of %s differs", d.Pattern)
		}
	}
	t.Logf("%d cases: %d equal, %d of values that JSON without a schema cannot hold", count, equal, beyond)
	if equal < 700 {
		t.Errorf("only %d cases are equal", equal)
	}
}

// converterOf makes the converter that the translation of a case's options says.
func converterOf(t *testing.T, reg *engine.Registry, made map[string]engine.Converter, c oracle.Case) (engine.Converter, error) {
	t.Helper()
	props := map[string]string{"value.converter": c.Converter.Class}
	for k, v := range c.Converter.Config {
		props["value.converter."+k] = v
	}
	element, findings := connect.Converter(props, "value.converter", c.Op == oracle.ToConnect)
	if element.Type == "" {
		return nil, fmt.Errorf("%v", findings)
	}
	block := element.ConverterHCL("value")
	if conv := made[block]; conv != nil {
		return conv, nil
	}
	res := dsl.LoadSources(map[string][]byte{"case.hcl": []byte("pipeline \"p\" {\n  input \"generate\" \"in\" {\n    value = \"1\"\n  }\n\n  output \"drop\" \"out\" {\n" + block + "  }\n}\n")}, dsl.Options{Registry: reg})
	if res.Diags.HasErrors() {
		t.Fatalf("%s: %v\n%s", c.Name, res.Diags, block)
	}
	conv := res.Plan.Pipelines[0].Elements[1].Value
	made[block] = conv
	return conv, nil
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
