package oracle

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Op is what a case asks of Java.
type Op string

// The operations. "to" reads bytes, "from" writes them, as Connect's Converter
// and HeaderConverter name them.
const (
	Transform         Op = "transform"
	Predicate         Op = "predicate"
	ToConnect         Op = "to_connect"
	FromConnect       Op = "from_connect"
	ToConnectHeader   Op = "to_connect_header"
	FromConnectHeader Op = "from_connect_header"
	// Project fits data to another schema, as Connect's SchemaProjector does.
	Project Op = "project"
)

// Case is one question. Fields that an operation does not need are empty.
type Case struct {
	// Bytes are read by a converter.
	Bytes *Payload `json:"bytes,omitempty"`
	// Chain are the transforms, in their order; mostly one.
	Chain     []Step         `json:"chain,omitempty"`
	Converter *ConverterSpec `json:"converter,omitempty"`
	// Data is written by a converter, or projected.
	Data *Data `json:"data,omitempty"`
	// Name is unique over all files: FILE/what is special.
	Name      string         `json:"name"`
	Op        Op             `json:"op"`
	Predicate *PredicateSpec `json:"predicate,omitempty"`
	Record    *Record        `json:"record,omitempty"`
	// Target is the schema that data is projected to.
	Target *Schema `json:"target,omitempty"`
}

// Step is a transform with Connect's own options.
type Step struct {
	Class     string            `json:"class"`
	Config    map[string]string `json:"config"`
	Predicate *PredicateSpec    `json:"predicate,omitempty"`
}

// PredicateSpec is a predicate, and whether its answer is turned around.
type PredicateSpec struct {
	Class  string            `json:"class"`
	Config map[string]string `json:"config"`
	Negate bool              `json:"negate,omitempty"`
}

// ConverterSpec is a converter of keys, values or headers.
type ConverterSpec struct {
	Class  string            `json:"class"`
	Config map[string]string `json:"config"`
	Key    bool              `json:"key,omitempty"`
}

// Data is a value with its schema; both may be absent.
type Data struct {
	Schema *Schema `json:"schema"`
	Value  Value   `json:"value"`
}

// Header is a header of a record.
type Header struct {
	Name   string  `json:"name"`
	Schema *Schema `json:"schema"`
	Value  Value   `json:"value"`
}

// Record is a record of Connect. Timestamp is in milliseconds.
type Record struct {
	Headers []Header `json:"headers"`
	Key     Data     `json:"key"`
	// Kind is "source" or "sink". Only a sink's record has an offset and always
	// has a partition.
	Kind      string  `json:"kind"`
	Offset    *int64  `json:"offset,omitempty"`
	Partition *int32  `json:"partition"`
	Timestamp *int64  `json:"timestamp,string"`
	Topic     *string `json:"topic"`
	Value     Data    `json:"value"`
}

// Result is Java's answer to the case of the same name. Which field is set
// follows from the operation, unless Error is.
type Result struct {
	Name  string   `json:"name"`
	Error *Failure `json:"error"`
	// Record is what a chain returned, nil if it dropped the record.
	Record *Record `json:"record"`
	Test   bool    `json:"test"`
	Data   *Data   `json:"data"`
	// Bytes is nil if a converter wrote null.
	Bytes *Payload `json:"bytes"`
}

// Dropped tells whether a chain dropped the record.
func (r Result) Dropped() bool { return r.Error == nil && r.Record == nil }

// Failure is what Java threw: while configuring ("configure") or at the record
// ("apply"). Class is Java's, Message may be empty.
type Failure struct {
	Stage   string `json:"stage"`
	Class   string `json:"class"`
	Message string `json:"message"`
	Cause   string `json:"cause"`
}

// ShortClass is the class without its package.
func (f *Failure) ShortClass() string { return f.Class[strings.LastIndexByte(f.Class, '.')+1:] }

// Payload is bytes, written as text where that is possible.
type Payload []byte

// MarshalJSON writes the notation.
func (p Payload) MarshalJSON() ([]byte, error) {
	if utf8.Valid(p) && !slices.ContainsFunc(p, func(b byte) bool { return b < ' ' || b == 0x7f }) {
		return marshal(map[string]string{"text": string(p)})
	}
	return marshal(map[string]string{"base64": base64.StdEncoding.EncodeToString(p)})
}

