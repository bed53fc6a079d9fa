package playground

import (
	"strings"
	"testing"
)

func TestFinished(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"1": true, "1 +": false, "1 + ": false, "(1": false, "(1)": true, "[1,": false, "[1, 2]": true, "{a:": false, "f(": false,
		"'a": false, "'a'": true, "'a\\'": false, `"("`: true, "`a": false, "value.": false, "value?.": false, "value.a and": false,
		"value.a not": false, "band": true, "x ??": false, "a ? b :": false, "a ? b : c": true, "1 // (": true, "1 /* (": false, "1 /* ( */": true,
		"filter(a, #": false, "filter(a, # > 1)": true, "let x = 1;": false, "x |": false, "1..": false, ")": true, "": true, "(1,\n": true, "(1,\n2": false, "-": false,
	} {
		if got := finished(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	for text, want := range map[string]bool{":type (1": false, ":type (1)": true, ":load (": true, ":nothing (": true, ":ty 1 +": false} {
		if got := accepts(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// FuzzLex: tokens follow each other without gaps, colours change no character,
// and no text makes completion panic.
func FuzzLex(f *testing.F) {
	for _, seed := range []string{"value.a[0].b + 'x' // y", ":type f(", "`", "\"\\", "a?.b ?? 1..2", "filter(value.items, .a[\"b", "\xff(", "{a:\n[", "#.x", "ä.ö("} {
		f.Add(seed)
	}
	c := testCompleter(f)
	f.Fuzz(func(t *testing.T, text string) {
		at := 0
		for _, tok := range lex(text) {
			if tok.from != at || tok.to <= tok.from {
				t.Fatalf("token %v at %d of %q", tok, at, text)
			}
			at = tok.to
		}
		if at != len(text) {
			t.Fatalf("the tokens of %q end at %d", text, at)
		}
		if plain := strip(highlight(Style{Color: true}, text)); !strings.ContainsRune(text, '\x1b') && plain != text {
			t.Errorf("%q became %q", text, plain)
		}
		word, found := c.complete(text)
		if !strings.HasSuffix(text, word) {
			t.Errorf("%q: the word %q does not end it", text, word)
		}
		for _, x := range found {
			if !strings.HasPrefix(x.value, word) {
				t.Errorf("%q: %q does not begin with %q", text, x.value, word)
			}
		}
		c.calling(text)
		finished(text)
		accepts(text)
	})
}

func strip(s string) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, "\x1b[")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		_, s, _ = strings.Cut(after, "m")
	}
}
