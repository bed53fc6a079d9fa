package dsl

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// encoded is a text in HCL with the place that each of its bytes must have.
type encoded struct {
	text       strings.Builder
	src        strings.Builder
	start, end []int
}

// add appends a character and how it is written.
func (e *encoded) add(text, src string) {
	from := e.src.Len()
	e.text.WriteString(text)
	e.src.WriteString(src)
	for range len(text) {
		e.start, e.end = append(e.start, from), append(e.end, e.src.Len())
	}
}

var alphabet = []rune("ab '.&|=(){}[]0$%é日🙂\t~`")

func quotedText(r *rand.Rand) *encoded {
	e := &encoded{}
	e.src.WriteString("a = \"")
	for range r.IntN(20) {
		c := alphabet[r.IntN(len(alphabet))]
		text := string(c)
		switch r.IntN(8) {
		case 0:
			e.add("\n", `\n`)
		case 1:
			e.add(`"`, `\"`)
		case 2:
			e.add(`\`, `\\`)
		case 3:
			if c < 0x10000 {
				e.add(text, fmt.Sprintf(`\u%04x`, c))
			} else {
				e.add(text, fmt.Sprintf(`\U%08X`, c))
			}
		case 4:
			e.addEscaped("${")
		case 5:
			e.addEscaped("%{")
		default:
			e.plain(text)
		}
	}
	e.src.WriteString("\"\n")
	return e
}

// addEscaped writes the beginning of an interpolation that is none.
func (e *encoded) addEscaped(text string) {
	e.plain("x") // $$${ would be a dollar and an escape, or the other way round
	e.add(text, text[:1]+text)
}

// plain appends a character as it is, but for one that would begin something.
func (e *encoded) plain(text string) {
	if s := e.src.String(); text == "{" && (strings.HasSuffix(s, "$") || strings.HasSuffix(s, "%")) {
		return
	}
	if text == "\t" {
		text = "t"
	}
	e.add(text, text)
}

func heredocText(r *rand.Rand) *encoded {
	e := &encoded{}
	flush := r.IntN(2) == 0
	indent := r.IntN(4)
	marker := "<<EOT"
	if flush {
		marker = "<<-EOT"
	} else {
		indent = 0
	}
	e.src.WriteString("a = " + marker + "\n")
	for n := range 1 + r.IntN(4) {
		e.src.WriteString(strings.Repeat(" ", indent)) // taken away
		extra := r.IntN(3)
		if n == 0 {
			extra = 0 // the least indented line decides
		}
		for range extra {
			e.add(" ", " ")
		}
		e.add("v", "v")
		for range r.IntN(10) {
			if r.IntN(6) == 0 {
				e.addEscaped("${")
				continue
			}
			e.plain(string(alphabet[r.IntN(len(alphabet))]))
		}
		e.add(".", ".")
		e.add("\n", "\n")
	}
	e.src.WriteString(strings.Repeat(" ", r.IntN(3)*boolInt(flush)) + "EOT\n")
	return e
}

// TestMapped: every byte of a literal text knows where it stands.
func TestMapped(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 7))
		e := quotedText(r)
		if seed%2 == 1 {
			e = heredocText(r)
		}
		src := e.src.String()
		l := newLoader(Options{})
		l.addSource("f.hcl", []byte(src))
		if len(l.diags) > 0 {
			t.Fatalf("seed %d: %q: %v", seed, src, l.diags)
		}
		a := l.files["f.hcl"].Body.(*hclsyntax.Body).Attributes["a"]
		m, part := l.literal(a.Expr)
		if m == nil || part != nil {
			t.Fatalf("seed %d: %q is not literal", seed, src)
		}
		if m.text != e.text.String() {
			t.Fatalf("seed %d: %q is %q, want %q", seed, src, m.text, e.text.String())
		}
		if !slices.Equal(m.start, e.start) || !slices.Equal(m.end, e.end) {
			t.Fatalf("seed %d: %q lies at\n%v\n%v\nwant\n%v\n%v", seed, src, m.start, m.end, e.start, e.end)
		}
		for i := range len(m.text) + 2 {
			if at := m.at(i, r.IntN(4)); at.Start.Byte > at.End.Byte || at.End.Byte > len(src) {
				t.Fatalf("seed %d: %d of %q lies at %v", seed, i, m.text, at)
			}
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		given string
		from  []string
		want  string
	}{
		{"topik", []string{"topic", "topics"}, "topic"},
		{"fiel", []string{"file", "filter"}, "file"},
		{"mpa", []string{"map"}, "map"},
		{"Topic", []string{"topic"}, "topic"},
		{"teleport", []string{"filter", "map"}, ""},
		{"x", []string{"path"}, ""},
		{"", []string{"path"}, ""},
		{"a", nil, ""},
	}
	for _, tt := range tests {
		if got := nearest(tt.given, tt.from); got != tt.want {
			t.Errorf("nearest(%q, %q) = %q, want %q", tt.given, tt.from, got, tt.want)
		}
	}
}
