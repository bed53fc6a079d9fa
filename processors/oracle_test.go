package processors_test

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/connect"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
	"github.com/flowrecords/flow/engine/schema"
	connectschema "github.com/flowrecords/flow/engine/schema/connect"
	"github.com/flowrecords/flow/inputs/generate"
	"github.com/flowrecords/flow/internal/oracle"
	"github.com/flowrecords/flow/outputs/drop"
	"github.com/flowrecords/flow/processors"
)

// differences reads the table of the transforms.
func differences(t *testing.T) []*oracle.Difference {
	t.Helper()
	text, err := os.ReadFile("../docs/connect-differences.md")
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ = bytes.Cut(text, []byte("\n## Converters\n")) // those are compared where the converters are
	out, err := oracle.ParseDifferences(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// answer is what flow does with a case.
type answer struct {
	stage   string // "configure" or "apply": where it failed
	err     error
	dropped bool
	topic   string
	value   part
	key     part
	headers []record.Header
}

// TestOracle compares all transforms with Kafka Connect's own.
func TestOracle(t *testing.T) {
	t.Parallel()
	all, err := oracle.Load("../testdata/oracle")
	if err != nil {
		t.Fatal(err)
	}
	listed := differences(t)
	reg, err := engine.NewRegistry(engine.Components{Inputs: []engine.InputFactory{generate.Factory()}, Processors: processors.All(), Outputs: []engine.OutputFactory{drop.Factory()}})
	if err != nil {
		t.Fatal(err)
	}
	count, equal, beyond := 0, 0, 0
	for _, file := range slices.Sorted(maps.Keys(all)) {
		for _, c := range all[file] {
			if c.Op != oracle.Transform {
				continue
			}
			count++
			if !representable(c.Record.Value) || !representable(c.Record.Key) || c.Result.Record != nil && (!representable(c.Result.Record.Value) || !representable(c.Result.Record.Key)) {
				beyond++
				continue
			}
			got := ask(t, reg, c.Case)
			if got.stage == "fill" {
				t.Logf("%s: %v", c.Name, got.err)
				beyond++
				continue
			}
			diff := compare(t, c.Result, got)
			row := slices.IndexFunc(listed, func(d *oracle.Difference) bool { return d.Match(c.Name) })
			switch {
			case diff == "":
				equal++
			case row < 0:
				t.Errorf("%s: %s", c.Name, diff)
			}
			if diff != "" && row >= 0 {
				listed[row].Used++
			}
		}
	}
	for _, d := range listed {
		if d.Used == 0 {
			t.Errorf("docs/connect-differences.md: no case of %s differs", d.Pattern)
		}
	}
	t.Logf("%d cases: %d equal, %d of values that JSON without a schema cannot hold", count, equal, beyond)
	if equal < 1500 {
		t.Errorf("only %d cases are equal", equal)
	}
}

// representable reports whether flow can hold a value: without a schema only
// what JSON has.
func representable(d oracle.Data) bool {
	return d.Schema != nil || plain(d.Value)
}

func plain(v oracle.Value) bool {
	switch v.Kind {
	case oracle.Bytes, oracle.Decimal, oracle.BigInt, oracle.Date, oracle.Struct:
		return false
	case oracle.Float32, oracle.Float64:
		return v.Float-v.Float == 0
	}
	for _, item := range v.Items {
		if !plain(item) {
			return false
		}
	}
	for _, p := range v.Pairs {
		if p.Key.Kind != oracle.String || !plain(p.Value) {
			return false
		}
	}
	return true
}

// ask runs a case's chain.
func ask(t *testing.T, reg *engine.Registry, c oracle.Case) answer {
	t.Helper()
	elements, findings := connect.Transforms(c.Properties())
	for _, f := range findings {
		if f.Severity == connect.Mistake {
			return answer{stage: "configure", err: fmt.Errorf("%s", f)}
		}
	}
	var hcl strings.Builder
	hcl.WriteString("pipeline \"p\" {\n  input \"generate\" \"in\" {\n    value = \"1\"\n  }\n")
	for _, e := range elements {
		hcl.WriteString(e.HCL())
	}
	hcl.WriteString("  output \"drop\" \"out\" {}\n}\n")
	res := dsl.LoadSources(map[string][]byte{"case.hcl": []byte(hcl.String())}, dsl.Options{Registry: reg})
	if res.Diags.HasErrors() {
		return answer{stage: "configure", err: res.Diags}
	}
	l := record.NewLayout()
	var steps []engine.Step
	for _, el := range res.Plan.Pipelines[0].Elements {
		if el.Kind != engine.KindProcessor {
			continue
		}
		p, err := el.NewProcessor(engine.Env{Now: time.Now})
		if err != nil {
			return answer{stage: "configure", err: err}
		}
		b, err := p.Bind(l)
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.Name, err, hcl.String())
		}
		steps = append(steps, b.Step)
	}
	r := record.NewRecord(l)
	if err := fill(r, c.Record); err != nil {
		return answer{stage: "fill", err: err}
	}
	for _, step := range steps {
		keep, err := step(r)
		if err != nil {
			return answer{stage: "apply", err: err}
		}
		if !keep {
			return answer{dropped: true}
		}
	}
	out := answer{topic: r.Topic, headers: slices.Clone(r.Headers())}
	var errValue, errKey error
	out.value, errValue = readDoc(r.Value)
	out.key, errKey = readDoc(r.Key)
	if err := errors.Join(errValue, errKey); err != nil {
		return answer{stage: "apply", err: fmt.Errorf("writing: %w", err)}
	}
	return out
}

