package connect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
	"github.com/flowrecords/flow/engine/record/javatime"
)

// transformClass is what stands for one of Connect's classes.
type transformClass struct {
	processor string
	// part: the class is one of Key and Value.
	part      bool
	translate func(*translation)
}

// transformsByClass is the table of all transforms, by name without package.
func transformsByClass() map[string]transformClass {
	return map[string]transformClass{
		"Cast":               {"cast", true, (*translation).cast},
		"DropHeaders":        {"drop_headers", false, func(t *translation) { t.texts("headers", t.names("headers", true)) }},
		"ExtractField":       {"extract_field", true, (*translation).extractField},
		"Filter":             {"filter", false, func(*translation) {}},
		"Flatten":            {"flatten", true, (*translation).flatten},
		"HeaderFrom":         {"header_from", true, (*translation).headerFrom},
		"HoistField":         {"hoist_field", true, (*translation).hoistField},
		"InsertField":        {"insert_field", true, (*translation).insertField},
		"InsertHeader":       {"insert_header", false, (*translation).insertHeader},
		"MaskField":          {"mask_field", true, (*translation).maskField},
		"RegexRouter":        {"regex_router", false, (*translation).regexRouter},
		"ReplaceField":       {"replace_field", true, (*translation).replaceField},
		"SetSchemaMetadata":  {"set_schema_metadata", true, (*translation).setSchemaMetadata},
		"TimestampConverter": {"timestamp_converter", true, (*translation).timestampConverter},
		"TimestampRouter":    {"timestamp_router", false, (*translation).timestampRouter},
		"ValueToKey":         {"value_to_key", false, (*translation).valueToKey},
	}
}

// literal is the path of a name that Connect takes as it is.
func literal(name string) string { return record.Path{{Name: name}}.String() }

func literals(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = literal(n)
	}
	return out
}

func (t *translation) cast() {
	spec := t.names("spec", true)
	var fields [][2]string
	whole := ""
	seen := make(map[string]bool)
	for _, entry := range spec {
		name, typ, pair := strings.Cut(entry, ":")
		name, typ = strings.TrimSpace(name), strings.TrimSpace(typ)
		if !pair {
			name, typ = "", name
		}
		to, ok := cast.Parse(strings.ToLower(typ))
		switch {
		case strings.Count(entry, ":") > 1:
			t.mistake("spec", fmt.Sprintf("%q has more than one colon", entry), "Write field:type.")
			return
		case !ok:
			t.mistake("spec", fmt.Sprintf("unknown type %q", typ), "A type is one of "+cast.Names+".")
			return
		case !pair:
			whole = to.String()
		case seen[name]:
			t.note("spec", name+" is there twice", "The last one counts.")
			for i := range fields {
				if fields[i][0] == literal(name) {
					fields[i][1] = to.String()
				}
			}
		default:
			seen[name] = true
			fields = append(fields, [2]string{literal(name), to.String()})
		}
	}
	switch {
	case whole != "" && len(spec) > 1:
		t.mistake("spec", "a type alone together with other entries", "A type alone is that of the whole, which then has no fields.")
		return
	case whole != "":
		t.text("type", whole)
	case len(fields) > 0:
		t.pairs("fields", fields)
	}
	t.connect()
	t.nulls()
}

func (t *translation) extractField() {
	field, ok := t.required("field")
	version, given := t.take("field.syntax.version")
	if !given {
		version = "V1"
	}
	switch strings.ToUpper(version) {
	case "V1":
		if ok {
			t.text("field", literal(field))
		}
	case "V2":
		path, err := fieldPath(field)
		if err != nil {
			t.mistake("field", fmt.Sprintf("invalid path %q", field), sentence(err))
		} else if ok {
			t.text("field", path.String())
		}
	default:
		t.mistake("field.syntax.version", fmt.Sprintf("unknown version %q", version), "It is V1 or V2.")
	}
	t.text("missing", "connect")
	t.nulls()
}

