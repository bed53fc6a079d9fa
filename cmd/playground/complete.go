package playground

import (
	"cmp"
	"slices"
	"strings"

	"github.com/flowrecords/flow/dsl/expr/funcs"
	"github.com/flowrecords/flow/engine/record"
)

// candidate is one completion of what stands before the cursor.
type candidate struct {
	// value replaces the word, show is what the list says, note its type or
	// signature, group its heading.
	value, show, note, group string
}

// Groups of candidates, in the order in which they are listed.
const (
	groupFields    = "fields"
	groupConstants = "variables and locals"
	groupFunctions = "functions"
	groupWords     = "the language"
	groupCommands  = "commands"
	groupFiles     = "files"
	groupElements  = "processors"
)

// completer knows what can be written.
type completer struct {
	value, key *shape
	headers    []string
	meta       []string
	constants  *shape // var and local
	secrets    map[string]bool
	functions  []function
	elements   []string // addresses of processors
	files      func(prefix string) []string
}

// function is what may be called, of the library or of the config.
type function struct {
	name, signature, doc string
	takes                bool // it has parameters
}

// libraryFunctions lists the library and the language's own functions.
func libraryFunctions() []function {
	var out []function
	for _, f := range funcs.All() {
		out = append(out, function{f.Name, funcs.Signature(f), f.Doc, len(f.Params) > 0})
	}
	slices.SortFunc(out, func(a, b function) int { return cmp.Compare(a.name, b.name) })
	return out
}

// complete returns the word before the end of line and what may stand in its
// place. line ends at the cursor.
func (c *completer) complete(line string) (word string, out []candidate) {
	trimmed := strings.TrimLeft(line, " ")
	if strings.HasPrefix(trimmed, ":") && !strings.Contains(trimmed, "\n") {
		name, rest, hasArg := strings.Cut(trimmed, " ")
		if !hasArg {
			return name, c.commands(name)
		}
		spec, ok := lookupCommand(name[1:])
		if !ok {
			return "", nil
		}
		if !spec.expression {
			word = strings.TrimLeft(rest, " ")
			return word, c.argument(spec.name, word)
		}
		line = rest
	}
	return c.expression(line)
}

func (c *completer) commands(prefix string) []candidate {
	var out []candidate
	for _, spec := range commandSpecs() {
		value := ":" + spec.name
		if spec.args != "" {
			value += " "
		}
		if strings.HasPrefix(value, prefix) {
			out = append(out, candidate{value, ":" + spec.name, spec.help, groupCommands})
		}
	}
	return out
}

// argument completes what a command takes that is no expression.
func (c *completer) argument(command, word string) []candidate {
	var out []candidate
	add := func(group, name, note string) {
		if strings.HasPrefix(name, word) {
			out = append(out, candidate{name, name, note, group})
		}
	}
	switch command {
	case "doc", "functions":
		for _, f := range c.functions {
			add(groupFunctions, f.name, f.signature)
		}
		if command == "doc" {
			for _, spec := range languageWords() {
				add(groupWords, spec.name, spec.use)
			}
		}
	case "run", "diff":
		for _, e := range c.elements {
			add(groupElements, e, "")
		}
	case "load":
		for _, f := range c.files(word) {
			add(groupFiles, f, "")
		}
	}
	return out
}

// expression completes the path or name at the end of an expression.
func (c *completer) expression(line string) (string, []candidate) {
	tokens := lex(line)
	if n := len(tokens); n > 0 && (tokens[n-1].open && !c.inBrackets(line, tokens) || tokens[n-1].kind == tokenNumber ||
		tokens[n-1].kind == tokenComment && !strings.HasSuffix(line, "\n")) {
		return "", nil // within a text, a comment or a number
	}
	from := pathStart(line, tokens)
	word := line[from:]
	if strings.ContainsAny(word, ".[") {
		return word, c.path(word, line[:from])
	}
	return word, c.names(word)
}

// inBrackets reports that the text that is open is the name of a member:
// value["a.
func (c *completer) inBrackets(line string, tokens []token) bool {
	n := len(tokens)
	return n >= 2 && tokens[n-1].kind == tokenText && line[tokens[n-2].from:tokens[n-2].to] == "["
}

