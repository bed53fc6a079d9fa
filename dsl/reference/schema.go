package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
)

// object is a JSON object whose members stand in the order of their names.
type object = map[string]any

// Dialect is the version of JSON Schema that Schema is written in.
const Dialect = "https://json-schema.org/draft/2020-12/schema"

// Schema describes a config to editors: a JSON schema of what HCL's JSON
// syntax calls the same config. There a block's labels are the names of
// members, a block that stands many times is an array, and a text with ${ }
// in it is any expression of HCL, whose value no schema can know. What the
// compiler takes is valid, as far as one file tells; what it refuses is mostly
// not.
func (ref *Reference) Schema() ([]byte, error) {
	defs := object{
		"interpolation": object{"type": "string", "pattern": `[$%]\{`,
			"description": "An expression of HCL, as var.NAME in ${ }."},
		"comment": object{"description": "A comment: flow does not read it."},
	}
	root := object{
		"$schema":     Dialect,
		"title":       "flow config",
		"description": "A config of flow in the JSON form of HCL: variables, locals, connections, schemas, functions and pipelines.",
		"type":        "object",
		"$defs":       defs,
	}
	for i := range ref.Components {
		e := &ref.Components[i]
		s, err := body(e, e.Options, e.Common)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", e.Kind, e.Type, err)
		}
		defs[e.Kind+"-"+e.Type] = s
	}
	ref.converterDefs(defs)
	members := object{"//": object{"$ref": "#/$defs/comment"}}
	for i := range ref.Blocks {
		e := &ref.Blocks[i]
		s, err := ref.block(e)
		if err != nil {
			return nil, fmt.Errorf("block %s: %w", e.Type, err)
		}
		if s != nil {
			defs[e.Type] = s
		}
	}
	for _, name := range []string{"variable", "schema", "function", "pipeline"} {
		members[name] = described(labelled(nil, object{"$ref": "#/$defs/" + name}), ref.summary(name))
	}
	members["locals"] = described(oneOrMany(object{"type": "object"}), ref.summary("locals"))
	members["connection"] = described(ref.byType("connection"), ref.summary("connection"))
	root["properties"], root["additionalProperties"] = members, false
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	return out.Bytes(), nil
}

func (ref *Reference) summary(block string) string {
	e, _ := ref.Find(KindBlock, block)
	return e.Summary
}

// converterDefs adds what a block key, value or header_values is: one converter's options
// below its type.
func (ref *Reference) converterDefs(defs object) {
	types := object{}
	for _, e := range ref.Of(string(engine.KindConverter)) {
		types[e.Type] = described(oneOrMany(object{"$ref": "#/$defs/converter-" + e.Type}), e.Summary)
	}
	defs["converter"] = oneOrMany(object{"type": "object", "properties": types, "additionalProperties": false, "minProperties": 1, "maxProperties": 1})
}

// block is the schema of a block of the language; nil for those that are one
// for each type of component.
func (ref *Reference) block(e *Entry) (object, error) {
	switch e.Type {
	case "locals", "connection", "input", "processor", "output":
		return nil, nil
	}
	s, err := body(e, e.Options, nil)
	if err != nil || e.Type != "pipeline" {
		return s, err
	}
	for _, kind := range []engine.Kind{engine.KindInput, engine.KindProcessor, engine.KindOutput} {
		s["properties"].(object)[string(kind)] = described(ref.byType(string(kind)), ref.summary(string(kind)))
	}
	return s, nil
}

// byType is a block with two labels: the first one a component of the kind.
func (ref *Reference) byType(kind string) object {
	types := object{}
	for _, e := range ref.Of(kind) {
		types[e.Type] = described(labelled(nil, object{"$ref": "#/$defs/" + kind + "-" + e.Type}), e.Summary)
	}
	return oneOrMany(object{"type": "object", "properties": types, "additionalProperties": false})
}

