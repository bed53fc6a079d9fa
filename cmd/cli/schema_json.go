package cli

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/engine/schema"
)

// schemaDocument is the JSON form of flow schema. It is stable: fields are
// added, never renamed.
type schemaDocument struct {
	Version   int              `json:"version"`
	Pipelines []schemaPipeline `json:"pipelines"`
}

type schemaPipeline struct {
	Name     string          `json:"name"`
	Elements []schemaElement `json:"elements"`
}

type schemaElement struct {
	Address string     `json:"address"`
	Kind    string     `json:"kind"`
	Type    string     `json:"type"`
	Name    string     `json:"name"`
	Where   string     `json:"where"`
	Key     schemaPart `json:"key"`
	Value   schemaPart `json:"value"`
}

type schemaPart struct {
	Known bool `json:"known"`
	// Why it is not known, or why Avro cannot carry it.
	Why    string          `json:"why,omitempty"`
	Schema json.RawMessage `json:"schema,omitempty"`
}

// schemaJSON writes all steps; asAvro: with schemas of Avro.
func schemaJSON(steps []schemaStep, asAvro bool) ([]byte, error) {
	doc := schemaDocument{Version: 1, Pipelines: []schemaPipeline{}}
	for _, s := range steps {
		if n := len(doc.Pipelines); n == 0 || doc.Pipelines[n-1].Name != s.pipeline {
			doc.Pipelines = append(doc.Pipelines, schemaPipeline{Name: s.pipeline})
		}
		p := &doc.Pipelines[len(doc.Pipelines)-1]
		p.Elements = append(p.Elements, schemaElement{
			Address: s.Address(), Kind: string(s.Kind), Type: s.Type, Name: s.Name, Where: s.Where,
			Key: partOf(s.Types.Out.Key, s.Types.WhyKey, asAvro), Value: partOf(s.Types.Out.Value, s.Types.WhyValue, asAvro),
		})
	}
	return indented(doc)
}

func partOf(s *schema.Schema, why string, asAvro bool) schemaPart {
	if s == nil {
		return schemaPart{Why: why}
	}
	text, err := schemaBytes(s, asAvro)
	if err != nil {
		return schemaPart{Known: true, Why: err.Error()}
	}
	return schemaPart{Known: true, Schema: text}
}

// schemaBytes writes a schema as JSON or as Avro.
func schemaBytes(s *schema.Schema, asAvro bool) ([]byte, error) {
	if !asAvro {
		return s.MarshalJSON()
	}
	x, err := avro.FromSchema(s, avro.FromOptions{})
	if err != nil {
		return nil, fmt.Errorf("Avro cannot carry it: %w", err) //nolint:staticcheck // a name
	}
	return []byte(x.Text()), nil
}

// lonelySchema is the schema of one element and nothing else.
func lonelySchema(step schemaStep, f schemaFlags) ([]byte, error) {
	s, why, what := step.Types.Out.Value, step.Types.WhyValue, "value"
	if f.key {
		s, why, what = step.Types.Out.Key, step.Types.WhyKey, "key"
	}
	if s == nil {
		return nil, fmt.Errorf("the schema of the %s is not known: %s", what, why)
	}
	text, err := schemaBytes(s, f.format == "avro")
	if err != nil {
		return nil, fmt.Errorf("the schema of the %s: %w", what, err)
	}
	return indented(json.RawMessage(text))
}

func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("writing the schemas: %w", err)
	}
	return b.Bytes(), nil
}
