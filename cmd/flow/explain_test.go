package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestExplainOnTerminal: a plan fits the window and is coloured, but where the
// user wants no colour.
func TestExplainOnTerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "p.hcl"), `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "f" {
    where = "value.status == 'paid' && value.amount >= 100 && value.country != 'KR'"
  }
  output "stdout" "out" {}
}
`)
	marks := regexp.MustCompile(`\x1b\[[0-9]*m`)
	for _, tt := range []struct {
		name    string
		environ []string
		colored bool
	}{
		{"color", nil, true},
		{"NO_COLOR", []string{"NO_COLOR=1"}, false},
		{"dumb terminal", []string{"TERM=dumb"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := startTerminal(t, dir, 56, 100, tt.environ, "explain", "p.hcl")
			if err := x.left(); err != nil {
				t.Fatalf("%v\n%s", err, x.bytes())
			}
			out := x.bytes()
			if got := marks.MatchString(out); got != tt.colored {
				t.Errorf("colored: %t, want %t\n%q", got, tt.colored, out)
			}
			if tt.colored && !strings.Contains(out, "\x1b[33m") {
				t.Error("what weakens the promise is not marked")
			}
			if !strings.Contains(out, "Bounds") {
				t.Errorf("no whole plan: %s", out)
			}
			for line := range strings.SplitSeq(marks.ReplaceAllString(out, ""), "\r\n") {
				if n := utf8.RuneCountInString(line); n > 56 {
					t.Errorf("%d columns: %s", n, line)
				}
			}
		})
	}
}