// labelled is a block with a label: an object with a member for each block.
func labelled(names []string, body object) object {
	o := object{"type": "object", "additionalProperties": oneOrMany(body), "propertyNames": object{"pattern": "^[A-Za-z_][A-Za-z0-9_-]*$"}}
	if names != nil {
		o["propertyNames"] = object{"enum": names}
	}
	return oneOrMany(o)
}

// oneOrMany is a block once, or an array of it.
func oneOrMany(s object) object {
	return object{"anyOf": []any{s, object{"type": "array", "items": s}}}
}

func described(s object, text string) object {
	if text != "" {
		s["description"] = text
	}
	return s
}

// body is what stands between the braces of a block.
func body(e *Entry, lists ...[]Option) (object, error) {
	s, err := bodyOf(slices.Concat(lists...))
	if err != nil || e == nil {
		return s, err
	}
	return described(s, e.Summary), nil
}

func bodyOf(list []Option) (object, error) {
	properties := object{"//": object{"$ref": "#/$defs/comment"}}
	var required []string
	for i := range list {
		o := &list[i]
		s, err := option(o)
		if err != nil {
			return nil, fmt.Errorf("option %s: %w", o.Name, err)
		}
		if own, twice := properties[o.Name]; twice {
			// JSON has one place for an option and a block of the same name.
			s = object{"anyOf": []any{own, s}, "description": own.(object)["description"]}
		}
		properties[o.Name] = s
		if o.Required {
			required = append(required, o.Name)
		}
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s, nil
}

func option(o *Option) (object, error) {
	if o.Type == "block" {
		return blockOption(o)
	}
	s, err := value(o, o.Type)
	if err != nil {
		return nil, err
	}
	if !o.Required {
		nullable(s)
	}
	s["description"] = optionText(o)
	if def, ok := jsonDefault(o); ok {
		s["default"] = def
	}
	if o.Secret {
		s["writeOnly"] = true
	}
	return s, nil
}

// nullable lets an option be null, which means that it is not given.
func nullable(s object) {
	switch typ := s["type"].(type) {
	case string:
		s["type"] = []string{typ, "null"}
	case []string:
		if !slices.Contains(typ, "null") {
			s["type"] = append(typ, "null")
		}
	case nil:
		if list, ok := s["anyOf"].([]any); ok {
			s["anyOf"] = append(list, object{"type": "null"})
		}
	}
}

func blockOption(o *Option) (object, error) {
	if o.Name == "key" || o.Name == "value" || o.Name == "header_values" {
		if len(o.Options) == 0 && o.Label != "" {
			return object{"$ref": "#/$defs/converter", "description": o.Doc}, nil
		}
	}
	if o.same != "" {
		return object{"$ref": o.same, "description": o.Doc}, nil
	}
	s, err := bodyOf(o.Options)
	if err != nil {
		return nil, err
	}
	if o.anyLabel {
		s = oneOrMany(object{"type": "object", "additionalProperties": oneOrMany(s)})
	} else if o.Label != "" {
		s = labelled(nil, s)
	} else {
		s = oneOrMany(s) // HCL reads an array of one as the block itself
	}
	return described(s, o.Doc), nil
}

// optionText is the doc with what the schema's own words cannot say.
func optionText(o *Option) string {
	text := o.Doc
	if o.Unit != "" && !strings.Contains(o.Unit, ",") {
		text += " Unit: " + o.Unit + "."
	}
	if b := bounds(o); b != "" && !strings.HasSuffix(o.Type, "number") {
		text += " " + strings.ToUpper(b[:1]) + b[1:] + "."
	}
	if o.Example != "" {
		text += " For example " + o.Example + "."
	}
	return text
}

// orExpression lets a value also be any expression of HCL.
func orExpression(s object) object {
	return object{"anyOf": []any{s, interpolated()}}
}

func interpolated() object { return object{"$ref": "#/$defs/interpolation"} }

const (
	numberPattern   = `^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`
	durationPattern = `^[+-]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`
	sizePattern     = `^\s*([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*(([kKmMgGtT][iI]?)?[bB])?\s*$`
)

// value is the schema of a value of that type.
func value(o *Option, typ string) (object, error) {
	if elem, ok := strings.CutPrefix(typ, "list of "); ok {
		items, err := value(o, elem)
		if err != nil {
			return nil, err
		}
		return orExpression(object{"type": "array", "items": items}), nil
	}
	switch typ {
	case "string":
		if len(o.OneOf) > 0 {
			return orExpression(object{"enum": o.OneOf}), nil
		}
		return object{"type": []string{"string", "number", "boolean"}}, nil
	case "secret", "template", "path", "pattern", "reference", "type", "schema":
		return object{"type": "string"}, nil
	case "bool":
		return object{"anyOf": []any{object{"type": "boolean"}, object{"enum": []string{"true", "false"}}, interpolated()}}, nil
	case "number":
		return number(o)
	case "duration":
		return duration(o)
	case "size":
		return size(o)
	case "expression":
		return object{"type": []string{"string", "number", "boolean", "null"}}, nil
	case "any":
		return object{}, nil
	case "map of path to expression", "map of expression":
		return object{"type": "object", "additionalProperties": object{"type": []string{"string", "number", "boolean", "null"}}}, nil
	case "map of path to path":
		return object{"type": "object", "additionalProperties": object{"type": "string"}}, nil
	case "map of string", "map of secret":
		return orExpression(object{"type": "object", "additionalProperties": object{"type": []string{"string", "number", "boolean"}}}), nil
	}
	if system, ok := strings.CutPrefix(typ, "connection."); ok {
		return object{"type": "string", "pattern": `^(\$\{)?connection\.` + system + `\.[A-Za-z][A-Za-z0-9_-]*\}?$`}, nil
	}
	return nil, fmt.Errorf("no schema of the type %q", typ)
}

func number(o *Option) (object, error) {
	s := object{"type": "number"}
	if o.Whole {
		s["type"] = "integer"
	}
	for name, text := range map[string]string{"minimum": o.Min, "maximum": o.Max} {
		if text == "" {
			continue
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("bound %q: %w", text, err)
		}
		s[name] = n
	}
	// HCL takes a number in quotes for the number.
	return object{"anyOf": []any{s, object{"type": "string", "pattern": numberPattern}, interpolated()}}, nil
}

// duration takes the sign out of the pattern where less than nothing is not
// allowed; what a schema cannot compare is said in words.
func duration(o *Option) (object, error) {
	pattern := durationPattern
	if o.Min != "" {
		d, err := time.ParseDuration(o.Min)
		if err != nil {
			return nil, fmt.Errorf("bound: %w", err)
		}
		if d >= 0 {
			pattern = strings.Replace(pattern, "[+-]?", `\+?`, 1)
		}
	}
	return object{"anyOf": []any{object{"type": "string", "pattern": pattern}, object{"const": 0}, interpolated()}}, nil
}

func size(o *Option) (object, error) {
	n := object{"type": "integer", "minimum": 0}
	for name, text := range map[string]string{"minimum": o.Min, "maximum": o.Max} {
		if text == "" {
			continue
		}
		b, err := engine.ParseByteSize(text)
		if err != nil {
			return nil, fmt.Errorf("bound: %w", err)
		}
		n[name] = int64(b)
	}
	return object{"anyOf": []any{n, object{"type": "string", "pattern": sizePattern}, interpolated()}}, nil
}

// jsonDefault is the default as a value of JSON, where it is one.
func jsonDefault(o *Option) (any, bool) {
	if o.Default == "" || o.Secret {
		return nil, false
	}
	var v any
	d := json.NewDecoder(strings.NewReader(o.Default))
	d.UseNumber()
	if err := d.Decode(&v); err != nil || d.More() {
		return nil, false
	}
	if n, ok := v.(json.Number); ok {
		if f, err := n.Float64(); err != nil || math.IsInf(f, 0) {
			return nil, false
		}
	}
	return v, true
}
