// Package connect knows Kafka Connect's configurations: which of our elements
// does what each of its transforms, predicates and options says, and what
// differs.
package connect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine"
)

// Element is a processor that does what a transform does.
type Element struct {
	// Type and Name as in processor "TYPE" "NAME".
	Type, Name string
	// Attributes in the order in which they are best read.
	Attributes []Attribute
}

// Attribute is one option of an Element.
type Attribute struct {
	Name string
	// HCL is the text of its value.
	HCL string
}

// HCL writes the element as a block.
func (e *Element) HCL() string {
	width := 0
	for _, a := range e.Attributes {
		width = max(width, len(a.Name))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "processor %s %s {\n", engine.HCLString(e.Type), engine.HCLString(e.Name))
	for _, a := range e.Attributes {
		fmt.Fprintf(&b, "  %-*s = %s\n", width, a.Name, a.HCL)
	}
	b.WriteString("}\n")
	return b.String()
}

// Severity of a Finding.
type Severity int

// The severities.
const (
	// Note: the element does it in another way, or not wholly.
	Note Severity = iota
	// Mistake: Kafka Connect refuses this configuration, or we cannot do it.
	Mistake
)

// Finding is what a user must know of a translation.
type Finding struct {
	Severity Severity
	// Property is the key in Connect's configuration.
	Property string
	// Summary is short and stable, Detail says what to do.
	Summary, Detail string
}

func (f Finding) String() string { return f.Property + ": " + f.Summary + ": " + f.Detail }

// Transforms translates the chain that a connector's properties configure:
// transforms, transforms.NAME.*, predicates and predicates.NAME.*. Elements
// with a Mistake are left out, and so are those that change nothing.
func Transforms(props map[string]string) ([]Element, []Finding) {
	var out []Element
	var findings []Finding
	seen := make(map[string]bool)
	for _, alias := range list(props["transforms"]) {
		if seen[alias] {
			findings = append(findings, Finding{Mistake, "transforms", fmt.Sprintf("%s is there twice", alias), "Each name stands once in the list."})
			continue
		}
		seen[alias] = true
		e, fs := Transform(props, alias)
		findings = append(findings, fs...)
		if e.Type != "" && !slices.ContainsFunc(fs, func(f Finding) bool { return f.Severity == Mistake }) {
			out = append(out, e)
		}
	}
	return out, findings
}

// Transform translates one transform of a connector's properties. The Type of
// the element is empty if there is a Mistake, or if it would change nothing.
func Transform(props map[string]string, alias string) (Element, []Finding) {
	t := &translation{props: props, prefix: "transforms." + alias + "."}
	t.element.Name = alias
	class, ok := t.take("type")
	if !ok {
		t.mistake("type", "is missing", "Give the class of the transform.")
		return t.element, t.findings
	}
	name, part, hasPart := strings.Cut(strings.TrimPrefix(class, transformPackage), "$")
	known, ok := transformsByClass()[name]
	switch {
	case !ok:
		t.mistake("type", "unknown transform "+class, "It is none of Apache Kafka's own. Write what it does as a map with expressions.")
		return t.element, t.findings
	case known.part && part != "Key" && part != "Value":
		t.mistake("type", class+" is not complete", "Write "+name+"$Key or "+name+"$Value.")
		return t.element, t.findings
	case !known.part && hasPart:
		t.mistake("type", "unknown transform "+class, "It is "+name+", without $.")
		return t.element, t.findings
	}
	t.element.Type = known.processor
	when := t.when()
	if known.part && part == "Key" {
		t.text("on", "key")
	}
	known.translate(t)
	if name == "Filter" {
		t.filter(when)
	} else if when != "" {
		t.text("when", when)
	}
	t.leftOver()
	return t.element, t.findings
}

// translation is one transform at work.
type translation struct {
	props    map[string]string
	prefix   string
	taken    []string
	element  Element
	findings []Finding
}

func (t *translation) mistake(option, summary, detail string) {
	t.findings = append(t.findings, Finding{Mistake, t.prefix + option, summary, detail})
}

func (t *translation) note(option, summary, detail string) {
	t.findings = append(t.findings, Finding{Note, t.prefix + option, summary, detail})
}

// take reads an option of the transform.
func (t *translation) take(option string) (string, bool) {
	t.taken = append(t.taken, t.prefix+option)
	v, ok := t.props[t.prefix+option]
	// Connect trims options of all types.
	return strings.TrimFunc(v, func(r rune) bool { return r <= ' ' }), ok
}

// required reads an option that must be there.
func (t *translation) required(option string) (string, bool) {
	v, ok := t.take(option)
	if !ok {
		t.mistake(option, "is missing", "Kafka Connect asks for it, too.")
	}
	return v, ok
}

// names reads an option that is a list.
func (t *translation) names(option string, required bool) []string {
	v, ok := t.take(option)
	names := list(v)
	if required && (!ok || len(names) == 0) {
		t.mistake(option, "is missing", "Kafka Connect asks for at least one name.")
	}
	return names
}

// list splits as Connect does.
func list(text string) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		out = append(out, strings.TrimSpace(part))
	}
	return out
}

// flag reads an option that is true or false.
func (t *translation) flag(option string, byDefault bool) bool {
	v, ok := t.take(option)
	if !ok {
		return byDefault
	}
	switch strings.ToLower(strings.TrimSpace(v)) {
	case "true":
		return true
	case "false":
		return false
	}
	t.mistake(option, fmt.Sprintf("%q is neither true nor false", v), "Write one of the two.")
	return byDefault
}

// set adds an attribute.
func (t *translation) set(name, hcl string) {
	t.element.Attributes = append(t.element.Attributes, Attribute{name, hcl})
}

func (t *translation) text(name, value string) { t.set(name, engine.HCLString(value)) }

func (t *translation) texts(name string, values []string) {
	if len(values) == 0 {
		return
	}
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = engine.HCLString(v)
	}
	t.set(name, "["+strings.Join(quoted, ", ")+"]")
}

// pairs adds a map; its keys stand in their order.
func (t *translation) pairs(name string, pairs [][2]string) {
	var out []string
	for _, p := range pairs {
		out = append(out, engine.HCLString(p[0])+" = "+engine.HCLString(p[1]))
	}
	t.set(name, "{ "+strings.Join(out, ", ")+" }")
}

func (t *translation) connect() { t.set("connect", "true") }

// nulls translates the option that all transforms with fields have.
func (t *translation) nulls() {
	if t.flag("replace.null.with.default", true) {
		t.set("replace_null_with_default", "true")
	}
}

// leftOver notes options that nothing asked for. Connect ignores them, too.
func (t *translation) leftOver() {
	for _, key := range slices.Sorted(maps.Keys(t.props)) {
		if strings.HasPrefix(key, t.prefix) && !slices.Contains(t.taken, key) {
			t.note(strings.TrimPrefix(key, t.prefix), "is ignored", "The transform has no option of this name.")
		}
	}
}