// fieldPath reads a path of Connect's second syntax: names between dots, back
// ticks around a name that holds dots, a backslash in front of a back tick that
// is part of it.
func fieldPath(text string) (record.Path, error) {
	var path record.Path
	for rest := text; ; {
		var name, tail string
		var more bool
		if strings.HasPrefix(rest, "`") {
			end := closing(rest)
			if end < 0 {
				return nil, fmt.Errorf("the back tick at character %d is not closed", len(text)-len(rest)+1)
			}
			name, tail = rest[1:end], rest[end+1:]
			more = strings.HasPrefix(tail, ".")
			tail = strings.TrimPrefix(tail, ".")
		} else {
			name, tail, more = strings.Cut(rest, ".")
		}
		path = append(path, record.Step{Name: strings.ReplaceAll(name, "\\`", "`")})
		if !more {
			return path, nil
		}
		rest = tail
	}
}

// closing returns where the back tick is that ends the name at the beginning of
// text: one with a dot or nothing behind it.
func closing(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i] == '`' && text[i-1] != '\\' && (i+1 == len(text) || text[i+1] == '.') {
			return i
		}
	}
	return -1
}

func (t *translation) flatten() {
	if d, ok := t.take("delimiter"); ok {
		t.text("delimiter", d)
	}
	t.connect()
}

func (t *translation) headerFrom() {
	fields, headers := t.names("fields", true), t.names("headers", true)
	operation, ok := t.required("operation")
	if ok && operation != "copy" && operation != "move" {
		t.mistake("operation", fmt.Sprintf("unknown operation %q", operation), "It is copy or move.")
	}
	if len(fields) != len(headers) {
		t.mistake("headers", "fields and headers differ in length", "Each field needs the name of its header, in the same place.")
	}
	t.texts("fields", literals(fields))
	t.texts("headers", headers)
	t.text("operation", operation)
	t.connect()
	t.nulls()
}

func (t *translation) hoistField() {
	if field, ok := t.required("field"); ok {
		t.text("field", literal(field))
		t.text("null", "wrap")
	}
}

func (t *translation) insertField() {
	var required []string
	some := false
	for _, what := range []string{"topic", "partition", "offset", "timestamp", "static"} {
		name, ok := t.take(what + ".field")
		if !ok {
			continue
		}
		some = true
		switch {
		case strings.HasSuffix(name, "!"):
			name = strings.TrimSuffix(name, "!")
			required = append(required, what)
		case strings.HasSuffix(name, "?"):
			name = strings.TrimSuffix(name, "?")
		}
		t.text(what+"_field", literal(name))
	}
	value, given := t.take("static.value")
	_, static := t.props[t.prefix+"static.field"]
	switch {
	case static && !given:
		t.mistake("static.value", "is missing", "static.field needs it.")
	case static:
		t.text("static_value", value)
	}
	if !some {
		t.mistake("type", "no field is inserted", "Give at least one of topic.field, partition.field, offset.field, timestamp.field and static.field.")
	}
	t.texts("required", required)
	t.text("existing", "connect")
	t.connect()
	t.nulls()
}

func (t *translation) insertHeader() {
	header, ok := t.required("header")
	value, okValue := t.required("value.literal")
	if ok && okValue {
		t.text("header", header)
		t.text("value", value)
	}
}

func (t *translation) maskField() {
	t.texts("fields", literals(t.names("fields", true)))
	if r, ok := t.take("replacement"); ok {
		if r == "" {
			t.mistake("replacement", "is empty", "Kafka Connect refuses it, too. Leave it out for the empty value of each type.")
		} else {
			t.text("replacement", r)
		}
	}
	t.connect()
	t.nulls()
}

func (t *translation) regexRouter() {
	pattern, ok := t.required("regex")
	replacement, okReplacement := t.required("replacement")
	if !ok || !okReplacement {
		return
	}
	re, err := Regex(pattern)
	if err != nil {
		t.mistake("regex", "the regular expression cannot be translated", sentence(err))
		return
	}
	out, err := Replacement(replacement, re)
	if err != nil {
		t.mistake("replacement", "the replacement cannot be translated", sentence(err))
		return
	}
	t.text("regex", re)
	t.text("replacement", out)
	if strings.Contains(re, "|") || strings.Count(re, "*")+strings.Count(re, "+")+strings.Count(re, "?")+strings.Count(re, "{") > 1 {
		t.connect() // its first match within a topic may be shorter than the topic
	}
}

