package funcs_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/builtin"

	"github.com/flowrecords/flow/dsl/expr/funcs"
	"github.com/flowrecords/flow/engine/record"
)

var update = flag.Bool("update", false, "write docs/functions.md")

// fixedRand gives the same bytes again and again.
type fixedRand struct {
	mu sync.Mutex
	n  byte
}

func (r *fixedRand) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range b {
		b[i] = 0x3a + r.n*0x17
		r.n++
	}
	return len(b), nil
}

func fixed() []funcs.Func {
	return funcs.New(funcs.Library{
		Now:      func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) },
		Rand:     &fixedRand{},
		Hostname: func() (string, error) { return "worker-1", nil },
	})
}

func byName(t testing.TB, name string) funcs.Func {
	t.Helper()
	for _, f := range fixed() {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no function %s", name)
	return funcs.Func{}
}

// env has one variable of unknown type.
type env struct {
	Value any `expr:"value"`
}

func options(fs []funcs.Func) []expr.Option {
	out := []expr.Option{expr.Env(env{}), expr.AsAny()}
	for _, f := range fs {
		if !f.Builtin {
			out = append(out, expr.Function(f.Name, f.Call, f.Types...))
		}
	}
	return out
}

func decode(t testing.TB, text string) any {
	t.Helper()
	if text == "" {
		return nil
	}
	v, err := byName(t, "parseJSON").Call(text)
	if err != nil {
		t.Fatalf("input %s: %v", text, err)
	}
	return v
}

func eval(t testing.TB, text string, input any) (any, error) {
	t.Helper()
	prog, err := expr.Compile(text, options(fixed())...)
	if err != nil {
		t.Fatalf("compiling %s: %v", text, err)
	}
	return expr.Run(prog, env{Value: input})
}

func asJSON(v any) string {
	rv, err := record.FromAny(v)
	if err != nil {
		return "no value: " + err.Error()
	}
	b, err := rv.AppendJSON(nil)
	if err != nil {
		return "no JSON: " + err.Error()
	}
	return string(b)
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	if a == b {
		return true
	}
	// Numbers only by their digits: as floats they would lose some.
	_, isNumber := x.(float64)
	return !isNumber && reflect.DeepEqual(x, y)
}

func TestExamples(t *testing.T) {
	t.Parallel()
	for _, f := range fixed() {
		for _, e := range f.Examples {
			t.Run(f.Name+"/"+e.Expr, func(t *testing.T) {
				t.Parallel()
				got, err := eval(t, e.Expr, decode(t, e.Input))
				if e.Err != "" {
					if err == nil || !strings.HasPrefix(err.Error(), e.Err+" (1:") {
						t.Fatalf("error = %v, want %s", err, e.Err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if j := asJSON(got); !sameJSON(j, e.Want) {
					t.Errorf("= %s, want %s", j, e.Want)
				}
			})
		}
	}
}

func TestDescriptions(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range fixed() {
		if seen[f.Name] {
			t.Errorf("%s: twice", f.Name)
		}
		seen[f.Name] = true
		if f.Doc == "" || !strings.HasSuffix(f.Doc, ".") {
			t.Errorf("%s: doc is no sentence: %q", f.Name, f.Doc)
		}
		if f.Group == "" || f.Result == "" || len(f.Examples) == 0 {
			t.Errorf("%s: needs a group, a result and an example", f.Name)
		}
		for _, e := range f.Examples {
			if (e.Want == "") == (e.Err == "") || !strings.Contains(e.Expr, f.Name) {
				t.Errorf("%s: example %s shows neither or both, or not the function", f.Name, e.Expr)
			}
		}
		optional := false
		for _, p := range f.Params {
			if p.Name == "" || p.Type == "" || p.Doc == "" {
				t.Errorf("%s: parameter %+v is not described", f.Name, p)
			}
			if optional && !p.Optional {
				t.Errorf("%s: parameter %s stands behind an optional one", f.Name, p.Name)
			}
			optional = p.Optional
		}
		if f.Builtin {
			if f.Call != nil || f.Fast != nil || f.Types != nil {
				t.Errorf("%s: a function of the language has no code here", f.Name)
			}
			continue
		}
		if f.Call == nil || len(f.Types) == 0 {
			t.Errorf("%s: no code or no signature", f.Name)
		}
		if len(f.Params) > 0 && !strings.Contains(strings.ToLower(f.Doc), "null") {
			t.Errorf("%s: doc does not say what a null does", f.Name)
		}
		for _, typ := range f.Types {
			if out := reflect.TypeOf(typ).Elem().Out(0); out != reflect.TypeOf(f.Types[0]).Elem().Out(0) {
				t.Errorf("%s: signatures differ in their result", f.Name)
			}
		}
	}
}

// The language's own functions are all documented, and none is hidden by one
// of the library but the clock, which must be the library's, and those whose
// order changes from call to call.
func TestLanguageFunctions(t *testing.T) {
	t.Parallel()
	own, documented := map[string]bool{}, map[string]bool{}
	for _, f := range fixed() {
		if f.Builtin {
			documented[f.Name] = true
		} else {
			own[f.Name] = true
		}
	}
	for _, name := range builtin.Names {
		switch {
		case slices.Contains([]string{"now", "keys", "values", "toPairs"}, name):
			if !own[name] {
				t.Errorf("%s is the language's", name)
			}
		case own[name]:
			t.Errorf("%s hides a function of the language", name)
		case !documented[name]:
			t.Errorf("%s is not documented", name)
		}
	}
	for name := range documented {
		if !slices.Contains(builtin.Names, name) {
			t.Errorf("%s is no function of the language", name)
		}
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	if f, ok := funcs.Lookup("sha256"); !ok || f.Name != "sha256" {
		t.Errorf("Lookup(sha256) = %v, %v", f.Name, ok)
	}
	if _, ok := funcs.Lookup("sha257"); ok {
		t.Error("Lookup(sha257) found one")
	}
}

func TestDocs(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "..", "docs", "functions.md")
	want := funcs.Markdown()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/functions.md is not what the functions say: go test ./dsl/expr/funcs -run TestDocs -update")
	}
}

// A call whose arguments are of unknown type must check, and what it returns
// must have the type that the checker was told.
func TestUnknownArguments(t *testing.T) {
	t.Parallel()
	opts := options(fixed())
	for _, f := range fixed() {
		if f.Builtin {
			continue
		}
		args := make([]string, 0, len(f.Params))
		for range f.Params {
			args = append(args, "value")
		}
		text := fmt.Sprintf("%s(%s)", f.Name, strings.Join(args, ", "))
		if _, err := expr.Compile(text, opts...); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
