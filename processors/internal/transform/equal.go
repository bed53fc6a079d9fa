package transform

import (
	"fmt"
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

// Read is how an expression reads a path: nulls count as their defaults if n
// says so.
func (n *Nulls) Read(ref string) string {
	if n.ReplaceNull {
		return "withDefaults(" + ref + ")"
	}
	return ref
}

// There is a condition: there is something at a path that is not null.
func (n *Nulls) There(c *Common, path record.Path) string {
	ref := c.Ref(path)
	text := n.Read(ref) + " != nil"
	if len(path) > 0 {
		text = "has(" + ref + ") && " + text
	}
	return text
}

// NotNull is a condition: the part is not null.
func (c *Common) NotNull() string { return c.Ref(nil) + " != nil" }

// SetFields is a map that sets fields of the part to what an expression makes of
// each that is there and not null. connect is, for a transform that does as Kafka
// Connect, the condition under which it works: a field that is not there becomes
// null where there is no schema.
func (n *Nulls) SetFields(c *Common, connect string, paths []record.Path, expression func(i int, ref string) string) string {
	if len(paths) == 1 && connect == "" && !n.ReplaceNull {
		ref := c.Ref(paths[0])
		return c.Members(n.There(c, paths[0]), Pairs("set", paths[0].String(), expression(0, ref)))
	}
	var pairs []string
	for i, p := range paths {
		ref := n.Read(c.Ref(p))
		text := n.There(c, p) + " ? " + expression(i, ref) + " : nothing()"
		if connect != "" {
			root := c.Ref(nil)
			text = fmt.Sprintf("has(%s) ? (%s != nil ? %s : nothing()) : !isObject(%s) ? throw('it is not an object') : schemaType(%s) == nil ? nil : nothing()", c.Ref(p), ref, expression(i, ref), root, root)
		}
		pairs = append(pairs, p.String(), text)
	}
	condition := connect
	if connect == "" && n.ReplaceNull {
		condition = c.NotNull()
	}
	return c.Members(condition, append(n.First(c), Pairs("set", pairs...))...)
}

// First are the options of a map that gives the fields their defaults
// first, if n says so.
func (n *Nulls) First(c *Common) []string {
	if !n.ReplaceNull {
		return nil
	}
	return []string{c.Whole(n.Read(c.Ref(nil)))}
}

// Members is a map whose options name members of the part.
func (c *Common) Members(condition string, options ...string) string {
	if c.Key() {
		options = append([]string{Option("on", c.On)}, options...)
	}
	return c.Map(condition, options...)
}

// Require is a condition that is an error of the record where it does not hold.
func Require(condition, message string) string {
	return "(" + condition + " || throw(" + Text(message) + "))"
}

// Typed is a condition: the part has a schema.
func (c *Common) Typed() string { return "schemaType(" + c.Ref(nil) + ") != nil" }

// Gap is a condition: the part has a schema without this field.
func (c *Common) Gap(path record.Path) string {
	return c.Typed() + " && schemaType(" + c.Ref(path) + ") == nil"
}

// Whole is the option of map that sets the part.
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
