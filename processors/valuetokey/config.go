// Package valuetokey is the processor value_to_key: it makes the key of fields
// of the value.
package valuetokey

import (
	"fmt"
	"strings"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of value_to_key.
type Config struct {
	transform.Filtered
	Fields  []engine.PathOption `flow:"fields,required" doc:"Paths of the fields. In the key each has the last name of its path." example:"[\"id\", \"customer.country\"]"`
	Unwrap  bool                `flow:"unwrap" doc:"With one field: the key is the field itself, not an object that holds it."`
	Missing string              `flow:"missing" oneof:"error null connect" doc:"What a field that is not there means. error: an error of the record. null: a null in the key. connect: as in Kafka Connect, a null without a schema and an error with one that has no such field; a tombstone is an error then, too, while otherwise it passes with the key that it has."`
	transform.Nulls
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{Missing: "error"} }

// Validate finds fields that would have the same name in the key.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	if len(c.Fields) == 0 {
		ps = append(ps, engine.Problem{Option: "fields", Summary: "fields is empty", Detail: `Name at least one: fields = ["id"]`})
	}
	if c.Unwrap && len(c.Fields) > 1 {
		ps = append(ps, engine.Problem{Option: "unwrap", Summary: "unwrap with several fields", Detail: "A key of several fields is an object. Remove unwrap, or leave one field."})
	}
	seen := make(map[string]bool)
	for i, f := range c.Fields {
		option := fmt.Sprintf("fields[%d]", i)
		if len(f.Path) == 0 {
			ps = append(ps, engine.Problem{Option: option, Summary: "path is empty", Detail: "Write the path of a field. For the whole value as key use: map { key = \"value\" }"})
			continue
		}
		last := f.Path[len(f.Path)-1]
		if last.IsIndex && !c.Unwrap {
			ps = append(ps, engine.Problem{Option: option, Summary: "an element has no name", Detail: "The key has members, which need names. With one field set unwrap = true."})
			continue
		}
		if seen[last.Name] {
			ps = append(ps, engine.Problem{Option: option, Summary: fmt.Sprintf("the key would have %q twice", last.Name), Detail: "In the key each field has the last name of its path. Use a map with key to choose names."})
		}
		seen[last.Name] = true
	}
	return ps
}

func (c *Config) paths() []record.Path { return transform.Paths(c.Fields) }

// equal is the processor as a map.
func (c *Config) equal() []string {
	value := transform.Common{On: transform.OnValue}
	condition := value.NotNull()
	if c.Missing == "connect" {
		condition = transform.Require(condition, "the value is null, so it has no fields for a key")
	}
	var members []string
	for _, p := range c.paths() {
		ref, missing := value.Ref(p), "throw("+transform.Text("there is no "+p.String())+")"
		switch c.Missing {
		case "null":
			missing = "nil"
		case "connect":
			missing = fmt.Sprintf("!isObject(value) || %s ? %s : nil", value.Gap(p), missing)
		}
		text := fmt.Sprintf("has(%s) ? %s : %s", ref, c.Read(ref), missing)
		if c.Unwrap {
			return []string{c.Map(condition, transform.Option("key", text))}
		}
		members = append(members, transform.Member(p[len(p)-1].Name)+": "+text)
	}
	return []string{c.Map(condition, transform.Option("key", "{"+strings.Join(members, ", ")+"}"))}
}
