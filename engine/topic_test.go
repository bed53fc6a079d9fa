package engine_test

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine"
)

func TestCheckTopic(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want string
	}{
		{"orders", ""},
		{"Orders-2.eu_west", ""},
		{"...", ""},
		{strings.Repeat("a", 249), ""},
		{strings.Repeat("a", 250), "has 250"},
		{"", "has 0"},
		{".", "dots alone are none"},
		{"..", "dots alone are none"},
		{"a@b", `"a@b" is no name`},
		{"a b", `"a b" is no name`},
		{"größe", `"größe" is no name`},
		{"a/b", `"a/b" is no name`},
		{"a\xff", "is no name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := engine.CheckTopic(tt.name)
			if again := engine.CheckTopic([]byte(tt.name)); (again == nil) != (err == nil) {
				t.Errorf("as bytes: %v", again)
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
