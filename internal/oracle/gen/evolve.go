package gen

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/flowrecords/flow/internal/oracle"
)

// avroEvolution are histories of random schemas: each of three versions, each a
// change or two away from the one before. Java tells whether neighbours read
// each other's data, and at which levels the last may follow the first two.
func avroEvolution(f *avroFile) {
	const histories = 90
	for seed := range uint64(histories) {
		e := evolution{r: rand.New(rand.NewPCG(seed, 6))}
		e.root = e.record(2)
		versions := []json.RawMessage{json.RawMessage(e.text())}
		for len(versions) < 3 {
			name := fmt.Sprintf("%02d-%d-%s", seed, len(versions), e.change(1+e.r.IntN(2)))
			versions = append(versions, json.RawMessage(e.text()))
			old, next := versions[len(versions)-2], versions[len(versions)-1]
			f.add(name, oracle.AvroCase{Op: oracle.AvroCompatible, Writer: old, Reader: next})
			f.add(name+"/turned", oracle.AvroCase{Op: oracle.AvroCompatible, Writer: next, Reader: old})
		}
		f.add(fmt.Sprintf("%02d-levels", seed), oracle.AvroCase{Op: oracle.AvroLevels, History: versions[:2], Schema: versions[2]})
	}
}

// avroType is a schema that can still be changed.
type avroType struct {
	kind    string // as in its type; union
	name    string // of record, enum and fixed
	aliases []string
	doc     string
	size    int
	symbols []string
	// fallback: the enum says what unknown symbols become.
	fallback bool
	fields   []*evolvingField
	parts    []*avroType // what an array or map holds, the branches of a union
	self     *avroType   // the record that this is once more
}

type evolvingField struct {
	name     string
	aliases  []string
	t        *avroType
	defaults bool
}

type evolution struct {
	r     *rand.Rand
	root  *avroType
	names int
}

var avroLeaves = []string{"boolean", "int", "long", "float", "double", "string", "bytes"}

func (e *evolution) name(prefix string) string {
	e.names++
	return fmt.Sprintf("%s%d", prefix, e.names)
}

func (e *evolution) record(depth int) *avroType {
	t := &avroType{kind: "record", name: "org.a." + e.name("R")}
	for range 2 + e.r.IntN(3) {
		t.fields = append(t.fields, e.field(depth))
	}
	if e.r.IntN(4) == 0 {
		t.fields = append(t.fields, &evolvingField{name: e.name("self"), t: &avroType{kind: "union", parts: []*avroType{{kind: "null"}, {kind: "self", self: t}}}, defaults: true})
	}
	return t
}

func (e *evolution) field(depth int) *evolvingField {
	return &evolvingField{name: e.name("f"), t: e.any(depth), defaults: e.r.IntN(3) == 0}
}

func (e *evolution) leaf() *avroType {
	switch e.r.IntN(9) {
	case 0:
		return &avroType{kind: "enum", name: "org.a." + e.name("E"), symbols: []string{"A", "B", "C"}[:1+e.r.IntN(3)], fallback: e.r.IntN(3) == 0}
	case 1:
		return &avroType{kind: "fixed", name: "org.a." + e.name("X"), size: 1 + e.r.IntN(4)}
	default:
		return &avroType{kind: avroLeaves[e.r.IntN(len(avroLeaves))]}
	}
}

func (e *evolution) any(depth int) *avroType {
	if depth == 0 || e.r.IntN(2) == 0 {
		return e.leaf()
	}
	switch e.r.IntN(5) {
	case 0:
		return &avroType{kind: "array", parts: []*avroType{e.any(depth - 1)}}
	case 1:
		return &avroType{kind: "map", parts: []*avroType{e.any(depth - 1)}}
	case 2:
		return e.record(depth - 1)
	case 3:
		return &avroType{kind: "union", parts: []*avroType{{kind: "null"}, e.leaf()}}
	default:
		u := &avroType{kind: "union"}
		for range 2 + e.r.IntN(2) {
			if t := e.leaf(); u.takes(t) {
				u.parts = append(u.parts, t)
			}
		}
		return u
	}
}

// takes is whether a union may have one more branch t.
func (t *avroType) takes(b *avroType) bool {
	return b.kind != "union" && !slices.ContainsFunc(t.parts, func(p *avroType) bool { return p.kind == b.kind && p.name == b.name })
}

// walk calls visit for t and all below it.
func (t *avroType) walk(visit func(*avroType)) {
	visit(t)
	for _, f := range t.fields {
		f.t.walk(visit)
	}
	for _, p := range t.parts {
		p.walk(visit)
	}
}

