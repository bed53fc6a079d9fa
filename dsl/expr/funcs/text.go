package funcs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/record"
)

// textDef describes a function of one text that gives a text.
func textDef(name, group, doc string, f func(string) string, examples ...Example) def {
	return def{
		Func: Func{
			Name: name, Group: group, Doc: doc, Params: []Param{p("text", "string", "the text")},
			Result: "string", Examples: examples,
		},
		impl: func(a *in) (any, error) {
			out := f(a.text(0))
			if len(out) > maxText {
				return nil, tooLong()
			}
			return out, nil
		},
	}
}

func (s *set) textFuncs() []def {
	text := p("text", "string", "the text")
	return []def{
		{
			Func: Func{
				Name: "truncate", Group: groupText,
				Doc: "The text cut to at most this many characters, suffix included.",
				Params: []Param{
					text, p("length", "int", "the most characters of the result"),
					opt("suffix", "string", "what marks a cut, such as `...`"),
				},
				Result: "string",
				Examples: []Example{
					ex(`truncate("a long story", 6)`, `"a long"`), ex(`truncate("a long story", 9, "...")`, `"a long..."`),
				},
			},
			impl: func(a *in) (any, error) {
				t, n, suffix := a.text(0), a.int(1), a.optText(2, "")
				if n < 0 {
					return nil, errors.New("length is negative")
				}
				if len(t) <= n || utf8.RuneCountInString(t) <= n {
					return t, nil
				}
				more := utf8.RuneCountInString(suffix)
				if more > n {
					return nil, errors.New("suffix is longer than length")
				}
				return t[:runeOffset(t, n-more)] + suffix, nil
			},
		},
		{
			Func: Func{
				Name: "substring", Group: groupText,
				Doc: "The characters from start up to, not including, end. Both count from 0, negative ones from the end; beyond the text is no error.",
				Params: []Param{
					text, p("start", "int", "the first character"), opt("end", "int", "the character behind the last; the end of the text if not given"),
				},
				Result: "string",
				Examples: []Example{
					ex(`substring("größe", 2, 4)`, `"öß"`), ex(`substring("invoice-2026", -4)`, `"2026"`),
				},
			},
			impl: func(a *in) (any, error) {
				t, start := a.text(0), a.int(1)
				n := utf8.RuneCountInString(t)
				end := a.optInt(2, n)
				start, end = fromEnd(start, n), fromEnd(end, n)
				if start >= end {
					return "", nil
				}
				from := runeOffset(t, start)
				return t[from : from+runeOffset(t[from:], end-start)], nil
			},
		},
		pad("padLeft", "Fills the text on the left to this many characters. A longer text stays as it is.", `padLeft(toString(42), 6, "0")`, `"000042"`,
			func(t, fill string) string { return fill + t }),
		pad("padRight", "Fills the text on the right to this many characters. A longer text stays as it is.", `padRight("ab", 4)`, `"ab  "`,
			func(t, fill string) string { return t + fill }),
		textDef("normalizeSpace", groupText, "Trims the text and makes every run of white space inside one space.",
			func(t string) string { return strings.Join(strings.Fields(t), " ") },
			ex(`normalizeSpace("  a \t b\n")`, `"a b"`)),
		textDef("reverseString", groupText, "The characters in reverse order.", reverseString, ex(`reverseString("añb")`, `"bña"`)),
		containsDef("containsAny", "Whether at least one of the words is in the text. No words: false.", `true`,
			func(t string, words []string) bool {
				return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(t, w) })
			}),
		containsDef("containsAll", "Whether all of the words are in the text. No words: true.", `false`,
			func(t string, words []string) bool {
				return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(t, w) })
			}),
		{
			Func: Func{
				Name: "equalFold", Group: groupText, Doc: "Whether two texts are the same when upper and lower case do not count.",
				Params: []Param{text, p("other", "string", "the other text")}, Result: "bool",
				Examples: []Example{ex(`equalFold("Straße", "STRAßE")`, `true`)},
			},
			impl: func(a *in) (any, error) { return strings.EqualFold(a.text(0), a.text(1)), nil },
			fast: func(a fin) (record.Value, []byte, error) {
				return a.done(record.BoolValue(strings.EqualFold(view(a.text(0)), view(a.text(1)))), nil)
			},
		},
		cutDef("substringBefore", "The text before the first separator; the whole text where there is none.", `"user"`,
			func(t, sep string) string { before, _, _ := strings.Cut(t, sep); return before }),
		cutDef("substringAfter", "The text behind the first separator; empty where there is none.", `"example.com"`,
			func(t, sep string) string { _, after, _ := strings.Cut(t, sep); return after }),
		{
			Func: Func{
				Name: "countText", Group: groupText, Doc: "How often a part is in the text, without overlaps.",
				Params: []Param{text, p("part", "string", "what to count; not empty")}, Result: "int",
				Examples: []Example{ex(`countText("a,b,c", ",")`, `2`)},
			},
			impl: func(a *in) (any, error) {
				t, part := a.text(0), a.text(1)
				if part == "" {
					return nil, errors.New("part is empty")
				}
				return strings.Count(t, part), nil
			},
		},
	}
}