// pathStart is where the path that ends a line begins: value.items[0].sk
func pathStart(line string, tokens []token) int {
	i := len(tokens)
	text := func(k int) string { return line[tokens[k].from:tokens[k].to] }
	wantName := false // what comes before must end an operand
	for i > 0 {
		t := tokens[i-1]
		switch {
		case !wantName && t.kind == tokenName && !slices.Contains(wordOperators(), text(i-1)):
			i--
			if i == 0 || !isDot(text(i-1)) {
				return tokens[i].from
			}
			continue
		case !wantName && t.kind == tokenText && i > 1 && text(i-2) == "[": // [" not closed
			i -= 2
			wantName = true
			continue
		case !wantName && t.kind == tokenSign && text(i-1) == "[" && i > 1 && (tokens[i-2].kind == tokenName || text(i-2) == "]"):
			i--
			wantName = true
			continue
		case t.kind == tokenSign && text(i-1) == "]" && i > 2 && text(i-3) == "[":
			i -= 3
			wantName = true
			continue
		case t.kind == tokenSign && isDot(text(i-1)):
			if i > 1 && (tokens[i-2].kind == tokenName || text(i-2) == "]" || text(i-2) == "#") {
				i--
				wantName = false
				continue
			}
			return tokens[i-1].from // .price within a predicate
		case t.kind == tokenSign && text(i-1) == "#":
			return tokens[i-1].from
		case wantName && t.kind == tokenName:
			wantName = false
			continue
		}
		break
	}
	if i == len(tokens) {
		return len(line)
	}
	return tokens[i].from
}

func isDot(s string) bool { return s == "." || s == "?." }

// names completes the first name of a path, functions and words.
func (c *completer) names(word string) []candidate {
	var out []candidate
	add := func(group, value, note string) {
		if strings.HasPrefix(value, word) {
			out = append(out, candidate{value, value, note, group})
		}
	}
	roots := []struct{ name, note string }{
		{"value", c.value.typeText()}, {"key", c.key.typeText()}, {"headers", "object"}, {"topic", "string"}, {"partition", "int"},
		{"offset", "int"}, {"timestamp", "time or nil"}, {"meta", "object"},
	}
	for _, r := range roots {
		add(groupFields, r.name, r.note)
	}
	for _, root := range c.constants.members {
		if len(root.members) > 0 {
			add(groupConstants, root.name, root.typeText())
		}
	}
	for _, f := range c.functions {
		value := f.name + "("
		if !f.takes {
			value += ")"
		}
		if strings.HasPrefix(f.name, word) {
			out = append(out, candidate{value, f.name, f.signature, groupFunctions})
		}
	}
	for _, k := range keywords() {
		add(groupWords, k, "")
	}
	if word == "" { // everything at once is no help: the functions are many
		out = slices.DeleteFunc(out, func(x candidate) bool { return x.group == groupFunctions || x.group == groupWords })
	}
	return out
}

