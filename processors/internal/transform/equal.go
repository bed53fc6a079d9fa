package transform

import (
	"slices"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Ref is how an expression writes a path of a part: value.a["b.c"].
func (c *Common) Ref(path record.Path) string {
	root := "value"
	if c.Key() {
		root = "key"
	}
	text := path.String()
	if text == "" || text[0] == '[' {
		return root + text
	}
	return root + "." + text
}

// There is a condition: there is something at a path that is not null.
func (c *Common) There(path record.Path) string {
	ref := c.Ref(path)
	if len(path) == 0 {
		return ref + " != nil"
	}
	return "has(" + ref + ") && " + ref + " != nil"
}

// Whole is the option of map that sets a part.
func (c *Common) Whole(expression string) string {
	return Option(c.On, expression)
}

// Option writes an option that holds a text.
func Option(name, text string) string { return name + " = " + engine.HCLString(text) }

// List writes an option that holds a list of texts.
func List(name string, texts []string) string {
	quoted := make([]string, len(texts))
	for i, s := range texts {
		quoted[i] = engine.HCLString(s)
	}
	return name + " = [" + strings.Join(quoted, ", ") + "]"
}

// Pairs writes an option that holds pairs: set, headers, rename.
func Pairs(name string, pairs ...string) string {
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		key := engine.HCLString(pairs[i])
		if plain(pairs[i]) {
			key = pairs[i]
		}
		out = append(out, key+" = "+engine.HCLString(pairs[i+1]))
	}
	return name + " = { " + strings.Join(out, ", ") + " }"
}

// Map is a map with these options that works where f and the condition, unless
// it is empty, hold. Each option stands on its own line.
func (f *Filtered) Map(condition string, options ...string) string {
	if !f.When.IsZero() {
		text := strings.TrimSpace(f.When.Source.Text())
		if condition != "" {
			text = "(" + text + ") && " + condition
		}
		condition = text
	}
	if condition != "" {
		options = append([]string{Option("when", condition)}, options...)
	}
	return "map {\n  " + strings.Join(options, "\n  ") + "\n}"
}

// Text is a text as an expression writes it.
func Text(s string) string {
	for _, r := range s {
		if r < ' ' || r > '~' || r == '\'' || r == '\\' {
			return strconv.Quote(s)
		}
	}
	return "'" + s + "'" // which HCL need not escape
}

// Member is a name as it stands in an object that an expression makes.
func Member(name string) string {
	if plain(name) {
		return name
	}
	return Text(name)
}

// plain reports a name that needs no quotes.
func plain(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	// Words of expressions are no names of members.
	return s != "" && !slices.Contains([]string{"true", "false", "nil", "null", "let", "if", "else", "for", "in", "not", "and", "or", "matches", "contains", "startsWith", "endsWith"}, s)
}

// Texts are paths as options write them.
func Texts(paths []record.Path) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = p.String()
	}
	return out
}
