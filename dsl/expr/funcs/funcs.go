// Package funcs is the function library of flow's expressions: what an
// expression may call, with typed signatures for the checker, one boxed form
// for expr's VM, for hot functions one that does not allocate, and the text
// and examples that the documentation is made of. Examples run as tests.
//
// Rules that hold for every function:
//
//   - A null argument is an error unless the function's text says otherwise.
//     A record is never changed by a guess.
//   - Integers are exact, 64 bits wide; an overflow is an error.
//   - The result has exactly the Go type of the signature, because expr's VM
//     relies on it: int, never int64.
//   - Arguments are never changed; a result may share parts of them.
//   - A text result is at most limits.RecordBytes long.
//   - Functions are safe for all goroutines.
package funcs

import (
	"crypto/rand"
	"io"
	"os"
	"time"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Param is one parameter of a function.
type Param struct {
	Name string
	// Type is one of the type words (string, int, float, number, bool, bytes,
	// time, duration, array, object, any) or several joined by |.
	Type string
	Doc  string
	// Optional parameters stand behind all others.
	Optional bool
}

// Example is an expression that the tests run and the documentation shows.
type Example struct {
	Expr string
	// Input is the JSON text that the expression sees as value; may be empty.
	Input string
	// Want is the result as JSON. Empty if the example shows an error.
	Want string
	// Err is the text of the error; empty if the example has a result.
	Err string
}

// Func describes one function of the expression language.
type Func struct {
	Name, Group string
	// Doc is whole sentences of Markdown; it says what a null does.
	Doc    string
	Params []Param
	// Variadic: the last parameter may be given any number of times, also none.
	Variadic bool
	// Result is the type word of the result. Words joined by | are any to the
	// checker.
	Result string
	// Types are the typed signatures for expr.Function, pointers to functions.
	// Every one has the same result type, so that an argument of unknown type
	// never makes the checker promise a wrong one.
	Types []any
	// Call is the form that expr's VM runs. It takes what record.Value.Any
	// returns and what expr itself makes ([]int, []string, int64, ...), and
	// returns only what record.FromAny takes.
	Call func(args ...any) (any, error)
	// Pure: the same arguments give the same result, so a call with constant
	// arguments may be folded.
	Pure bool
	// Check finds mistakes in constant arguments when an expression is
	// compiled: a bad pattern, an unknown zone, layout, hash. args has one
	// element per argument of the call, nil where it is not a constant. arg is
	// the index of the wrong one, -1 if there is none. May be nil.
	Check func(args []any) (arg int, msg string)
	// Fast is an allocation-free form. It returns the same results and errors
	// as Call. The result may lie in dst, to which it appends and which it
	// returns, or in one of args. May be nil.
	Fast func(dst []byte, args []record.Value) (record.Value, []byte, error)
	// OfPath makes the form for an x that stands at a path of the record, of the
	// arguments behind it, which are constants. It belongs to one worker. Without
	// it, or where an argument is none, the other forms are called. May be nil.
	OfPath func(args []any) (PathFunc, error)
	// Lenient: of a path that leads nowhere OfPath gets Missing, where reading the
	// path would be an error.
	Lenient bool
	// TypeOfPath is the type of what OfPath returns for values of a declared
	// type; nil: what Result says. May be nil.
	TypeOfPath func(s *schema.Schema, args []any) *schema.Schema
	// NamesType: a call says of which type its result is, so what is set to it is
	// of that type from then on.
	NamesType bool
	// Examples are at least one.
	Examples []Example
	// Builtin marks a function of the expression language itself, which is
	// only documented here: it has no Types, no Call and no Fast.
	Builtin bool
}

// PathFunc is a function of what the record holds at a path, null and missing
// too, and of the type that its schema declares there: nil without a schema or
// without such a part, Any where the schema says nothing. Like Fast it returns
// a result that may lie in dst, to which it appends, or in x.
type PathFunc func(dst []byte, x record.Value, s *schema.Schema) (record.Value, []byte, error)

// Library is what the functions take from outside, so that tests can fix it.
type Library struct {
	// Now is the clock.
	Now func() time.Time
	// Rand is the source of randomness. It must be safe for all goroutines.
	Rand io.Reader
	// Hostname names the machine.
	Hostname func() (string, error)
}

// All returns the library with the machine's clock and crypto/rand.
func All() []Func {
	return New(Library{Now: time.Now, Rand: rand.Reader, Hostname: os.Hostname})
}

// Lookup returns one function of All, by name.
func Lookup(name string) (Func, bool) {
	for _, f := range All() {
		if f.Name == name {
			return f, true
		}
	}
	return Func{}, false
}

// New returns every function, those of the expression language included,
// ordered by group and in reading order within it. The functions of one call
// share one cache of compiled patterns, layouts and zones.
func New(l Library) []Func {
	s := &set{
		Library: l,
		regexes: newCache(compileRegex),
		layouts: newCache(compileLayout),
		zones:   newCache(loadZone),
	}
	groups := [][]def{
		s.controlFuncs(), s.recordFuncs(), s.schemaFuncs(), s.typeFuncs(), s.convertFuncs(),
		s.textFuncs(), s.caseFuncs(), s.maskFuncs(), s.regexFuncs(),
		s.hashFuncs(), s.encodingFuncs(), s.idFuncs(),
		s.timeFuncs(), {s.convertTimeFunc()}, s.clockPartFuncs(), s.durationFuncs(),
		s.jsonFuncs(), s.urlFuncs(), s.pairFuncs(), s.networkFuncs(),
		s.objectFuncs(), s.pathFuncs(), s.arrayFuncs(), s.numberFuncs(),
		s.machineFuncs(), builtins(),
	}
	var out []Func
	for _, g := range groups {
		for _, d := range g {
			out = append(out, d.bind())
		}
	}
	sortByGroup(out)
	return out
}

// set is one library with its caches.
type set struct {
	Library
	regexes *cache[*regex]
	layouts *cache[*layout]
	zones   *cache[*time.Location]
}
