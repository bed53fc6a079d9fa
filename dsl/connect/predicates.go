package connect

import (
	"strconv"
	"strings"
)

const (
	transformPackage = "org.apache.kafka.connect.transforms."
	predicatePackage = transformPackage + "predicates."
)

// when is the condition of a transform as an expression; empty: always.
func (t *translation) when() string {
	alias, ok := t.take("predicate")
	negate := t.flag("negate", false)
	if !ok || alias == "" {
		if negate {
			t.mistake("negate", "there is no predicate to negate", "Give predicate, or remove negate.")
		}
		return ""
	}
	if !contains(list(t.props["predicates"]), alias) {
		t.mistake("predicate", "there is no predicate "+alias, "predicates must name it.")
		return ""
	}
	text, findings := Predicate(t.props, alias)
	t.findings = append(t.findings, findings...)
	if negate && text != "" {
		return "!" + text
	}
	return text
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// Predicate translates a predicate of a connector's properties to an
// expression, empty with a Mistake.
func Predicate(props map[string]string, alias string) (string, []Finding) {
	p := &translation{props: props, prefix: "predicates." + alias + "."}
	class, _ := p.take("type")
	var text string
	switch strings.TrimPrefix(class, predicatePackage) {
	case "TopicNameMatches":
		pattern, ok := p.required("pattern")
		if !ok {
			break
		}
		if pattern == "" {
			p.mistake("pattern", "is empty", "Kafka Connect refuses it, too.")
			break
		}
		re, err := Regex(pattern)
		if err != nil {
			p.mistake("pattern", "the regular expression cannot be translated", sentence(err))
			break
		}
		text = "topicMatches(" + strconv.Quote(re) + ")"
	case "HasHeaderKey":
		name, ok := p.required("name")
		if !ok {
			break
		}
		if name == "" {
			p.mistake("name", "is empty", "Kafka Connect refuses it, too.")
			break
		}
		text = "hasHeader(" + strconv.Quote(name) + ")"
	case "RecordIsTombstone":
		text = "isTombstone()"
	case "":
		p.mistake("type", "is missing", "Give the class of the predicate.")
	default:
		p.mistake("type", "unknown predicate "+class, "It is none of Apache Kafka's own. Write the condition as an expression.")
	}
	p.leftOver()
	return text, p.findings
}

// filter turns the condition around: Connect's Filter drops what ours keeps.
func (t *translation) filter(when string) {
	switch {
	case when == "":
		t.text("where", "false")
		t.note("type", "drops every record", "Filter has no predicate. If that is meant, use an output \"drop\".")
	case strings.HasPrefix(when, "!"):
		t.text("where", when[1:])
	default:
		t.text("where", "!"+when)
	}
}

func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
