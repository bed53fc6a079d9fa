package converters_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/oracle"
)

// TestOracleHeaders compares blocks header_values with Kafka Connect's
// converters of headers. In flow a header is text: what Connect reads as a
// value must be read as the text of that value, and what Connect writes for it
// must be written for that text.
func TestOracleHeaders(t *testing.T) {
	t.Parallel()
	cases, y := answers(t, oracle.ToConnectHeader, oracle.FromConnectHeader), newTally(t, "Header values")
	if len(cases) < 600 {
		t.Errorf("only %d cases", len(cases))
	}
	translated := newTranslator(t, "header.converter", "header_values")
	for _, c := range cases {
		y.count++
		reading := c.Op == oracle.ToConnectHeader
		conv, err := translated.of(t, c.Case, reading)
		switch {
		case err != nil || c.Result.Error != nil && c.Result.Error.Stage == "configure":
			y.add(t, c.Name, configured(c.Result, err))
		case reading:
			y.add(t, c.Name, readHeader(conv, c))
		case !representable(*c.Data):
			y.beyond++
		default:
			y.add(t, c.Name, writeHeader(conv, c))
		}
	}
	y.end(t, 600)
}

// TestOracleHeadersOfASchema: a block that says the schema writes each value of
// it as Connect does, also where the text alone does not tell it.
func TestOracleHeadersOfASchema(t *testing.T) {
	t.Parallel()
	translated := newTranslator(t, "header.converter", "header_values")
	count, equal := 0, 0
	for _, c := range answers(t, oracle.FromConnectHeader) {
		if !strings.HasSuffix(c.Converter.Class, "JsonConverter") || c.Data.Schema == nil || c.Data.Value.IsNull() || c.Result.Error != nil {
			continue
		}
		text, err := oracle.Wire{Envelope: true, KeepNulls: true}.Write(*c.Data)
		if err != nil {
			t.Fatal(c.Name, err)
		}
		var envelope struct{ Schema json.RawMessage }
		if err := json.Unmarshal(text, &envelope); err != nil {
			t.Fatal(c.Name, err)
		}
		form := "payload"
		if c.Converter.Config["schemas.enable"] != "false" {
			form = "envelope"
		}
		conv := translated.converter(t, fmt.Sprintf("header_values \"json\" {\n  form = %q\n  decimal = \"base64\"\n  schema = %s\n}", form, engine.HCLString(string(envelope.Schema))))
		count++
		if diff := writeHeader(conv, c); diff != "" {
			t.Errorf("%s: %s", c.Name, diff)
			continue
		}
		equal++
	}
	t.Logf("%d of %d equal", equal, count)
	if count < 100 {
		t.Errorf("only %d cases", count)
	}
}

// readHeader compares the text that a header has in a pipeline with that of the
// value that Java reads.
func readHeader(conv engine.Converter, c oracle.Answered) string {
	var src []byte
	if c.Bytes != nil {
		src = append([]byte{}, *c.Bytes...)
	}
	got, err := recoded(engine.HeaderDecoding(conv), src)
	if err != nil || c.Result.Error != nil {
		return failures(c.Result, "apply", err)
	}
	want, err := headerText(*c.Result.Data)
	if err != nil {
		return err.Error()
	}
	return sameHeader(want, got, c.Result.Data.Value.Kind != oracle.String && c.Result.Data.Value.Kind != oracle.Bytes)
}

// writeHeader compares the bytes that the text of a value is written as.
func writeHeader(conv engine.Converter, c oracle.Answered) string {
	text, err := headerText(*c.Data)
	if err != nil { // Java refuses such a value, too, or has made it with another class
		return failures(c.Result, "apply", err)
	}
	got, err := recoded(engine.HeaderEncoding(conv), text)
	if err != nil || c.Result.Error != nil {
		return failures(c.Result, "apply", err)
	}
	var want []byte
	if c.Result.Bytes != nil {
		want = append([]byte{}, *c.Result.Bytes...)
	}
	return sameHeader(want, got, strings.HasSuffix(c.Converter.Class, "JsonConverter"))
}

func recoded(f engine.Recode, src []byte) ([]byte, error) {
	if f == nil {
		return src, nil
	}
	out, _, err := f([]byte{}, src, nil, &engine.Meta{Topic: "topic", Header: true, Name: "header"})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// sameHeader says how two headers differ; values of JSON may be written in
// several ways.
func sameHeader(want, got []byte, value bool) string {
	switch {
	case (want == nil) != (got == nil):
		return fmt.Sprintf("null %v, Java: %v", got == nil, want == nil)
	case bytes.Equal(want, got), value && json.Valid(want) && json.Valid(got) && oracle.DiffJSON(want, got) == "":
		return ""
	}
	return fmt.Sprintf("%q, Java: %q", got, want)
}

// headerText is the text that a value has as a header in flow; nil for a null.
func headerText(d oracle.Data) ([]byte, error) {
	named := d.Schema != nil && d.Schema.Logical() != ""
	switch {
	case d.Value.IsNull():
		return nil, nil
	case d.Value.Kind == oracle.String && !named:
		return []byte(d.Value.Text), nil
	case d.Value.Kind == oracle.Bytes && !named:
		return d.Value.Bytes, nil
	}
	if d.Schema != nil && untyped(d.Schema) {
		d.Schema = nil // a list of anything, which Java makes of a text
	}
	text, _, err := typed(d)
	if err != nil || len(text) == 0 || text[0] != '"' {
		return text, err
	}
	var s string
	err = json.Unmarshal(text, &s)
	return []byte(s), err
}

// untyped: the schema says nothing of what the list or map holds.
func untyped(s *oracle.Schema) bool {
	return (s.Type == oracle.Array || s.Type == oracle.Map) && s.Values == nil
}
