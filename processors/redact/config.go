// Package redact is the processor that takes personal data and secrets out of
// records.
package redact

import (
	"fmt"
	"slices"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Config holds the options of redact.
type Config struct {
	Fields   []engine.Pattern `flow:"fields" doc:"Patterns of names: the whole value of a field, at any depth, whose name one of them matches from its beginning to its end is redacted. Upper and lower case do not matter." example:"[\"password\", \".*_token\", \"ssn\"]"`
	Values   []string         `flow:"values" oneof:"card email phone iban ip" doc:"Kinds of text that are redacted wherever they stand within a text, whatever the name of the field: card (13 to 19 digits with the right check digit, also as a number), email, phone (international with +, or in groups as written in North America), iban (with the right check digits), ip (versions 4 and 6)." example:"[\"card\", \"email\"]"`
	Patterns []engine.Pattern `flow:"patterns" doc:"Further patterns of text that is redacted wherever it stands." example:"[\"sk-[A-Za-z0-9]{20,}\"]"`
	In       []string         `flow:"in" oneof:"value key headers" doc:"Which parts of a record are looked at."`
	With     string           `flow:"with" doc:"The text that stands for what was redacted."`
	Mode     string           `flow:"mode" oneof:"replace hash remove keep_last" doc:"replace writes with. hash writes a keyed hash (HMAC-SHA-256 with secret, 16 bytes in hexadecimal), so that equal values stay equal. remove takes out fields, and matches within texts, altogether. keep_last writes with and the last keep characters."`
	Keep     int              `flow:"keep" unit:"characters" min:"1" max:"16" doc:"With mode keep_last: how many characters stay. A value of no more than twice as many is redacted whole."`
	Secret   engine.Secret    `flow:"secret" doc:"With mode hash: the key. Without one anybody could hash all possible values and compare." example:"env(\"REDACT_KEY\")"`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{In: []string{"value"}, With: "[redacted]", Mode: "replace", Keep: 4}
}

// Validate checks what goes together.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	if len(c.Fields) == 0 && len(c.Values) == 0 && len(c.Patterns) == 0 {
		ps = append(ps, engine.Problem{Summary: "redact has nothing to look for", Detail: `Give fields, values or patterns, such as: fields = ["password"]`})
	}
	if c.Mode == "hash" && c.Secret.IsZero() {
		ps = append(ps, engine.Problem{Option: "mode", Summary: "hash needs a secret", Detail: `Add secret = env("REDACT_KEY"): without one anybody could hash all possible values and compare.`})
	}
	if c.Mode != "hash" && !c.Secret.IsZero() {
		ps = append(ps, engine.Problem{Option: "secret", Summary: "secret without mode hash", Detail: `It is the key of the hash: add mode = "hash", or remove it.`})
	}
	for i, p := range c.Patterns {
		if p.MatchString("") {
			ps = append(ps, engine.Problem{Option: fmt.Sprintf("patterns[%d]", i), Summary: "pattern matches nothing at all", Detail: "It matches the empty text, so it would be found everywhere. Write it so that it needs at least one character."})
		}
	}
	return ps
}

// changes says which parts of a record are looked at and may change.
func (c *Config) changes() engine.Changes {
	ch := engine.Changes{Key: slices.Contains(c.In, "key"), AllHeaders: slices.Contains(c.In, "headers")}
	if slices.Contains(c.In, "value") {
		ch.Reads, ch.WholeValue = []record.Path{{}}, true
	}
	return ch
}
