package connect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine"
	connectschema "github.com/flowrecords/flow/engine/schema/connect"
)

// Packages of Connect's converters.
const (
	jsonConverterClass = "org.apache.kafka.connect.json.JsonConverter"
	convertersPackage  = "org.apache.kafka.connect.converters."
	storagePackage     = "org.apache.kafka.connect.storage."

	simpleHeaderClass = storagePackage + "SimpleHeaderConverter"
	headerConverter   = "header.converter"
)

// primitives are the types of our primitive converter by Connect's classes.
func primitives() map[string]string {
	return map[string]string{
		"BooleanConverter": "bool", "ShortConverter": "int16", "IntegerConverter": "int32", "LongConverter": "int64", "FloatConverter": "float32", "DoubleConverter": "float64",
	}
}

// ConverterHCL writes the element as the block of a converter: key "TYPE",
// value "TYPE" or header_values "TYPE".
func (e *Element) ConverterHCL(part string) string {
	if len(e.Attributes) == 0 {
		return fmt.Sprintf("%s %s {}\n", part, engine.HCLString(e.Type))
	}
	width := 0
	for _, a := range e.Attributes {
		width = max(width, len(a.Name))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s {\n", part, engine.HCLString(e.Type))
	for _, a := range e.Attributes {
		fmt.Fprintf(&b, "  %-*s = %s\n", width, a.Name, a.HCL)
	}
	b.WriteString("}\n")
	return b.String()
}

// className is the full name of a converter of Kafka's own that a property names
// in full, by its simple name or by its alias, as in JsonConverter and Json.
// Anything else stays as it is.
func className(name string) string {
	known := map[string]string{"JsonConverter": jsonConverterClass, "StringConverter": storagePackage + "StringConverter", "ByteArrayConverter": convertersPackage + "ByteArrayConverter", "SimpleHeaderConverter": simpleHeaderClass}
	for class := range primitives() {
		known[class] = convertersPackage + class
	}
	for _, ending := range []string{"", "Converter", "HeaderConverter"} {
		if full, ok := known[name+ending]; ok {
			return full
		}
	}
	return name
}

// Converter translates a converter of a connector's or worker's properties:
// option is key.converter, value.converter or header.converter, whose options are
// option.*. SimpleHeaderConverter, which Connect has without an option, becomes no
// block: the text of headers stays.
// reading: it turns bytes of a topic into values, as that of a sink does. The
// Type of the element is empty if there is a Mistake, and of SimpleHeaderConverter.
func Converter(props map[string]string, option string, reading bool) (Element, []Finding) {
	t := &translation{props: props, prefix: option + "."}
	given := strings.TrimSpace(props[option])
	if given == "" && option == headerConverter {
		given = simpleHeaderClass
	}
	class := className(given)
	switch name := strings.TrimPrefix(class, convertersPackage); {
	case class == jsonConverterClass:
		t.element.Type = "json"
		t.jsonConverter(reading)
	case class == simpleHeaderClass && option == headerConverter:
	case class == simpleHeaderClass:
		t.findings = append(t.findings, Finding{Mistake, option, "a converter of headers only", "Name one of keys and values, such as " + jsonConverterClass + "."})
	case class == storagePackage+"StringConverter":
		t.element.Type = "string"
		t.stringConverter()
	case class == convertersPackage+"ByteArrayConverter":
		t.element.Type = "bytes"
	case primitives()[name] != "" && class == convertersPackage+name:
		t.element.Type = "primitive"
		t.text("type", primitives()[name])
	case class == "":
		t.findings = append(t.findings, Finding{Mistake, option, "is missing", "Give the class of the converter; a connector without one has that of its worker."})
	default:
		t.findings = append(t.findings, Finding{Mistake, option, "unknown converter " + given, "It is none of Apache Kafka's own."})
	}
	for _, f := range t.findings {
		if f.Severity == Mistake {
			t.element.Type = ""
		}
	}
	for _, key := range slices.Sorted(maps.Keys(props)) {
		if strings.HasPrefix(key, t.prefix) && !slices.Contains(t.taken, key) {
			t.note(strings.TrimPrefix(key, t.prefix), "is ignored", "The converter has no option of this name.")
		}
	}
	return t.element, t.findings
}

func (t *translation) jsonConverter(reading bool) {
	enabled := t.flag("schemas.enable", true)
	replace := t.flag("replace.null.with.default", true)
	numeric := false
	if v, there := t.take("decimal.format"); there {
		switch strings.ToUpper(v) {
		case "BASE64":
		case "NUMERIC":
			numeric = true
		default:
			t.mistake("decimal.format", fmt.Sprintf("unknown format %q", v), "It is BASE64 or NUMERIC.")
		}
	}
	_, _ = t.take("schemas.cache.size") // ours is bounded, too, and needs no option
	content, _ := t.take("schema.content")
	if content != "" {
		if _, err := connectschema.ParseSchema([]byte(content)); err != nil {
			t.mistake("schema.content", "no schema of Kafka Connect", err.Error()+".")
			return
		}
	}
	switch {
	case reading && !enabled:
		t.set("strict", "true")
		return
	case reading && content != "":
		t.text("form", "payload")
		t.text("schema", content)
	case enabled:
		t.text("form", "envelope")
	default:
		t.text("form", "payload")
	}
	if reading {
		t.set("lenient", "true")
	} else {
		if enabled {
			t.text("schemaless", "null")
		}
		if !numeric {
			t.text("decimal", "base64")
		}
	}
	if replace {
		t.set("replace_null_with_default", "true")
	}
}

func (t *translation) stringConverter() {
	if v, there := t.take("converter.encoding"); there && !strings.EqualFold(v, "UTF-8") && !strings.EqualFold(v, "UTF8") {
		t.mistake("converter.encoding", "texts are UTF-8", fmt.Sprintf("Texts in %s need the bytes converter.", v))
	}
}
