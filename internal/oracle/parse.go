package oracle

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
)

// Read reads what Write writes. nil is null without schema.
func (w Wire) Read(b []byte) (Data, error) {
	if b == nil {
		return Data{}, nil
	}
	if err := single(b); err != nil {
		return Data{}, err
	}
	if !w.Envelope {
		v, err := readUntyped(b)
		return Data{Value: v}, err
	}
	var env map[string]json.RawMessage
	if err := json.Unmarshal(b, &env); err != nil {
		return Data{}, fmt.Errorf("reading an envelope: %w", err)
	}
	if _, ok := env["payload"]; !ok || len(env) != 2 || env["schema"] == nil {
		return Data{}, fmt.Errorf("an envelope has schema and payload only: %s", b)
	}
	if isNull(env["schema"]) {
		v, err := readUntyped(env["payload"])
		return Data{Value: v}, err
	}
	s, _, err := readSchema(env["schema"])
	if err != nil {
		return Data{}, err
	}
	v, err := readTyped(env["payload"], s)
	return Data{Schema: s, Value: v}, err
}

// single refuses what follows the document.
func single(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return fmt.Errorf("reading JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("more than one document: %s", b)
	}
	return nil
}

func readSchema(raw json.RawMessage) (s *Schema, field string, err error) {
	var n struct {
		Type       string
		Items      json.RawMessage
		Keys       json.RawMessage
		Values     json.RawMessage
		Fields     []json.RawMessage
		Optional   bool
		Name       *string
		Version    *int
		Doc        *string
		Parameters map[string]string
		Default    json.RawMessage
		Field      string
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&n); err != nil {
		return nil, "", fmt.Errorf("reading schema %s: %w", raw, err)
	}
	s = &Schema{Type: Kind(n.Type), Optional: n.Optional, Name: n.Name, Version: n.Version, Doc: n.Doc, Parameters: n.Parameters}
	child := func(raw json.RawMessage) (c *Schema) {
		if err == nil {
			c, _, err = readSchema(raw)
		}
		return c
	}
	switch n.Type {
	case "float":
		s.Type = Float32
	case "double":
		s.Type = Float64
	case "array":
		s.Values = child(n.Items)
	case "map":
		s.Keys, s.Values = child(n.Keys), child(n.Values)
	case "struct":
		s.Fields = []Field{}
		for _, f := range n.Fields {
			c, name, err := readSchema(f)
			if err != nil {
				return nil, "", err
			}
			s.Fields = append(s.Fields, Field{name, c})
		}
	case "boolean", "int8", "int16", "int32", "int64", "string", "bytes":
	default:
		err = fmt.Errorf("no type %q", n.Type)
	}
	if err != nil {
		return nil, "", err
	}
	if !isNull(n.Default) {
		v, err := readTyped(n.Default, s)
		if err != nil {
			return nil, "", fmt.Errorf("reading a default: %w", err)
		}
		s.Default = &v
	}
	return s, n.Field, nil
}

func readUntyped(raw json.RawMessage) (Value, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return Value{}, errors.New("no JSON")
	}
	switch raw[0] {
	case 'n':
		return Value{}, nil
	case 't', 'f':
		return Value{Kind: Boolean, Bool: raw[0] == 't'}, nil
	case '"':
		v := Value{Kind: String}
		return v, json.Unmarshal(raw, &v.Text)
	case '[':
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return Value{}, err
		}
		v := Value{Kind: Array}
		for _, i := range items {
			item, err := readUntyped(i)
			if err != nil {
				return Value{}, err
			}
			v.Items = append(v.Items, item)
		}
		return v, nil
	case '{':
		v := Value{Kind: Map}
		return v, members(raw, func(name string, e json.RawMessage) error {
			m, err := readUntyped(e)
			v.Pairs = append(v.Pairs, Pair{Value{Kind: String, Text: name}, m})
			return err
		})
	}
	if !bytes.ContainsAny(raw, ".eE") {
		if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			return Value{Kind: Int64, Int: n}, nil
		}
		v := Value{Kind: BigInt}
		return v, v.readBig(string(raw))
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	return Value{Kind: Float64, Float: f}, err
}

// members calls f for the members of an object in their order.
func members(raw json.RawMessage, f func(name string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("not an object: %s", raw)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var e json.RawMessage
		if err := d.Decode(&e); err != nil {
			return err
		}
		if err := f(name.(string), e); err != nil {
			return fmt.Errorf("member %s: %w", name, err)
		}
	}
	return nil
}

