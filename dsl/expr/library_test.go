package expr_test

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/expr/funcs"
	"github.com/flowrecords/flow/engine/record"
)

// TestLibraryExamples runs the examples of every function as a user would, in
// closures and on the VM, with the input
// as value.
func TestLibraryExamples(t *testing.T) {
	t.Parallel()
	e := expr.NewEnv()
	n := 0
	for _, f := range funcs.All() {
		for _, ex := range f.Examples {
			n++
			t.Run(f.Name+" "+ex.Expr, func(t *testing.T) {
				t.Parallel()
				input := ex.Input
				if input == "" {
					input = "{}"
				}
				if _, ps := e.Compile(ex.Expr, expr.WantAny); len(ps) > 0 {
					// A mistake in constants is found before any record is there.
					if ex.Err == "" {
						t.Fatalf("%+v", ps)
					}
					return
				}
				for _, env := range []*expr.Env{e, e.VMOnly()} {
					src, ps := env.Compile(ex.Expr, expr.WantAny)
					if len(ps) > 0 {
						t.Fatalf("%+v", ps)
					}
					l := record.NewLayout()
					p, err := src.Bind(l)
					if err != nil {
						t.Fatal(err)
					}
					v, err := p.Eval(rec(l, input))
					if ex.Err != "" {
						if err == nil || !strings.Contains(err.Error(), ex.Err) {
							t.Errorf("got %v, error %v, want error %s", v, err, ex.Err)
						}
						continue
					}
					if err != nil {
						t.Errorf("error %v", err)
						continue
					}
					got, err := v.AppendJSON(nil)
					if err != nil || src.(*expr.Source).Deterministic() && ex.Want != "" && !sameJSON(got, []byte(ex.Want)) {
						t.Errorf("got %s, error %v, want %s", got, err, ex.Want)
					}
				}
			})
		}
	}
	if n < 50 {
		t.Fatalf("only %d examples", n)
	}
}