// runeOffset is where the character number n begins.
func runeOffset(t string, n int) int {
	off := 0
	for ; n > 0 && off < len(t); n-- {
		_, size := utf8.DecodeRuneInString(t[off:])
		off += size
	}
	return off
}

func fromEnd(i, n int) int {
	if i < 0 {
		i += n
	}
	return min(max(i, 0), n)
}

func reverseString(t string) string {
	out := make([]byte, 0, len(t))
	for len(t) > 0 {
		_, size := utf8.DecodeLastRuneInString(t)
		out = append(out, t[len(t)-size:]...)
		t = t[:len(t)-size]
	}
	return string(out)
}

func pad(name, doc, expr, want string, join func(t, fill string) string) def {
	return def{
		Func: Func{
			Name: name, Group: groupText, Doc: doc,
			Params: []Param{
				p("text", "string", "the text"), p("length", "int", "the characters of the result"),
				opt("fill", "string", "one character; a space if not given"),
			},
			Result: "string", Examples: []Example{ex(expr, want)},
		},
		impl: func(a *in) (any, error) {
			t, n, fill := a.text(0), a.int(1), a.optText(2, " ")
			if a.err != nil {
				return nil, nil
			}
			if utf8.RuneCountInString(fill) != 1 {
				return nil, errFill
			}
			missing := n - utf8.RuneCountInString(t)
			if missing <= 0 {
				return t, nil
			}
			if missing > (maxText-min(len(t), maxText))/len(fill) {
				return nil, tooLong()
			}
			return join(t, strings.Repeat(fill, missing)), nil
		},
		checks: map[int]func(any) string{2: func(arg any) string {
			if t, ok := arg.(string); ok && utf8.RuneCountInString(t) != 1 {
				return errFill.Error()
			}
			return ""
		}},
	}
}

var errFill = errors.New("fill is not one character")

func containsDef(name, doc, want string, f func(string, []string) bool) def {
	return def{
		Func: Func{
			Name: name, Group: groupText, Doc: doc,
			Params: []Param{p("text", "string", "the text"), p("words", "array", "the texts to look for")}, Result: "bool",
			Examples: []Example{ex(name+`("disk is full", ["full", "error"])`, want)},
		},
		impl: func(a *in) (any, error) {
			t, words := a.text(0), a.texts(1)
			if a.err != nil {
				return nil, nil
			}
			return f(t, words), nil
		},
	}
}

// texts reads an array whose elements are all text.
func (a *in) texts(i int) []string {
	if ss, ok := a.any(i).([]string); ok {
		return ss
	}
	arr := a.array(i)
	out := make([]string, 0, len(arr))
	for k, e := range arr {
		t, ok := asText(e)
		if !ok && a.err == nil {
			a.err = fmt.Errorf("%s: element %d of %s is %s, want string", a.fn.Name, k, argName(a.fn, i), typeName(e))
		}
		out = append(out, t)
	}
	return out
}

func cutDef(name, doc, want string, f func(t, sep string) string) def {
	return def{
		Func: Func{
			Name: name, Group: groupText, Doc: doc,
			Params: []Param{p("text", "string", "the text"), p("separator", "string", "what to look for; not empty")}, Result: "string",
			Examples: []Example{ex(name+`("user@example.com", "@")`, want)},
		},
		impl: func(a *in) (any, error) {
			t, sep := a.text(0), a.text(1)
			if a.err == nil && sep == "" {
				return nil, errors.New("separator is empty")
			}
			return f(t, sep), nil
		},
	}
}
