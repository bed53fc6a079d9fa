package funcs

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func (s *set) caseFuncs() []def {
	return []def{
		textDef("capitalize", groupText, "The text with its first character in upper case and the rest as it is.",
			func(t string) string {
				r, size := utf8.DecodeRuneInString(t)
				if r == utf8.RuneError {
					return t
				}
				return string(unicode.ToUpper(r)) + t[size:]
			},
			ex(`capitalize("new york")`, `"New york"`)),
		textDef("titleCase", groupText, "Every word with its first letter in upper case and the rest in lower case. All between the words stays.", titleCase,
			ex(`titleCase("NEW york-city")`, `"New York-City"`)),
		textDef("camelCase", groupText, "The words of the text as one name: `orderLineId`.", caseStyle("camelCase"), ex(`camelCase("order_line ID")`, `"orderLineId"`)),
		textDef("pascalCase", groupText, "The words of the text as one name that begins in upper case: `OrderLineId`.", caseStyle("pascalCase"), ex(`pascalCase("order_line ID")`, `"OrderLineId"`)),
		textDef("snakeCase", groupText, "The words of the text in lower case, joined by underscores.", caseStyle("snakeCase"), ex(`snakeCase("HTTPServer orderId2")`, `"http_server_order_id2"`)),
		textDef("kebabCase", groupText, "The words of the text in lower case, joined by dashes.", caseStyle("kebabCase"), ex(`kebabCase("orderLineId")`, `"order-line-id"`)),
		textDef("constantCase", groupText, "The words of the text in upper case, joined by underscores.", caseStyle("constantCase"), ex(`constantCase("orderLineId")`, `"ORDER_LINE_ID"`)),
	}
}

const caseStyles = "camelCase, pascalCase, snakeCase, kebabCase or constantCase"

// caseStyle returns the function of a style, nil if it is unknown.
func caseStyle(style string) func(string) string {
	join := func(sep string, f func(i int, w string) string) func(string) string {
		return func(t string) string {
			ws := words(t)
			for i, w := range ws {
				ws[i] = f(i, w)
			}
			return strings.Join(ws, sep)
		}
	}
	lower := func(_ int, w string) string { return strings.ToLower(w) }
	switch style {
	case "camelCase":
		return join("", func(i int, w string) string {
			if i == 0 {
				return strings.ToLower(w)
			}
			return title(w)
		})
	case "pascalCase":
		return join("", func(_ int, w string) string { return title(w) })
	case "snakeCase":
		return join("_", lower)
	case "kebabCase":
		return join("-", lower)
	case "constantCase":
		return join("_", func(_ int, w string) string { return strings.ToUpper(w) })
	}
	return nil
}

func title(w string) string {
	r, size := utf8.DecodeRuneInString(w)
	return string(unicode.ToUpper(r)) + strings.ToLower(w[size:])
}

func titleCase(t string) string {
	var b strings.Builder
	inWord := false
	for _, r := range t {
		switch letter := unicode.IsLetter(r) || unicode.IsDigit(r); {
		case letter && !inWord:
			b.WriteRune(unicode.ToUpper(r))
			inWord = true
		case letter:
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteRune(r)
			inWord = inWord && r == '\'' // it's, not It'S
		}
	}
	return b.String()
}

// words splits at everything that is neither letter nor digit, before an
// upper-case letter that follows a lower-case one or a digit, and before the
// last of several upper-case letters that a lower-case one follows
// (HTTPServer). Digits stay with the word before them.
func words(t string) []string {
	var out []string
	rs := []rune(t)
	start := -1
	flush := func(end int) {
		if start >= 0 {
			out = append(out, string(rs[start:end]))
		}
		start = -1
	}
	for i, r := range rs {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush(i)
			continue
		}
		if start >= 0 && unicode.IsUpper(r) {
			before := rs[i-1]
			nextLower := i+1 < len(rs) && unicode.IsLower(rs[i+1])
			if !unicode.IsUpper(before) || nextLower {
				flush(i)
			}
		}
		if start < 0 {
			start = i
		}
	}
	flush(len(rs))
	return out
}