// fill makes r the record of a case.
func fill(r *record.Record, from *oracle.Record) error {
	if err := errors.Join(fillDoc(r.Value, from.Value, true), fillDoc(r.Key, from.Key, true)); err != nil {
		return err
	}
	var headers []record.Header
	for _, h := range from.Headers {
		text, _ := headerText(h)
		headers = append(headers, record.Header{Key: h.Name, Value: text})
	}
	r.ResetHeaders(headers)
	if from.Topic != nil {
		r.Topic = *from.Topic
	}
	if from.Partition != nil {
		r.Partition = *from.Partition
	}
	if from.Offset != nil {
		r.Offset = *from.Offset
	}
	if from.Timestamp != nil {
		r.Timestamp, r.HasTimestamp = *from.Timestamp*1e6, true
	}
	return nil
}

func fillDoc(d *record.Doc, data oracle.Data, keepNulls bool) error {
	if data.Schema == nil {
		text, err := oracle.Plain(data)
		d.Reset(record.JSON, text)
		return err
	}
	if data.Value.IsNull() {
		// A null is no value of a required type: only the schema is asked for.
		s := *data.Schema
		s.Optional = true
		wrapped := oracle.Data{Schema: &oracle.Schema{Type: oracle.Struct, Fields: []oracle.Field{{Name: "x", Schema: &s}}}, Value: oracle.Value{Kind: oracle.Struct}}
		of, err := schemaOf(wrapped)
		if err != nil {
			return err
		}
		own := of.Fields[0].Schema.Clone()
		own.Optional = data.Schema.Optional
		d.Reset(record.JSONOf(own), nil)
		return nil
	}
	text, err := oracle.Wire{Envelope: true, KeepNulls: keepNulls}.Write(data)
	if err != nil {
		return err
	}
	var envelope struct{ Schema, Payload json.RawMessage }
	if err := json.Unmarshal(text, &envelope); err != nil {
		return err
	}
	s, err := connectschema.ParseSchema(envelope.Schema)
	if err != nil {
		return err
	}
	typed, err := connectschema.AppendTyped(nil, envelope.Payload, s, connectschema.Options{KeepNulls: true})
	if err != nil && !keepNulls {
		return err
	}
	if err != nil {
		// A null where the schema allows none but has a default is the default.
		return fillDoc(d, data, false)
	}
	d.Reset(record.JSONOf(s), typed)
	return nil
}

// schemaOf is a schema as flow has it.
func schemaOf(data oracle.Data) (*schema.Schema, error) {
	text, err := oracle.Wire{Envelope: true, KeepNulls: true}.Write(data)
	if err != nil {
		return nil, err
	}
	var envelope struct{ Schema json.RawMessage }
	if err := json.Unmarshal(text, &envelope); err != nil {
		return nil, err
	}
	return connectschema.ParseSchema(envelope.Schema)
}

// part is a value or key: with a schema as data, else as JSON, nil for a null.
type part struct {
	typed bool
	data  oracle.Data
	json  []byte
}

func readDoc(d *record.Doc) (part, error) {
	s := record.SchemaOf(d.Encoding())
	var text []byte
	if !d.IsNull() {
		var err error
		if text, err = d.AppendTo(nil); err != nil {
			return part{}, err
		}
	}
	if s == nil {
		return part{json: text}, nil
	}
	envelope, err := connectschema.AppendSchema([]byte(`{"schema":`), s, connectschema.Options{})
	if err != nil {
		return part{}, err
	}
	envelope = append(envelope, `,"payload":`...)
	if d.IsNull() {
		envelope = append(envelope, "null"...)
	} else if envelope, err = connectschema.AppendPayload(envelope, text, s, connectschema.Options{KeepNulls: true}); err != nil {
		return part{}, err
	}
	data, err := oracle.Wire{Envelope: true, KeepNulls: true}.Read(append(envelope, '}'))
	return part{typed: true, data: data}, err
}