func readTyped(raw json.RawMessage, s *Schema) (Value, error) {
	if isNull(raw) {
		return Value{}, nil
	}
	if name := s.Logical(); name != "" {
		return readLogical(raw, s, name)
	}
	switch s.Type {
	case Boolean, String:
		v, err := readUntyped(raw)
		if err == nil && v.Kind != s.Type {
			err = fmt.Errorf("%s for a schema of %s", raw, s.Type)
		}
		return v, err
	case Int8, Int16, Int32, Int64:
		n, err := strconv.ParseInt(string(raw), 10, intBits[s.Type])
		return Value{Kind: s.Type, Int: n}, err
	case Float32, Float64:
		bits := 64
		if s.Type == Float32 {
			bits = 32
		}
		f, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), bits)
		return Value{Kind: s.Type, Float: f}, err
	case Bytes:
		b, err := readBase64(raw)
		return Value{Kind: Bytes, Bytes: b}, err
	case Array:
		return readArray(raw, s)
	case Map:
		return readMap(raw, s)
	case Struct:
		return readStruct(raw, s)
	}
	return Value{}, fmt.Errorf("no type %q", s.Type)
}

func readBase64(raw json.RawMessage) ([]byte, error) {
	var b []byte // encoding/json reads Base64 into bytes
	if err := json.Unmarshal(raw, &b); err != nil {
		return nil, fmt.Errorf("reading bytes: %w", err)
	}
	return b, nil
}

func readLogical(raw json.RawMessage, s *Schema, name string) (Value, error) {
	if name == DecimalName {
		return readDecimal(raw, s)
	}
	bits := 32
	if name == TimestampName {
		bits = 64
	}
	n, err := strconv.ParseInt(string(raw), 10, bits)
	if name == DateName {
		n *= 86400000
	}
	return Value{Kind: Date, Int: n}, err
}

func readDecimal(raw json.RawMessage, s *Schema) (Value, error) {
	scale, err := strconv.Atoi(s.Parameters["scale"])
	if err != nil {
		return Value{}, fmt.Errorf("a decimal without scale: %w", err)
	}
	if raw[0] == '"' {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return Value{}, err
		}
		b, err := base64.StdEncoding.DecodeString(text)
		return Value{Kind: Decimal, Unscaled: fromTwos(b), Scale: scale}, err
	}
	r, ok := new(big.Rat).SetString(string(raw))
	if !ok {
		return Value{}, fmt.Errorf("%s for a decimal", raw)
	}
	power := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(scale, -scale))), nil))
	if scale < 0 {
		power.Inv(power)
	}
	if r.Mul(r, power); !r.IsInt() {
		return Value{}, fmt.Errorf("%s has more than %d digits after the point", raw, scale)
	}
	return Value{Kind: Decimal, Unscaled: r.Num(), Scale: scale}, nil
}

func readArray(raw json.RawMessage, s *Schema) (Value, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return Value{}, err
	}
	v := Value{Kind: Array}
	for i, item := range items {
		e, err := readTyped(item, s.Values)
		if err != nil {
			return Value{}, fmt.Errorf("element %d: %w", i, err)
		}
		v.Items = append(v.Items, e)
	}
	return v, nil
}

func readMap(raw json.RawMessage, s *Schema) (Value, error) {
	v := Value{Kind: Map}
	if raw[0] == '{' {
		return v, members(raw, func(name string, e json.RawMessage) error {
			m, err := readTyped(e, s.Values)
			v.Pairs = append(v.Pairs, Pair{Value{Kind: String, Text: name}, m})
			return err
		})
	}
	var pairs [][2]json.RawMessage
	if err := json.Unmarshal(raw, &pairs); err != nil {
		return Value{}, err
	}
	for _, p := range pairs {
		k, err := readTyped(p[0], s.Keys)
		if err != nil {
			return Value{}, fmt.Errorf("a key: %w", err)
		}
		e, err := readTyped(p[1], s.Values)
		if err != nil {
			return Value{}, fmt.Errorf("value of %s: %w", p[0], err)
		}
		v.Pairs = append(v.Pairs, Pair{k, e})
	}
	return v, nil
}

func readStruct(raw json.RawMessage, s *Schema) (Value, error) {
	fields := map[string]Value{}
	err := members(raw, func(name string, e json.RawMessage) error {
		f := s.Field(name)
		if f == nil {
			return errors.New("no such field in the schema")
		}
		v, err := readTyped(e, f)
		fields[name] = v
		return err
	})
	return structOf(fields, nil), err
}
