// Package regexrouter is the processor regex_router: it changes topics by a
// regular expression.
package regexrouter

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of regex_router.
type Config struct {
	transform.Filtered
	Regex       engine.Pattern `flow:"regex,required" doc:"A regular expression in RE2 syntax. Records whose topic it matches from its beginning to its end get a new topic, the others pass as they are." example:"\"shop\\\\.(.*)\""`
	Replacement string         `flow:"replacement,required" doc:"The new topic. $1 or $${1} is a group, $${name} a named one, $$ a dollar sign. (HCL wants $${ written for a dollar sign and a brace.)" example:"\"orders-$1\""`
	Connect     bool           `flow:"connect" doc:"Replaces, as Kafka Connect does, the first match within a topic that matches as a whole: of a|ab that is the a of ab. Without it the whole topic is replaced."`
	Topics      []string       `flow:"topics" doc:"The topics that may come out. Any other is an error of the record." example:"[\"orders-eu\", \"orders-us\"]"`
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{} }

var group = regexp.MustCompile(`\$(\$|[0-9A-Za-z_]+|\{[0-9A-Za-z_]+\})?`)

// Validate finds groups that the pattern has not.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	if c.Regex.Regexp == nil {
		return nil
	}
	for _, m := range group.FindAllStringSubmatch(c.Replacement, -1) {
		name := m[1]
		if name == "$" {
			continue
		}
		if name == "" {
			ps = append(ps, engine.Problem{Option: "replacement", Summary: "a lone $ in replacement", Detail: "Write $$ for a dollar sign, $1 for the first group."})
			continue
		}
		if name[0] == '{' {
			name = name[1 : len(name)-1]
		}
		if n, err := strconv.Atoi(name); err == nil && n <= c.Regex.NumSubexp() {
			continue
		}
		if slices.Contains(c.Regex.SubexpNames()[1:], name) {
			continue
		}
		ps = append(ps, engine.Problem{Option: "replacement", Summary: fmt.Sprintf("regex has no group %s", name), Detail: fmt.Sprintf("It has %d. To write letters or digits behind the number of a group, put it into braces, as ${1}x.", c.Regex.NumSubexp())})
	}
	for i, name := range c.Topics {
		if err := engine.CheckTopic(name); err != nil {
			ps = append(ps, engine.Problem{Option: fmt.Sprintf("topics[%d]", i), Summary: "invalid name of a topic", Detail: "In topics, " + err.Error() + "."})
		}
	}
	return ps
}

// whole is the pattern as it must match all of a topic.
func (c *Config) whole() *regexp.Regexp {
	// The text in a group of its own compiles if the text does.
	return regexp.MustCompile(`^(?:` + c.Regex.String() + `)$`)
}

// equal is the processor as a map.
func (c *Config) equal() []string {
	whole := c.whole()
	text := transform.Text(whole.String())
	condition := fmt.Sprintf("regexMatch(topic, %s)", text)
	if whole.MatchString("") {
		condition = "topic != '' && " + condition
	}
	expression := fmt.Sprintf("regexReplace(topic, %s, %s)", text, transform.Text(c.Replacement))
	if c.Connect {
		expression = fmt.Sprintf("regexReplace(topic, %s, %s, 1)", transform.Text(c.Regex.String()), transform.Text(c.Replacement))
	}
	options := []string{transform.Option("topic", expression)}
	if len(c.Topics) > 0 {
		options = append(options, transform.List("topics", c.Topics))
	}
	return []string{c.Map(condition, options...)}
}