// headerText is a header's value as Connect's SimpleHeaderConverter writes it;
// exact reports that nothing else will do.
func headerText(h oracle.Header) (text []byte, exact bool) {
	v := h.Value
	switch v.Kind {
	case oracle.Null:
		return nil, true
	case oracle.String:
		return []byte(v.Text), true
	case oracle.Boolean:
		return strconv.AppendBool(nil, v.Bool), true
	case oracle.Int8, oracle.Int16, oracle.Int32, oracle.Int64:
		return strconv.AppendInt(nil, v.Int, 10), true
	case oracle.Bytes:
		return []byte(base64.StdEncoding.EncodeToString(v.Bytes)), true
	case oracle.Date:
		at, layout := time.UnixMilli(v.Int).UTC(), "2006-01-02T15:04:05.000Z"
		switch {
		case v.Int < 86_400_000:
			layout = "15:04:05.000Z"
		case v.Int%86_400_000 == 0:
			layout = time.DateOnly
		}
		return at.AppendFormat(nil, layout), true
	case oracle.Decimal:
		r := new(big.Rat).SetFrac(v.Unscaled, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(v.Scale)), nil))
		return []byte(r.FloatString(v.Scale)), true
	case oracle.Float32, oracle.Float64:
		return cast.JavaFloat(nil, v.Float, 64), false
	}
	wire, err := oracle.Plain(oracle.Data{Value: v})
	if err != nil {
		wire = []byte(err.Error())
	}
	return wire, false
}

// compare returns where the two differ, empty if nowhere.
func compare(t *testing.T, want oracle.Result, got answer) string {
	t.Helper()
	if want.Error != nil || got.err != nil {
		switch {
		case want.Error == nil:
			return fmt.Sprintf("fails to %s: %v", got.stage, got.err)
		case got.err == nil:
			return fmt.Sprintf("is no error, Java says %s: %s", want.Error.ShortClass(), want.Error.Message)
		case want.Error.Stage != got.stage:
			return fmt.Sprintf("fails to %s, Java to %s: %v", got.stage, want.Error.Stage, got.err)
		}
		return ""
	}
	if want.Dropped() != got.dropped {
		return fmt.Sprintf("dropped: %v, Java: %v", got.dropped, want.Dropped())
	}
	if got.dropped {
		return ""
	}
	if want.Record.Topic != nil && *want.Record.Topic != got.topic || want.Record.Topic == nil && got.topic != "" {
		return fmt.Sprintf("topic %q", got.topic)
	}
	if d := headers(want.Record.Headers, got.headers); d != "" {
		return d
	}
	return cmp.Or(data("value", want.Record.Value, got.value), data("key", want.Record.Key, got.key))
}

func headers(want []oracle.Header, got []record.Header) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d headers, Java: %d", len(got), len(want))
	}
	for i, h := range want {
		text, exact := headerText(h)
		switch {
		case h.Name != got[i].Key:
			return fmt.Sprintf("header %d is %s, Java: %s", i, got[i].Key, h.Name)
		case (text == nil) != (got[i].Value == nil), exact && !bytes.Equal(text, got[i].Value):
			return fmt.Sprintf("header %s: %q, Java: %q", h.Name, got[i].Value, text)
		case !exact && !bytes.Equal(text, got[i].Value):
			if d := oracle.DiffJSON(text, got[i].Value); d != "" {
				return fmt.Sprintf("header %s: %s", h.Name, d)
			}
		}
	}
	return ""
}

func data(name string, want oracle.Data, got part) string {
	if want.Schema != nil || got.typed {
		d := oracle.Diff(want, got.data)
		if !got.typed {
			d = "there is no schema"
		}
		if d != "" {
			return name + ": " + d
		}
		return ""
	}
	text, err := oracle.Plain(want)
	switch {
	case err != nil:
		return fmt.Sprintf("%s: %v", name, err)
	case (text == nil || string(text) == "null") && (got.json == nil || string(got.json) == "null"):
		return ""
	case text == nil || got.json == nil:
		return fmt.Sprintf("%s: %s, Java: %s", name, got.json, text)
	}
	if d := oracle.DiffJSON(text, got.json); d != "" {
		return name + ": " + d
	}
	return ""
}
