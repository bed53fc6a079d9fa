// Package expr compiles flow's expressions: the language of expr-lang/expr
// over the record that a stage holds. An expression is parsed, checked against
// the environment and optimised by expr, the paths that it reads become slots
// of the record's projection, and the tree becomes Go closures. What the
// closures do not cover runs on expr's VM over the same slots: the whole
// expression, or the operand of a boolean operator, the branch of a condition,
// the member of a literal that holds it. Both agree on every result and on
// what is an error.
//
// Names that an expression sees:
//
//	value, key       the documents; value.a.b, value["a.b"], value.items[-1].sku
//	headers          headers.name: text, nil if there is none
//	topic            text, empty if there is none
//	partition offset whole numbers
//	timestamp        a time in UTC, nil if there is none
//	meta             what the source says of itself: meta.path; nil if unknown
//	var.x local.x    constants (SetConst)
//	f(x)             the library, the language's own and HCL's functions
//
// Four things differ from expr on purpose. Text is counted in characters
// wherever it is cut or searched (slices, indexOf, lastIndexOf), as len does:
// expr cuts bytes, so a mask of the last four would show more of a text that
// is not ASCII. keys, values and toPairs sort by name: expr follows the order
// of a Go map, so a record that comes again would not give the same bytes.
// Integers that overflow are an error: expr wraps around. And
// a whole expression that must be a bool does not take nil
// for false: a misspelt path would drop every record.
package expr

import (
	"maps"
	"slices"

	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"

	"github.com/flowrecords/flow/dsl/expr/funcs"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Problem is a mistake in an expression's or template's text.
type Problem struct {
	Kind Kind
	// Offset and Length are the range in the text, in bytes.
	Offset, Length int
	// Summary is short and stable, Detail says what to do.
	Summary, Detail string
	// Constants are set where Detail says what the expression came to when it
	// was evaluated: those that it refers to, as Source.Constants. Detail may
	// quote what it made of them.
	Constants []string
	// Root and Path say what is not there, where it is a part of the record that
	// a schema does not have: value or key, and the way down to it. Whole is all
	// of the way that was to be gone.
	Root        string
	Path, Whole record.Path
}

// Kind is what sort of mistake a Problem is. It is stable: rules of lint hang
// on it, never on the words of a Summary.
type Kind int

// The kinds of problems.
const (
	// KindSyntax: the text cannot be read.
	KindSyntax Kind = iota + 1
	KindEmpty
	// KindTooLarge: a bound of size, or a number without room in 64 bits.
	KindTooLarge
	KindUnknownName
	KindUnknownFunction
	// KindWrongArguments: their number, or the type of one.
	KindWrongArguments
	// KindTypes: an operator that does not take what it is given.
	KindTypes
	// KindNotBool: a condition that is something else.
	KindNotBool
	// KindFails: whatever the record is, evaluation ends with an error.
	KindFails
	// KindNoMember: a member that a constant or a part of the record cannot have.
	KindNoMember
	// KindNameTaken: a name of let or of a parameter that means something else.
	KindNameTaken
	// KindExists: a function that is declared already.
	KindExists
	// KindPattern: a regular expression that cannot be read.
	KindPattern
	// KindNoRecord: the record is used where there is none.
	KindNoRecord
	// KindHole: a hole of a template that is not closed or never gives text.
	KindHole
	// The kinds below need a schema of the record (Source.Check).

	// KindNoField: a field that the schema does not have, which reads as nil.
	KindNoField
	// KindNoSymbol: a comparison of an enum with a text that is none of its
	// symbols, or of a uuid with one that is none, which never holds.
	KindNoSymbol
	// KindNeverThere: a question whether something is there that the schema does
	// not have: the answer is always no.
	KindNeverThere
	// KindNeverNil is a hint: what the schema requires is compared with nil, or
	// given a fallback.
	KindNeverNil
)

// Want is what the place of an expression asks of its result.
type Want int

// The wants.
const (
	WantAny Want = iota
	WantBool
)

// Env is what the expressions of one config see beside the record: constants
// and functions. It is built first and read-only afterwards; then any number
// of goroutines may compile with it.
type Env struct{ env }

type env struct {
	lib map[string]*library
	// builtins are the functions of the language itself as they are documented.
	builtins map[string]*funcs.Func
	base     *conf.Config
	consts   map[string]map[string]any
	user     map[string]*userFunc
	// noRecord hides the record (Constant).
	noRecord bool
	// vmOnly leaves closures out, for the tests that compare the two.
	vmOnly bool
}

// NewEnv returns an environment with flow's function library.
func NewEnv() *Env { return newEnv(funcs.All()) }

// NewEnvWith returns an environment with the given functions, for tests that
// fix the clock and the source of randomness.
func NewEnvWith(all []funcs.Func) *Env { return newEnv(all) }

func newEnv(all []funcs.Func) *Env {
	lib := newLibrary(all)
	return &Env{env{
		lib:      lib,
		builtins: documented(all),
		base:     baseConfig(lib),
		consts:   map[string]map[string]any{},
		user:     map[string]*userFunc{},
	}}
}

// SetConst makes values visible as typed constants below a root name: var.x,
// local.y. Values are what encoding/json would give, with int for whole numbers.
func (e *Env) SetConst(root string, values map[string]any) {
	e.consts[root] = maps.Clone(values)
}

// AddFunction adds a function declared in HCL. Its body may call functions
// added before and the library. It is inlined into each call and checked
// there. Problems lie in the body's text. The body sees its parameters and
// constants but not the record: what it works on is passed to it.
func (e *Env) AddFunction(name string, params []string, body string) []Problem {
	f := &userFunc{name: name, params: slices.Clone(params), body: body}
	problems := e.checkFunction(f)
	if len(problems) == 0 {
		e.user[name] = f
		e.base.Functions[name] = &builtin.Function{Name: name, Func: unbound}
	}
	return problems
}

// Compile checks an expression. With problems the source is nil. A source is
// a *Source.
func (e *Env) Compile(text string, want Want) (engine.ExpressionSource, []Problem) {
	s, problems := e.compile(text, want)
	if len(problems) > 0 {
		return nil, problems
	}
	return s, nil
}

// Constant evaluates an expression that sees constants and functions only.
// The result is what encoding/json would give, with int for whole numbers.
func (e *Env) Constant(text string) (any, []Problem) {
	bare := &Env{e.env}
	bare.noRecord = true
	s, problems := bare.compile(text, WantAny)
	if len(problems) > 0 {
		return nil, problems
	}
	if v, ok := s.Constant(); ok {
		return v.Any(), nil
	}
	v, err := s.once()
	if err != nil {
		return nil, []Problem{{Kind: KindFails, Length: len(text), Summary: "The expression fails", Detail: sentence(err.Error()), Constants: s.Constants()}}
	}
	return v.Any(), nil
}

// CompileTemplate checks a template: literal text with {{ expression }}
// holes. {{ "{{" }} writes the braces themselves. A source is a *Template.
func (e *Env) CompileTemplate(text string) (engine.TemplateSource, []Problem) {
	t, problems := e.compileTemplate(text)
	if len(problems) > 0 {
		return nil, problems
	}
	return t, nil
}