// UnmarshalJSON reads the notation.
func (p *Payload) UnmarshalJSON(data []byte) error {
	var n struct{ Text, Base64 *string }
	if err := json.Unmarshal(data, &n); err != nil {
		return fmt.Errorf("reading bytes: %w", err)
	}
	switch {
	case n.Text != nil:
		*p = []byte(*n.Text)
		return nil
	case n.Base64 != nil:
		b, err := base64.StdEncoding.DecodeString(*n.Base64)
		*p = b
		return err
	}
	return fmt.Errorf("bytes are text or base64: %s", data)
}

// Properties is the case's part of a connector's configuration, as a user of
// Connect writes it: transforms t0, t1, ..., predicates p0, p1, ... of the steps.
func (c Case) Properties() map[string]string {
	props := map[string]string{}
	var transforms, predicates []string
	predicate := func(alias string, p *PredicateSpec) {
		predicates = append(predicates, alias)
		props["predicates."+alias+".type"] = p.Class
		for k, v := range p.Config {
			props["predicates."+alias+"."+k] = v
		}
	}
	for i, s := range c.Chain {
		alias := fmt.Sprintf("t%d", i)
		transforms = append(transforms, alias)
		props["transforms."+alias+".type"] = s.Class
		for k, v := range s.Config {
			props["transforms."+alias+"."+k] = v
		}
		if s.Predicate != nil {
			name := fmt.Sprintf("p%d", i)
			predicate(name, s.Predicate)
			props["transforms."+alias+".predicate"] = name
			if s.Predicate.Negate {
				props["transforms."+alias+".negate"] = "true"
			}
		}
	}
	if c.Predicate != nil {
		predicate("p0", c.Predicate)
	}
	if transforms != nil {
		props["transforms"] = strings.Join(transforms, ",")
	}
	if predicates != nil {
		props["predicates"] = strings.Join(predicates, ",")
	}
	return props
}

// Answered is a case with its result.
type Answered struct {
	Case
	Result Result
}

// Load reads all cases under testdata/oracle with their results, by file name
// without its ending. dir is the path of testdata/oracle.
func Load(dir string) (map[string][]Answered, error) {
	return load(dir, func(c Case, r Result) (Answered, string, string) { return Answered{c, r}, c.Name, r.Name })
}

func load[C, R, A any](dir string, join func(C, R) (answered A, asked, answer string)) (map[string][]A, error) {
	files, err := filepath.Glob(filepath.Join(dir, "cases", "*.jsonl"))
	if err != nil {
		return nil, err
	}
	all := map[string][]A{}
	for _, f := range files {
		cases, err := readLines[C](f)
		if err != nil {
			return nil, err
		}
		golden := filepath.Join(dir, "golden", filepath.Base(f))
		results, err := readLines[R](golden)
		if err != nil {
			return nil, fmt.Errorf("%w; run: make oracle", err)
		}
		if len(cases) != len(results) {
			return nil, fmt.Errorf("%s has %d cases, %s %d results; run: make oracle", f, len(cases), golden, len(results))
		}
		name := strings.TrimSuffix(filepath.Base(f), ".jsonl")
		for i := range cases {
			a, asked, answer := join(cases[i], results[i])
			if asked != answer {
				return nil, fmt.Errorf("%s:%d answers %s, not %s; run: make oracle", golden, i+1, answer, asked)
			}
			all[name] = append(all[name], a)
		}
	}
	return all, nil
}

func readLines[T any](path string) ([]T, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []T
	for line := range bytes.Lines(data) {
		var v T
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&v); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, len(list)+1, err)
		}
		list = append(list, v)
	}
	return list, nil
}

// Lines writes a file of cases, a line each.
func Lines[T any](cases []T) ([]byte, error) {
	var b bytes.Buffer
	for _, c := range cases {
		line, err := marshal(c)
		if err != nil {
			return nil, fmt.Errorf("writing %+v: %w", c, err)
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}