// pick returns one of the types that fit; nil if none does.
func (e *evolution) pick(fits func(t *avroType) bool) *avroType {
	var list []*avroType
	e.root.walk(func(t *avroType) {
		if fits(t) {
			list = append(list, t)
		}
	})
	if len(list) == 0 {
		return nil
	}
	return list[e.r.IntN(len(list))]
}

func ofKind(kinds ...string) func(*avroType) bool {
	return func(t *avroType) bool { return slices.Contains(kinds, t.kind) }
}

// change makes n changes and names them.
func (e *evolution) change(n int) string {
	var names []string
	for len(names) < n {
		c := avroChanges[e.r.IntN(len(avroChanges))]
		if t := e.pick(c.fits); t != nil && c.make(e, t) {
			names = append(names, c.name)
		}
	}
	return strings.Join(names, "+")
}

func withFields(t *avroType) bool { return t.kind == "record" && len(t.fields) > 0 }

func (e *evolution) anyField(t *avroType) *evolvingField { return t.fields[e.r.IntN(len(t.fields))] }

// avroChanges are what people do to schemas. A change that finds nothing to do
// returns false.
var avroChanges = []struct {
	name string
	fits func(*avroType) bool
	make func(*evolution, *avroType) bool
}{
	{"add-field", ofKind("record"), func(e *evolution, t *avroType) bool {
		t.fields = slices.Insert(t.fields, e.r.IntN(len(t.fields)+1), e.field(1))
		return true
	}},
	{"remove-field", withFields, func(e *evolution, t *avroType) bool {
		at := e.r.IntN(len(t.fields))
		t.fields = slices.Delete(t.fields, at, at+1)
		return true
	}},
	{"rename-field", withFields, func(e *evolution, t *avroType) bool {
		f := e.anyField(t)
		f.name, f.aliases = e.name("f"), nil
		return true
	}},
	{"alias-field", withFields, func(e *evolution, t *avroType) bool {
		f := e.anyField(t)
		f.aliases = []string{e.name("old"), f.name}
		f.name = e.name("f")
		return true
	}},
	{"move-field", withFields, func(e *evolution, t *avroType) bool {
		e.r.Shuffle(len(t.fields), func(i, j int) { t.fields[i], t.fields[j] = t.fields[j], t.fields[i] })
		return len(t.fields) > 1
	}},
	{"default", withFields, func(e *evolution, t *avroType) bool {
		f := e.anyField(t)
		f.defaults = !f.defaults
		return true
	}},
	{"retype", withFields, func(e *evolution, t *avroType) bool {
		f := e.anyField(t)
		f.t, f.defaults = e.any(1), false
		return true
	}},
	{"optional", withFields, func(e *evolution, t *avroType) bool {
		f := e.anyField(t)
		if f.t.kind == "union" {
			return false
		}
		f.t = &avroType{kind: "union", parts: []*avroType{{kind: "null"}, f.t}}
		return true
	}},
	{"required", withFields, func(e *evolution, t *avroType) bool {
		f := e.anyField(t)
		if f.t.kind != "union" || f.t.parts[0].kind != "null" || f.t.parts[1].kind == "self" {
			return false
		}
		f.t, f.defaults = f.t.parts[1], false
		return true
	}},
	{"number", ofKind("int", "long", "float", "double"), func(e *evolution, t *avroType) bool {
		t.kind = []string{"int", "long", "float", "double"}[e.r.IntN(4)]
		return true
	}},
	{"text", ofKind("string", "bytes"), func(_ *evolution, t *avroType) bool {
		t.kind = map[string]string{"string": "bytes", "bytes": "string"}[t.kind]
		return true
	}},
	{"add-symbol", ofKind("enum"), func(e *evolution, t *avroType) bool {
		t.symbols = append(slices.Clone(t.symbols), e.name("S"))
		return true
	}},
	{"remove-symbol", ofKind("enum"), func(_ *evolution, t *avroType) bool {
		t.symbols = t.symbols[:max(1, len(t.symbols)-1)]
		return true
	}},
	{"enum-default", ofKind("enum"), func(_ *evolution, t *avroType) bool {
		t.fallback = !t.fallback
		return true
	}},
	{"size", ofKind("fixed"), func(_ *evolution, t *avroType) bool {
		t.size++
		return true
	}},
	{"rename-type", ofKind("record", "enum", "fixed"), func(e *evolution, t *avroType) bool {
		t.name, t.aliases = "org.a."+e.name("T"), nil
		return true
	}},
	{"alias-type", ofKind("record", "enum", "fixed"), func(e *evolution, t *avroType) bool {
		t.aliases = []string{t.name}
		t.name = "org.a." + e.name("T")
		return true
	}},
	{"namespace", ofKind("record", "enum", "fixed"), func(_ *evolution, t *avroType) bool {
		t.name = strings.Replace(t.name, "org.a.", "org.b.", 1)
		return true
	}},
	{"add-branch", ofKind("union"), func(e *evolution, t *avroType) bool {
		b := e.leaf()
		if !t.takes(b) {
			return false
		}
		t.parts = append(slices.Clone(t.parts), b)
		return true
	}},
	{"remove-branch", ofKind("union"), func(_ *evolution, t *avroType) bool {
		last := len(t.parts) - 1
		if last < 1 || t.parts[last].kind == "self" || last == 1 && t.parts[0].kind == "null" {
			return false
		}
		t.parts = t.parts[:len(t.parts)-1]
		return true
	}},
	{"array-or-map", ofKind("array", "map"), func(_ *evolution, t *avroType) bool {
		t.kind = map[string]string{"array": "map", "map": "array"}[t.kind]
		return true
	}},
	{"doc", ofKind("record", "enum"), func(e *evolution, t *avroType) bool {
		t.doc = e.name("doc ")
		return true
	}},
}

