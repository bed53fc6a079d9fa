package playground

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind is what the prompt tells apart while a line is edited. The
// compiler has its own lexer; this one must bear text that is not finished.
type tokenKind uint8

const (
	tokenSpace tokenKind = iota
	tokenName
	tokenNumber
	tokenText
	tokenSign // an operator or bracket
	tokenComment
)

// token is a piece of an expression, in bytes.
type token struct {
	kind     tokenKind
	from, to int
	// open: a text or comment that is not closed.
	open bool
}

// lex cuts text into tokens that follow each other without gaps.
func lex(text string) []token {
	var out []token
	for i := 0; i < len(text); {
		t := token{from: i}
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			t.to = i + len(text[i:]) - len(strings.TrimLeft(text[i:], " \t\n\r"))
		case c == '"' || c == '\'' || c == '`':
			t.kind = tokenText
			t.to, t.open = textEnd(text, i)
		case strings.HasPrefix(text[i:], "//"):
			t.kind = tokenComment
			t.to = i + len(firstLine([]byte(text[i:])))
		case strings.HasPrefix(text[i:], "/*"):
			t.kind = tokenComment
			if end := strings.Index(text[i+2:], "*/"); end >= 0 {
				t.to = i + 2 + end + 2
			} else {
				t.to, t.open = len(text), true
			}
		case c >= '0' && c <= '9':
			t.kind, t.to = tokenNumber, numberEnd(text, i)
		default:
			t.kind, t.to = signOrName(text, i)
		}
		out = append(out, t)
		i = t.to
	}
	return out
}

func textEnd(text string, i int) (end int, open bool) {
	quote := text[i]
	for i++; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote != '`':
			i++
		case text[i] == quote:
			return i + 1, false
		}
	}
	return len(text), true
}

func numberEnd(text string, i int) int {
	for i < len(text) && (nameByte(text[i]) || text[i] == '.' && !strings.HasPrefix(text[i:], "..")) {
		i++
	}
	return i
}

// signs are the operators of more than one character, longest first.
func signs() []string {
	return []string{"**", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", ".."}
}

func signOrName(text string, i int) (tokenKind, int) {
	r, n := utf8.DecodeRuneInString(text[i:])
	if r == '_' || r == '$' || unicode.IsLetter(r) {
		end := i
		for end < len(text) {
			r, n := utf8.DecodeRuneInString(text[end:])
			if r != '_' && r != '$' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				break
			}
			end += n
		}
		return tokenName, end
	}
	for _, s := range signs() {
		if strings.HasPrefix(text[i:], s) {
			return tokenSign, i + len(s)
		}
	}
	return tokenSign, i + n
}

// wordOperators are the operators that are names.
func wordOperators() []string {
	return []string{"and", "or", "not", "in", "contains", "matches", "startsWith", "endsWith"}
}

// keywords are the names that the language itself takes.
func keywords() []string {
	return append(wordOperators(), "let", "if", "else", "true", "false", "nil")
}

// finished reports whether an expression can end here: no bracket, text or
// comment is open, and no operator waits for its right side. An empty last
// line ends anything.
func finished(text string) bool {
	if i := strings.LastIndexByte(text, '\n'); i >= 0 && strings.TrimSpace(text[i:]) == "" {
		return true
	}
	depth := 0
	last := ""
	for _, t := range lex(text) {
		if t.open {
			return false
		}
		if t.kind == tokenSpace || t.kind == tokenComment {
			continue
		}
		last = ""
		part := text[t.from:t.to]
		switch {
		case t.kind == tokenSign && strings.Contains("([{", part):
			depth++
		case t.kind == tokenSign && strings.Contains(")]}", part):
			depth--
		case t.kind == tokenSign && part != "#", t.kind == tokenName && slices.Contains(wordOperators(), part):
			last = part
		}
	}
	return depth <= 0 && last == ""
}

// highlight colours an expression while it is typed.
func highlight(s Style, text string) string {
	if !s.Color {
		return text
	}
	if strings.HasPrefix(strings.TrimSpace(text), ":") {
		command, rest, _ := strings.Cut(text, " ")
		if len(text) > len(command) {
			rest = " " + rest
		}
		if spec, ok := lookupCommand(strings.TrimSpace(command)[1:]); ok && spec.expression {
			rest = highlight(s, rest)
		}
		return s.paint(colorBold, command) + rest
	}
	var b strings.Builder
	tokens := lex(text)
	for i, t := range tokens {
		part := text[t.from:t.to]
		code := ""
		switch t.kind {
		case tokenText:
			code = colorText
		case tokenNumber:
			code = colorNumber
		case tokenComment:
			code = colorDim
		case tokenName:
			if i > 0 && text[tokens[i-1].from:tokens[i-1].to] == "." {
				break
			}
			switch {
			case slices.Contains(keywords(), part):
				code = colorWord
			case t.to < len(text) && text[t.to] == '(':
				code = colorName
			}
		}
		// A colour that spans lines would colour the second prompt.
		for j, line := range strings.Split(part, "\n") {
			if j > 0 {
				b.WriteByte('\n')
			}
			if code == "" {
				b.WriteString(line)
			} else {
				b.WriteString(s.paint(code, line))
			}
		}
	}
	return b.String()
}
