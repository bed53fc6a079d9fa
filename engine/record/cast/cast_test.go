package cast_test

import (
	"testing"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
)

func TestValue(t *testing.T) {
	t.Parallel()
	// Empty: an error.
	tests := []struct{ in, to, exact, java string }{
		{`300`, "int8", "", "44"}, {`127`, "int8", "127", "127"}, {`-3.9`, "int32", "-3", "-3"},
		{`1e300`, "int32", "", "2147483647"}, {`1e300`, "int8", "", "-1"}, {`9223372036854775808`, "int64", "", "9223372036854775807"},
		{`"12"`, "int16", "12", "12"}, {`"12 "`, "int16", "", ""}, {`"1.5"`, "int64", "", ""}, {`"70000"`, "int16", "", ""},
		{`"x"`, "bool", "", "false"}, {`"TRUE"`, "bool", "true", "true"}, {`0.5`, "bool", "true", "false"}, {`0`, "bool", "false", "false"},
		{`true`, "int64", "1", "1"}, {`true`, "float64", "1", "1"}, {`" 1.5d "`, "float64", "", "1.5"}, {`"0x1p3"`, "float64", "", "8"},
		{`1.50`, "string", `"1.50"`, `"1.5"`}, {`1e10`, "string", `"1e10"`, `"1.0E10"`}, {`1e-5`, "string", `"1e-5"`, `"1.0E-5"`}, {`100.0`, "string", `"100.0"`, `"100.0"`},
		{`1e39`, "float32", "", ""}, {`[1]`, "string", "", ""}, {`{}`, "bool", "", ""},
	}
	for _, tt := range tests {
		to, ok := cast.Parse(tt.to)
		if !ok {
			t.Fatalf("no type %s", tt.to)
		}
		for mode, want := range map[cast.Mode]string{cast.Exact: tt.exact, cast.Java: tt.java} {
			v, _, err := cast.Value(nil, record.RawJSON([]byte(tt.in)), nil, to, mode)
			got := ""
			if err == nil {
				if b, jsonErr := v.AppendJSON(nil); jsonErr == nil {
					got = string(b)
				}
			}
			if got != want {
				t.Errorf("mode %d: %s as %s is %s, want %s (%v)", mode, tt.in, tt.to, got, want, err)
			}
		}
	}
}
