package cli

import (
	"strings"
	"testing"
)

func TestRoffText(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"prose", "a b\nc", "a b\nc\n"},
		{"paragraphs", "a\n\nb", "a\n.PP\nb\n"},
		{"request at the start", ".TH x\n'y", "\\&.TH x\n\\(aqy\n"},
		{"code", "a:\n  x -y\n  z\nb", "a:\n.PP\n.nf\n  x \\-y\n  z\n.fi\n.PP\nb\n"},
		{"code at the end", "a\n  x", "a\n.PP\n.nf\n  x\n.fi\n"},
		{"marks", `\ ^ ~`, "\\e \\(ha \\(ti\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			roffText(&b, tt.in)
			if b.String() != tt.want {
				t.Errorf("got %q, want %q", b.String(), tt.want)
			}
		})
	}
}