// text is the schema as it is now.
func (e *evolution) text() string {
	t := e.root
	unions(t)
	return t.text()
}

// unions restores what a change of a branch may have broken: a union has no two
// branches alike.
func unions(root *avroType) {
	root.walk(func(t *avroType) {
		if t.kind != "union" {
			return
		}
		all := t.parts
		t.parts = nil
		for _, b := range all {
			if t.takes(b) {
				t.parts = append(t.parts, b)
			}
		}
	})
}

func quoted(list []string) string {
	b, _ := json.Marshal(list) // a list of strings
	return string(b)
}

func (t *avroType) text() string {
	attributes := fmt.Sprintf(`{"type":%q`, t.kind)
	if t.name != "" {
		attributes += fmt.Sprintf(`,"name":%q`, t.name)
	}
	if t.doc != "" {
		attributes += fmt.Sprintf(`,"doc":%q`, t.doc)
	}
	if len(t.aliases) > 0 {
		attributes += `,"aliases":` + quoted(t.aliases)
	}
	switch t.kind {
	case "self":
		return fmt.Sprintf("%q", t.self.name)
	case "record":
		var list []string
		for _, f := range t.fields {
			list = append(list, f.text())
		}
		return attributes + `,"fields":[` + strings.Join(list, ",") + "]}"
	case "enum":
		if t.fallback {
			attributes += fmt.Sprintf(`,"default":%q`, t.symbols[0])
		}
		return attributes + `,"symbols":` + quoted(t.symbols) + "}"
	case "fixed":
		return attributes + fmt.Sprintf(`,"size":%d}`, t.size)
	case "array":
		return attributes + `,"items":` + t.parts[0].text() + "}"
	case "map":
		return attributes + `,"values":` + t.parts[0].text() + "}"
	case "union":
		var list []string
		for _, b := range t.parts {
			list = append(list, b.text())
		}
		return "[" + strings.Join(list, ",") + "]"
	default:
		return fmt.Sprintf("%q", t.kind)
	}
}

func (f *evolvingField) text() string {
	text := fmt.Sprintf(`{"name":%q,"type":%s`, f.name, f.t.text())
	if f.defaults {
		text += `,"default":` + f.t.value()
	}
	if len(f.aliases) > 0 {
		text += `,"aliases":` + quoted(f.aliases)
	}
	return text + "}"
}

// value is a default of t.
func (t *avroType) value() string {
	switch t.kind {
	case "null":
		return "null"
	case "boolean":
		return "true"
	case "string", "bytes":
		return `"d"`
	case "fixed":
		return `"` + strings.Repeat("x", t.size) + `"`
	case "enum":
		return fmt.Sprintf("%q", t.symbols[0])
	case "array":
		return "[]"
	case "map":
		return "{}"
	case "union":
		return t.parts[0].value()
	case "record":
		var list []string
		for _, f := range t.fields {
			list = append(list, fmt.Sprintf("%q:%s", f.name, f.t.value()))
		}
		return "{" + strings.Join(list, ",") + "}"
	default:
		return "7"
	}
}