func (t *translation) replaceField() {
	exclude, include := t.names("exclude", false), t.names("include", false)
	t.texts("exclude", literals(exclude))
	t.texts("include", literals(include))
	var renames [][2]string
	for _, pair := range t.names("renames", false) {
		from, to, ok := strings.Cut(pair, ":")
		from, to = strings.TrimSpace(from), strings.TrimSpace(to)
		if !ok || strings.Contains(to, ":") || from == "" || to == "" {
			t.mistake("renames", fmt.Sprintf("%q is not old:new", pair), "Write pairs of names with one colon.")
			return
		}
		renames = slices.DeleteFunc(renames, func(r [2]string) bool { return r[0] == literal(from) }) // the last one counts
		if from != to {
			renames = append(renames, [2]string{literal(from), literal(to)})
		}
	}
	if len(renames) > 0 {
		t.pairs("renames", renames)
	}
	for _, removed := range []string{"blacklist", "whitelist"} {
		if _, ok := t.take(removed); ok {
			t.note(removed, "is ignored", "Kafka 4 has removed it: use exclude or include.")
		}
	}
	t.connect()
	t.nulls()
	if len(exclude)+len(include)+len(renames) == 0 {
		t.nothing()
	}
}

// nothing leaves the element out.
func (t *translation) nothing() {
	t.note("type", "changes nothing", "There is no processor for it.")
	t.element.Type = ""
}

func (t *translation) setSchemaMetadata() {
	name, ok := t.take("schema.name")
	if ok && name != "" {
		t.text("schema_name", name)
	}
	version, okVersion := t.take("schema.version")
	if okVersion {
		if n, err := strconv.ParseInt(strings.TrimSpace(version), 10, 32); err != nil {
			t.mistake("schema.version", fmt.Sprintf("%q is no version", version), "Write a whole number.")
		} else {
			t.set("schema_version", strconv.FormatInt(n, 10))
		}
	}
	if ok && name == "" && !okVersion {
		t.nothing()
	}
	if !ok && !okVersion {
		t.mistake("schema.name", "neither name nor version is given", "Give at least one of schema.name and schema.version.")
	}
	t.connect()
	t.nulls()
}

func (t *translation) timestampConverter() {
	if field, ok := t.take("field"); ok && field != "" {
		t.text("field", literal(field))
	}
	target, ok := t.required("target.type")
	switch target {
	case "string", "unix", "Date", "Time", "Timestamp":
		t.text("target", strings.ToLower(target))
	default:
		if ok {
			t.mistake("target.type", fmt.Sprintf("unknown type %q", target), "It is string, unix, Date, Time or Timestamp.")
		}
	}
	format, _ := t.take("format")
	switch {
	case format != "":
		if _, err := javatime.Compile(format, true); err != nil {
			t.mistake("format", "the pattern cannot be translated", sentence(err))
		}
		t.text("format", format)
	case target == "string":
		t.mistake("format", "is missing", "Text needs a pattern, such as yyyy-MM-dd.")
	}
	if p, ok := t.take("unix.precision"); ok {
		switch p {
		case "seconds", "milliseconds", "microseconds", "nanoseconds":
			t.text("unix_precision", p)
		default:
			t.mistake("unix.precision", fmt.Sprintf("unknown precision %q", p), "It is seconds, milliseconds, microseconds or nanoseconds.")
		}
	}
	t.connect()
	t.nulls()
}

func (t *translation) timestampRouter() {
	if f, ok := t.take("topic.format"); ok {
		t.text("topic_format", f)
	}
	if f, ok := t.take("timestamp.format"); ok {
		if _, err := javatime.Compile(f, true); err != nil {
			t.mistake("timestamp.format", "the pattern cannot be translated", sentence(err))
		}
		t.text("timestamp_format", f)
	}
}

func (t *translation) valueToKey() {
	var fields []string
	for _, f := range t.names("fields", true) {
		if !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	t.texts("fields", literals(fields))
	t.text("missing", "connect")
	t.nulls()
}

// runeAt is the character of a text at a byte, for messages.
func runeAt(text string, i int) int { return utf8.RuneCountInString(text[:i]) + 1 }