// path completes a member of what the words before it lead to.
func (c *completer) path(word, before string) []candidate {
	stem, rest := word, ""
	if i := strings.LastIndexAny(word, ".["); i >= 0 {
		stem, rest = word[:i], word[i:]
	}
	optional := strings.HasSuffix(stem, "?") && strings.HasPrefix(rest, ".")
	if i := strings.LastIndexByte(word, '['); i >= 0 && !strings.Contains(word[i:], "]") {
		stem, rest, optional = word[:i], word[i:], false
	}
	stem = strings.TrimSuffix(stem, "?")
	at, root := c.follow(stem, before)
	if at == nil {
		return nil
	}
	var out []candidate
	add := func(value, show, note string) {
		if strings.HasPrefix(value, word) {
			out = append(out, candidate{value, show, note, root})
		}
	}
	if strings.HasPrefix(rest, "[") {
		quote := `"`
		if strings.HasPrefix(rest, "['") {
			quote = "'"
		}
		for _, m := range at.members {
			if !strings.ContainsAny(m.name, `"'\`) {
				add(stem+"["+quote+m.name+quote+"]", m.name, c.note(stem, m))
			}
		}
		if at.elements != nil {
			add(stem+"[0]", "0", at.elements.typeText()+", the first")
			add(stem+"[-1]", "-1", at.elements.typeText()+", the last")
		}
		return out
	}
	dot := "."
	if optional {
		dot = "?."
	}
	for _, m := range at.members {
		if text := memberText(m.name); strings.HasPrefix(text, ".") {
			add(stem+dot+m.name, m.name, c.note(stem, m))
		}
	}
	return out
}

// note is the type of a member; a secret tells nothing of itself.
func (c *completer) note(stem string, m namedShape) string {
	if c.secrets[stem+"."+m.name] {
		return secret
	}
	return m.typeText()
}

// follow finds the shape that a path leads to. Within a predicate, # and a
// leading dot are the elements of what the call is about.
func (c *completer) follow(stem, before string) (*shape, string) {
	if stem == "" || stem[0] == '#' || stem[0] == '.' {
		elements := c.predicate(before)
		if elements == nil {
			return nil, ""
		}
		stem = strings.TrimPrefix(strings.TrimPrefix(stem, "#"), ".")
		if stem == "" {
			return elements, groupFields
		}
		path, ok := parsePath(stem)
		if !ok {
			return nil, ""
		}
		return elements.at(path), groupFields
	}
	path, ok := parsePath(stem)
	if !ok || len(path) == 0 || path[0].IsIndex {
		return nil, ""
	}
	rest := path[1:]
	switch name := path[0].Name; name {
	case "value":
		return c.value.at(rest), groupFields
	case "key":
		return c.key.at(rest), groupFields
	case "headers":
		return namesShape(c.headers).at(rest), groupFields
	case "meta":
		return namesShape(c.meta).at(rest), groupFields
	case "var", "local":
		if len(rest) > 0 && c.secrets[name+"."+rest[0].Name] {
			return nil, ""
		}
		return c.constants.at(path), groupConstants
	}
	return nil, ""
}

func parsePath(s string) (record.Path, bool) {
	p, err := record.ParsePath(strings.ReplaceAll(s, "?.", "."))
	return p, err == nil
}

func namesShape(names []string) *shape {
	s := &shape{kinds: []record.Kind{record.Object}}
	for _, n := range names {
		s.members = append(s.members, namedShape{n, &shape{kinds: []record.Kind{record.String}}})
	}
	return s
}

// predicate returns the elements that the innermost call around the cursor
// goes over: filter(value.items, .
func (c *completer) predicate(before string) *shape {
	tokens := lex(before)
	depth := 0
	for i := len(tokens) - 1; i >= 0; i-- {
		switch before[tokens[i].from:tokens[i].to] {
		case ")", "]", "}":
			depth++
		case "(", "[", "{":
			if depth--; depth >= 0 {
				continue
			}
			depth = 0
			if i == 0 || tokens[i-1].kind != tokenName {
				continue // a group within the call
			}
			first := before[tokens[i].to:]
			if comma := strings.IndexByte(first, ','); comma >= 0 {
				at, _ := c.follow(strings.TrimSpace(first[:comma]), before[:tokens[i-1].from])
				if at == nil {
					return nil
				}
				return at.elements
			}
			return nil
		}
	}
	return nil
}

// calling returns the function whose arguments the cursor is in.
func (c *completer) calling(line string) (function, bool) {
	tokens := lex(line)
	depth := 0
	for i := len(tokens) - 1; i >= 0; i-- {
		if tokens[i].kind != tokenSign {
			continue
		}
		switch line[tokens[i].from:tokens[i].to] {
		case ")":
			depth++
		case "(":
			if depth--; depth < 0 {
				if i > 0 && tokens[i-1].kind == tokenName {
					name := line[tokens[i-1].from:tokens[i-1].to]
					for _, f := range c.functions {
						if f.name == name {
							return f, true
						}
					}
				}
				depth = 0
			}
		}
	}
	return function{}, false
}
