package expr_test

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl/expr"
)

// Whole numbers never wrap around, wherever they are computed.
func TestIntegerOverflow(t *testing.T) {
	t.Parallel()
	const doc = `{"max":9223372036854775807,"min":-9223372036854775808,"big":4611686018427387904,"one":1,"neg":-1,"half":0.5,"xs":[{"q":9223372036854775807},{"q":1}]}`
	const overflow = "integer overflow: "
	tests := []struct{ expr, want string }{
		{"value.max + 1", overflow + "value.max + 1"},
		{"value.one + value.max", overflow + "value.one + value.max"},
		{"value.min + -1", overflow + "value.min + -1"},
		{"value.min - 1", overflow + "value.min - 1"},
		{"0 - value.min", overflow + "0 - value.min"},
		{"value.max * 2", overflow + "value.max * 2"},
		{"value.big * 2", overflow + "value.big * 2"},
		{"value.min * -1", overflow + "value.min * -1"},
		{"value.neg * value.min", overflow + "value.neg * value.min"},
		{"-value.min", overflow + "-value.min"},
		{"abs(value.min)", overflow + "abs(value.min)"},
		{"value.one + value.one + value.max", overflow + "value.one + value.one + value.max"},
		{"true ? value.max + 1 : 0", overflow + "value.max + 1"},
		{"twice(value.max)", overflow},
		{"value.one == 2 ? 9223372036854775807 + 1 : 5", "5"},
		{"value.one == 1 ? 9223372036854775807 + 1 : 5", overflow + "9223372036854775807 + 1"},
		{"value.one == 1 ? 9223372036854775807 - 1 + 1 : 5", "9223372036854775807"},
		{"map(value.xs, .q + 1)", overflow + ".q + 1"},
		{"map(value.xs, .q * 2)", overflow + ".q * 2"},
		{"sum(value.xs, .q)", overflow + "sum(value.xs, .q)"},
		{"sum(map(value.xs, .q))", overflow},
		{"reduce(value.xs, #acc + .q, 0)", overflow + "#acc + .q"},
		{"sum(map(value.xs, .q - 9223372036854775807))", "-9223372036854775806"},
		{"value.max + 0", "9223372036854775807"},
		{"value.max + value.min", "-1"},
		{"value.min + value.max + 1", "0"},
		{"value.max - value.max", "0"},
		{"value.min - value.neg", "-9223372036854775807"},
		{"value.big * -2", "-9223372036854775808"},
		{"value.min * 1", "-9223372036854775808"},
		{"value.max * 0", "0"},
		{"value.max + 1.0", "9223372036854776000"},
		{"value.max * value.half", "4611686018427388000"},
		{"abs(value.neg)", "1"},
	}
	e := env(t)
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			t.Parallel()
			for i, e := range []*expr.Env{e, e.VMOnly()} {
				got, err := eval(t, e, tt.expr, doc)
				if want, fails := strings.CutPrefix(tt.want, overflow); fails {
					if err == nil || !strings.HasPrefix(err.Error(), overflow+want) {
						t.Errorf("way %d: got %s, error %v, want error %s", i, got, err, tt.want)
					}
				} else if err != nil || got != tt.want {
					t.Errorf("way %d: got %s, error %v, want %s", i, got, err, tt.want)
				}
			}
		})
	}
	for _, text := range []string{"9223372036854775807 + 1", "4611686018427387904 * 2", "-9223372036854775807 - 2", "1 - (-9223372036854775807)"} {
		if _, ps := e.Compile(text, expr.WantAny); len(ps) != 1 || ps[0].Summary != "The expression always fails" || !strings.Contains(ps[0].Detail, "nteger overflow: ") {
			t.Errorf("%s: %+v", text, ps)
		}
	}
}
