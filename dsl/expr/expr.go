// Package expr compiles flow's expressions: the language of expr-lang/expr
// over the record that a stage holds. An expression is parsed, checked against
// the environment and optimised by expr, the paths that it reads become slots
// of the record's projection, and the tree becomes Go closures. A node that
// the closures do not cover makes the whole expression run on expr's VM over
// the same slots. Both agree on every result and every error.
package expr

import "github.com/flowrecords/flow/engine"

// Problem is a mistake in an expression's or template's text.
type Problem struct {
	// Offset and Length are the range in the text, in bytes.
	Offset, Length int
	// Summary is short and stable, Detail says what to do.
	Summary, Detail string
}

// Want is what the place of an expression asks of its result.
type Want int

// The wants.
const (
	WantAny Want = iota
	WantBool
)

// Env is what the expressions of one config see beside the record: constants
// and functions. It is built first and read-only afterwards.
type Env struct{ env }

// NewEnv returns an environment with flow's function library.
func NewEnv() *Env { panic("TODO") }

// SetConst makes values visible as typed constants below a root name: var.x,
// local.y. Values are what encoding/json would give, with int for whole numbers.
func (e *Env) SetConst(root string, values map[string]any) { panic("TODO") }

// AddFunction adds a function declared in HCL. Its body may call functions
// added before and the library. It is inlined into each call and checked
// there. Problems lie in the body's text.
func (e *Env) AddFunction(name string, params []string, body string) []Problem { panic("TODO") }

// Compile checks an expression. With problems the source is nil.
func (e *Env) Compile(text string, want Want) (engine.ExpressionSource, []Problem) { panic("TODO") }

// CompileTemplate checks a template: literal text with {{ expression }}
// holes. {{ "{{" }} writes the braces themselves.
func (e *Env) CompileTemplate(text string) (engine.TemplateSource, []Problem) { panic("TODO") }

type env struct{}
