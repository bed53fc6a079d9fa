package deadletters

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Filter chooses letters. Its zero value takes all.
type Filter struct {
	// Element is an address or its end that is clear: map.shape, shape.
	Element string
	Reason  *regexp.Regexp
	// Since and Until bound the time of the failure, Until not included.
	Since, Until time.Time

	where engine.Program
	r     *record.Record
}

// helpers are the names that an expression of a filter has beside those of the
// language, and what they stand for.
var helpers = []struct{ name, header, text string }{
	{"reason", engine.HeaderErrorReason, `(headers["` + engine.HeaderErrorReason + `"] ?? "")`},
	{"element", engine.HeaderErrorElement, `(headers["` + engine.HeaderErrorElement + `"] ?? "")`},
	{"origin", engine.HeaderErrorOrigin, `(headers["` + engine.HeaderErrorOrigin + `"] ?? "")`},
	{"attempts", engine.HeaderErrorAttempts, `int(headers["` + engine.HeaderErrorAttempts + `"] ?? "0")`},
	{"time", engine.HeaderErrorTime, `toTime(headers["` + engine.HeaderErrorTime + `"] ?? "1970-01-01T00:00:00Z")`},
}

// Where adds an expression, which is bool. Its errors are for people.
func (f *Filter) Where(scope *dsl.Scope, text string) error {
	whole := withHelpers(text)
	c, problems := scope.Compile(whole)
	if len(problems) > 0 {
		var lines []string
		for _, p := range problems {
			line := p.Summary
			if p.Detail != "" {
				line += ": " + p.Detail
			}
			lines = append(lines, line)
		}
		return fmt.Errorf("%s: %s", text, strings.Join(lines, "; "))
	}
	l := record.NewLayout()
	var err error
	if f.where, err = c.Bind(l); err != nil {
		return fmt.Errorf("preparing %s: %w", text, err)
	}
	f.r = record.NewRecord(l)
	return nil
}

// withHelpers puts in front of an expression what the helpers are that it uses.
func withHelpers(text string) string {
	tree, err := parser.Parse(text)
	if err != nil {
		return text // the compiler says it better
	}
	used := &names{}
	ast.Walk(&tree.Node, used)
	var b strings.Builder
	for _, h := range helpers {
		if used.has[h.name] && !used.own[h.name] {
			fmt.Fprintf(&b, "let %s = %s; ", h.name, h.text)
		}
	}
	return b.String() + text
}

// names are the identifiers of an expression, and those that it declares.
type names struct{ has, own map[string]bool }

// Visit implements ast.Visitor.
func (n *names) Visit(node *ast.Node) {
	if n.has == nil {
		n.has, n.own = map[string]bool{}, map[string]bool{}
	}
	switch x := (*node).(type) {
	case *ast.IdentifierNode:
		n.has[x.Value] = true
	case *ast.VariableDeclaratorNode:
		n.own[x.Name] = true
	}
}

// Match reports whether a letter is chosen. An error is one of the expression
// on this record.
func (f *Filter) Match(l *Letter) (bool, error) {
	switch {
	case f.Element != "" && !Means(l.Element, f.Element) && l.Stage != f.Element:
		return false, nil
	case f.Reason != nil && !f.Reason.MatchString(l.Reason):
		return false, nil
	case !f.Since.IsZero() && l.Time.Before(f.Since), !f.Until.IsZero() && !l.Time.Before(f.Until):
		return false, nil
	case f.where == nil:
		return true, nil
	}
	x := l.Record
	x.Headers = append([]record.Header{}, l.Headers...)
	say := func(name, text string) {
		if text != "" {
			x.Headers = append(x.Headers, record.Header{Key: name, Value: []byte(text)})
		}
	}
	// A letter of Connect, or of an envelope without headers, says it elsewhere.
	say(engine.HeaderErrorReason, l.Reason)
	say(engine.HeaderErrorElement, l.Element)
	say(engine.HeaderErrorOrigin, l.Origin)
	say(engine.HeaderErrorAttempts, strconv.Itoa(l.Attempts))
	if !l.Time.IsZero() {
		say(engine.HeaderErrorTime, l.Time.Format(time.RFC3339Nano))
	}
	x.Load(f.r)
	v, err := f.where.Eval(f.r)
	if err != nil {
		return false, err
	}
	if v.Kind() != record.Bool {
		return false, fmt.Errorf("the result is no bool")
	}
	return v.Bool(), nil
}

// Means reports whether a name of the command line may mean the element of
// that address.
func Means(address, name string) bool {
	kind, rest, _ := strings.Cut(address, ".")
	_, last, _ := strings.Cut(rest, ".")
	return name == address || name == rest || name == kind+"."+last || name == last && last != ""
}
