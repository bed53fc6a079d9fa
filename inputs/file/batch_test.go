package file

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestLinesOfFiles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		text string
		want []string
	}{
		{"empty file", "", []string{}},
		{"one line", "a\n", []string{"a"}},
		{"no newline at the end", "a\nb", []string{"a", "b"}},
		{"empty lines", "\n\na\n\n", []string{"", "", "a", ""}},
		{"carriage returns stay", "a\r\nb\r\n", []string{"a\r", "b\r"}},
		{"byte order mark stays", "\uFEFFa\n", []string{"\uFEFFa"}},
		{"NUL bytes", "a\x00b\n\x00\n", []string{"a\x00b", "\x00"}},
		{"invalid UTF-8", "\xff\xfe\n", []string{"\xff\xfe"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, filepath.Join(t.TempDir(), "in"), tt.text)
			out := readAll(t, newHost(), config(func(c *Config) { c.Path = path }))
			if got := values(out); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
