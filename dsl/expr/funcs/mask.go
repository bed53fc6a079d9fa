package funcs

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
	"github.com/flowrecords/flow/engine/schema"
)

func (s *set) maskFuncs() []def {
	text := p("text", "string", "the text to hide")
	simple := func(name, doc string, appendTo func(dst, s []byte) []byte, examples ...Example) def {
		return def{
			Func: Func{Name: name, Group: groupMask, Doc: doc, Params: []Param{text}, Result: "string", Examples: examples},
			impl: func(a *in) (any, error) { return string(appendTo(nil, []byte(a.text(0)))), nil },
			fast: func(a fin) (record.Value, []byte, error) {
				t, start := a.text(0), len(a.dst)
				a.dst = appendTo(a.dst, t)
				return a.done(a.made(start), nil)
			},
		}
	}
	return []def{
		blankFunc(),
		{
			Func: Func{
				Name: "mask", Group: groupMask,
				Doc: "Hides all characters but the last keepLast. A text that has no more characters than keepLast is hidden fully.",
				Params: []Param{
					text,
					p("keepLast", "int", "how many characters at the end stay"),
					opt("char", "string", "the character to hide with; `*` if not given"),
				},
				Result: "string",
				Examples: []Example{
					ex(`mask("4111111111111111", 4)`, `"************1111"`),
					ex(`mask("secret", 0, "x")`, `"xxxxxx"`),
					ex(`mask("abc", 4)`, `"***"`),
				},
			},
			impl: func(a *in) (any, error) {
				t, keep, char := a.text(0), a.int(1), a.optText(2, "*")
				b, err := appendMask(nil, []byte(t), keep, []byte(char))
				return string(b), err
			},
			fast: func(a fin) (record.Value, []byte, error) {
				t, keep, char := a.text(0), a.int(1), []byte{'*'}
				if a.has(2) {
					char = a.text(2)
				}
				if a.err != nil {
					return a.done(record.Value{}, nil)
				}
				start := len(a.dst)
				dst, err := appendMask(a.dst, t, keep, char)
				if err != nil {
					return a.done(record.Value{}, err)
				}
				a.dst = dst
				return a.done(a.made(start), nil)
			},
			checks: map[int]func(any) string{
				1: func(arg any) string {
					if n, ok := arg.(int); ok && n < 0 {
						return errKeepLast.Error()
					}
					return ""
				},
				2: func(arg any) string {
					if c, ok := arg.(string); ok && utf8.RuneCountInString(c) != 1 {
						return errMaskChar.Error()
					}
					return ""
				},
			},
		},
		simple("maskEmail", "Keeps the first character and the domain of a mail address and hides the rest, its length too. A text without @ is hidden fully.",
			appendMaskEmail,
			ex(`maskEmail("jane.doe@example.com")`, `"j***@example.com"`), ex(`maskEmail("no address")`, `"***"`)),
		simple("maskCard", "Hides all digits but the last four and keeps spaces and dashes. With fewer than twelve digits all are hidden.",
			appendMaskCard,
			ex(`maskCard("4111 1111 1111 1234")`, `"**** **** **** 1234"`), ex(`maskCard("1234")`, `"****"`)),
	}
}

// blankFunc is what the processor mask_field does with a field.
func blankFunc() def {
	blankOf := func(with, mode string) (cast.Blank, error) {
		m, err := modeOf(mode)
		return cast.Blank{With: with, Mode: m}, err
	}
	return def{
		Func: Func{
			Name: "blank", Group: groupMask,
			Doc: "What stands for x where nobody may see it, as the processor `mask_field` has it: the empty value of its type, or the replacement for text and numbers; for a number it must be one. " +
				"The empty value is 0, false, an empty text, array, object or bytes, and 1970 for times. Of a path with a schema its type counts. The mode `connect` refuses bytes and narrows numbers as Kafka Connect's MaskField.",
			Params: []Param{p("x", "any", "the value"), opt("replacement", "string", "what stands for text and numbers; empty: the empty value"), opt("mode", "string", "`exact` or `connect`; exact if not given")},
			Result: "any",
			Examples: []Example{
				ex(`blank("secret")`, `""`), ex(`blank(42)`, `0`), ex(`blank("secret", "****")`, `"****"`), ex(`blank([1, 2])`, `[]`),
				exErr(`blank(true, "****")`, `blank: a bool cannot be replaced by a text`),
			},
			OfPath: func(args []any) (PathFunc, error) {
				b, err := blankOf(textArg(args, 0), textArg(args, 1))
				return func(dst []byte, x record.Value, s *schema.Schema) (record.Value, []byte, error) {
					if x.IsNil() {
						return x, dst, errNull
					}
					v, err := b.Of(x, s)
					return v, dst, err
				}, err
			},
			TypeOfPath: func(s *schema.Schema, _ []any) *schema.Schema { return s },
		},
		checks: map[int]func(any) string{2: checkMode},
		impl: func(a *in) (any, error) {
			x, with, mode := a.any(0), a.optText(1, ""), a.optText(2, "")
			if a.err != nil {
				return nil, nil
			}
			if x == nil {
				return nil, errNull
			}
			b, err := blankOf(with, mode)
			if err != nil {
				return nil, err
			}
			v, err := record.FromAny(x)
			if err != nil { // a map with keys that are no text
				return nil, fmt.Errorf("a value of type %s cannot be masked", typeName(x))
			}
			out, err := b.Of(v, nil)
			return out.Any(), err
		},
	}
}

var (
	errKeepLast = errors.New("keepLast is negative")
	errMaskChar = errors.New("char is not one character")
)

func appendMask(dst, s []byte, keep int, char []byte) ([]byte, error) {
	if keep < 0 {
		return nil, errKeepLast
	}
	if utf8.RuneCount(char) != 1 {
		return nil, errMaskChar
	}
	n := utf8.RuneCount(s)
	if keep >= n {
		keep = 0
	}
	if (n-keep)*len(char) > maxText {
		return nil, tooLong()
	}
	cut := len(s)
	for range keep {
		_, size := utf8.DecodeLastRune(s[:cut])
		cut -= size
	}
	for range n - keep {
		dst = append(dst, char...)
	}
	return append(dst, s[cut:]...), nil
}

func appendMaskEmail(dst, s []byte) []byte {
	at := bytes.LastIndexByte(s, '@')
	if at < 0 {
		return append(dst, "***"...)
	}
	_, size := utf8.DecodeRune(s[:at])
	if size < at { // a name of one character would be given away whole
		dst = append(dst, s[:size]...)
	}
	dst = append(dst, "***"...)
	return append(dst, s[at:]...)
}

// appendMaskCard replaces every character that is neither a space nor a dash,
// so that a number with letters in it is not given away either.
func appendMaskCard(dst, s []byte) []byte {
	digits := 0
	for _, c := range s {
		if '0' <= c && c <= '9' {
			digits++
		}
	}
	keep := 4
	if digits < 12 {
		keep = 0
	}
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		digit := '0' <= r && r <= '9'
		switch {
		case r == ' ' || r == '-' || digit && digits <= keep:
			dst = append(dst, s[:size]...)
		default:
			dst = append(dst, '*')
		}
		if digit {
			digits--
		}
		s = s[size:]
	}
	return dst
}
