// Package mapping is the processor map: it reshapes records. (map is a word
// of Go, so the folder has another name.)
package mapping

import (
	"fmt"
	"slices"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of map.
type Config struct {
	When engine.Expression `flow:"when,bool" doc:"Changes only the records for which this holds; the others pass as they are." example:"\"value.country == 'KR'\""`

	On string `flow:"on" oneof:"value key" doc:"The part of the record whose members keep, remove, rename and set change."`

	Value  engine.Expression   `flow:"value" doc:"The whole new value. null makes the record a tombstone." example:"\"{id: value.id, total: value.price * value.quantity}\""`
	Keep   []engine.PathOption `flow:"keep" doc:"Members to keep; all others are removed, and so is a text or number that stands where one of these would go through." example:"[\"id\", \"customer.email\"]"`
	Remove []engine.PathOption `flow:"remove" doc:"Members to remove. One that is not there is no error." example:"[\"internal\", \"customer.card\"]"`
	Rename engine.Renames      `flow:"rename" doc:"Members to rename or move, old = new; all at once, so that two can change places. One that is not there is no error." example:"{ order_id = \"id\" }"`
	Set    engine.Assignments  `flow:"set" doc:"Members to set, path = expression. Objects on the way are made. nil sets null; to take a member away use remove, to leave it as it is nothing()." example:"{ total = \"value.price * value.quantity\" }"`

	Key           engine.Expression       `flow:"key" doc:"The new key. null removes it." example:"\"value.id\""`
	Headers       engine.NamedExpressions `flow:"headers" doc:"Headers to set, name = expression. null removes the header." example:"{ source = \"'orders'\" }"`
	AddHeaders    engine.NamedExpressions `flow:"add_headers" doc:"Headers to add, name = expression; those of the same name that are there stay. null makes a header that is null." example:"{ seen-by = \"'flow'\" }"`
	RemoveHeaders []string                `flow:"remove_headers" doc:"Headers to remove." example:"[\"trace-id\"]"`
	Topic         engine.Expression       `flow:"topic,destination" allow:"topics" doc:"The new topic." example:"\"'orders-' + lower(value.country)\""`
	Topics        []string                `flow:"topics" doc:"The topics that topic may give. Any other result is an error of the record." example:"[\"orders-kr\", \"orders-us\"]"`
	Timestamp     engine.Expression       `flow:"timestamp" doc:"The new timestamp, a time. null removes it." example:"\"fromUnixMilli(value.created_ms)\""`
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{On: transform.OnValue} }

// Validate finds a map that does nothing and paths that exclude each other.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	if c.empty() {
		ps = append(ps, engine.Problem{
			Summary: "map changes nothing",
			Detail:  "Give at least one of value, keep, remove, rename, set, key, headers, add_headers, remove_headers, topic or timestamp.",
		})
	}
	if len(c.Topics) > 0 && c.Topic.IsZero() {
		ps = append(ps, engine.Problem{
			Option:  "topics",
			Summary: "topics without topic",
			Detail:  "topics lists what the expression topic may give. Set topic, or remove topics.",
		})
	}
	ps = append(ps, c.checkTopics()...)
	seen := make(map[string]bool, len(c.Set))
	for _, a := range c.Set {
		p := a.Path.String()
		if len(a.Path) == 0 {
			ps = append(ps, engine.Problem{Option: "set", Summary: "set names the whole " + c.part(), Detail: fmt.Sprintf("Use the option %[1]s for the whole %[1]s.", c.part())})
			continue
		}
		if seen[p] {
			ps = append(ps, engine.Problem{
				Option:  "set",
				Summary: fmt.Sprintf("%s is set twice", p),
				Detail:  "All expressions of a map see the record as it came in, so only one of them can be meant. Use a second map to build on the first.",
			})
		}
		seen[p] = true
	}
	to := make(map[string]string)
	for _, r := range c.Rename {
		from, name := r.From.String(), r.To.String()
		switch other, twice := to[name]; {
		case from == name:
			ps = append(ps, engine.Problem{Option: "rename", Summary: fmt.Sprintf("%s is renamed to itself", r.From), Detail: "Remove this line."})
		case twice:
			ps = append(ps, engine.Problem{Option: "rename", Summary: fmt.Sprintf("two members are renamed to %s", name), Detail: fmt.Sprintf("They are %s and %s, and only one could stay.", other, from)})
		}
		to[name] = from
	}
	return ps
}

// checkTopics finds names that no topic can have.
func (c *Config) checkTopics() []engine.Problem {
	var ps []engine.Problem
	bad := func(option string, err error) {
		ps = append(ps, engine.Problem{Option: option, Summary: "invalid name of a topic", Detail: "In " + option + ", " + err.Error() + "."})
	}
	for i, name := range c.Topics {
		if err := engine.CheckTopic(name); err != nil {
			bad(fmt.Sprintf("topics[%d]", i), err)
		}
	}
	if source, ok := c.Topic.Source.(interface{ Constant() (record.Value, bool) }); ok {
		if v, ok := source.Constant(); ok && v.Kind() == record.String {
			if err := engine.CheckTopic(v.String()); err != nil {
				bad("topic", err)
			}
		}
	}
	return ps
}

func (c *Config) empty() bool {
	return c.Value.IsZero() && len(c.Keep) == 0 && len(c.Remove) == 0 && len(c.Rename) == 0 && len(c.Set) == 0 &&
		c.Key.IsZero() && len(c.Headers) == 0 && len(c.AddHeaders) == 0 && len(c.RemoveHeaders) == 0 && c.Topic.IsZero() && c.Timestamp.IsZero()
}

// changes says what a map of these options touches.
func (c *Config) changes() engine.Changes {
	ch := engine.Changes{
		WholeValue: !c.Value.IsZero(),
		Headers:    slices.Clone(c.RemoveHeaders),
		Key:        !c.Key.IsZero(),
		Topic:      !c.Topic.IsZero(),
		Timestamp:  !c.Timestamp.IsZero(),
	}
	for _, h := range slices.Concat(c.Headers, c.AddHeaders) {
		ch.Headers = append(ch.Headers, h.Name)
	}
	if c.onKey() {
		ch.Key = ch.Key || len(c.Set)+len(c.Remove)+len(c.Keep)+len(c.Rename) > 0
		return ch
	}
	ch.Moves = c.Rename
	for _, a := range c.Set {
		ch.Sets = append(ch.Sets, a.Path)
	}
	for _, p := range c.Remove {
		ch.Removes = append(ch.Removes, p.Path)
	}
	for _, p := range c.Keep {
		ch.Keeps = append(ch.Keeps, p.Path)
	}
	return ch
}

// onKey reports whether the members of the key are changed.
func (c *Config) onKey() bool { return c.On == "key" }

// part is the name of the one whose members are changed.
func (c *Config) part() string {
	if c.onKey() {
		return "key"
	}
	return transform.OnValue
}
