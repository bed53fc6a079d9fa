package expr

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"github.com/flowrecords/flow/dsl/spelling"
)

// nearest returns the name that was probably meant, or "".
func nearest(given string, names []string) string { return spelling.Nearest(given, names) }

// didYouMean is the detail of an unknown name: the nearest one, or a list if
// that is short. A name stands in quotes, a reference (with a prefix) as it is
// written in the file.
func didYouMean(given string, names []string, prefix string) string {
	if hint := nearest(given, names); hint != "" {
		if prefix != "" {
			return "Did you mean " + prefix + hint + "?"
		}
		return fmt.Sprintf("Did you mean %q?", hint)
	}
	switch {
	case len(names) == 0:
		return "None is declared."
	case len(names) == 1:
		return "There is " + names[0] + "."
	case len(names) <= 12:
		return "There are " + strings.Join(names, ", ") + "."
	}
	return "Nothing of that name exists."
}

// sentence begins with a capital letter and ends with a full stop. A name that
// it begins with stays as it is written: that of a function before a colon, a
// type's, one with a capital or a dot within, one of those given.
func sentence(s string, names ...string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return s
	}
	if word, _, _ := strings.Cut(s, " "); !isName(word) && !slices.Contains(names, word) {
		r, n := utf8.DecodeRuneInString(s)
		s = string(unicode.ToUpper(r)) + s[n:]
	}
	if !strings.ContainsRune(".?!", rune(s[len(s)-1])) {
		s += "."
	}
	return s
}

func isName(word string) bool {
	switch word {
	case "int", "float", "bool", "nil":
		return true
	}
	return strings.HasSuffix(word, ":") || strings.ContainsFunc(word, func(r rune) bool { return unicode.IsUpper(r) || r == '.' || r == '(' })
}

// firstLine drops the snippet that expr adds to its messages.
func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSpace(s)
}

var (
	tokenKind  = regexp.MustCompile(`(Operator|Bracket|Identifier|Number|String|Bytes)\("((?:[^"\\]|\\.)*)"\)`)
	mismatched = regexp.MustCompile(`^invalid operation: (\S+) \(mismatched types? (.+?)(?: and (.+))?\)$`)
	cannotUse  = regexp.MustCompile(`^cannot use (.+) as argument \(type (.+)\) to call (\S+)`)
	wrongName  = regexp.MustCompile(`^reflect\.Value\.MapIndex: value of type (.+) is not assignable to type string$`)
	outOfRange = regexp.MustCompile(`parsing "([^"]*)": value out of range`)
	conversion = regexp.MustCompile(`^(int|float|bool)\((.*)\)$`)
	goTypes    = regexp.MustCompile(`map\[string\]interface \{\}|map\[interface \{\}\]interface \{\}|map\[string\]struct \{\}|map\[int\]struct \{\}|` +
		`map\[interface \{\}\]\[\]interface \{\}|\[\]interface \{\}|\[\]string|\[\]int\b|\[\]float64|\[\](?:uint8|byte)|interface \{\}|time\.Time|time\.Duration|float64|` +
		`map\[string\]any|map\[any\]any|\[\]any|<nil>`)
)

// plainTypes writes Go's types in the words of the language.
func plainTypes(s string) string {
	return goTypes.ReplaceAllStringFunc(s, func(t string) string {
		switch {
		case strings.HasPrefix(t, "map"):
			return "object"
		case t == "[]uint8", t == "[]byte":
			return "bytes"
		case strings.HasPrefix(t, "[]"):
			return "array"
		}
		switch t {
		case "interface {}":
			return "any"
		case "time.Time":
			return "time"
		case "time.Duration":
			return "duration"
		case "float64":
			return "float"
		}
		return "nil"
	})
}

// typeWord is plainTypes of one type as the checker prints it.
func typeWord(s string) string {
	if s == "unknown" {
		return "any value"
	}
	return plainTypes(s)
}

func goTypeName(t reflect.Type) string {
	if t == nil {
		return "nil"
	}
	return plainTypes(t.String())
}

// typeName names the type of a value in the words of the language.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case time.Time:
		return "time"
	case time.Duration:
		return "duration"
	}
	return goTypeName(reflect.TypeOf(v))
}

// syntaxProblem translates an error of expr's lexer or parser.
func syntaxProblem(pos *positions, err error) Problem {
	var fe *file.Error
	if !errors.As(err, &fe) {
		return Problem{Kind: KindSyntax, Length: len(pos.text), Summary: "The expression cannot be read", Detail: sentence(firstLine(err.Error()))}
	}
	s := pos.span(fe.Location)
	if s.to <= s.from {
		s = span{max(0, min(s.from, len(pos.text)-1)), 0}
		s.to = min(s.from+1, len(pos.text))
	}
	msg := tokenKind.ReplaceAllString(fe.Message, "$2")
	if number := outOfRange.FindStringSubmatch(msg); number != nil {
		i := max(strings.Index(pos.text, number[1]), 0)
		return span{i, i + len(number[1])}.problem(KindTooLarge, "Number out of range", "Whole numbers have 64 bits. Write a decimal point to make it a float.")
	}
	if strings.HasPrefix(strings.TrimSpace(pos.text), "{{") {
		return Problem{Kind: KindSyntax, Length: len(pos.text), Summary: "Unexpected {{", Detail: "{{ }} belongs into templates. This is an expression already: write it without the braces."}
	}
	switch {
	case strings.HasPrefix(fe.Message, "unexpected token EOF"), strings.HasPrefix(fe.Message, "unexpected end"):
		return span{len(pos.text), len(pos.text)}.problem(KindSyntax, "The expression is not complete", "Something is missing at its end: an operand or a closing bracket.")
	case strings.HasPrefix(msg, "unexpected token"):
		tok := strings.TrimPrefix(msg, "unexpected token ")
		detail := "This does not fit here. Is an operator, a comma or a bracket missing before it?"
		switch {
		case tok == "=":
			detail = "Compare with ==."
		case tok == "." && strings.HasPrefix(strings.TrimSpace(pos.text), "."):
			detail = "What a record holds is named value: write value alone for all of it, or value.id for a field."
		}
		return s.problem(KindSyntax, "Unexpected "+tok, detail)
	case strings.HasPrefix(msg, "expected at least"):
		return s.problem(KindWrongArguments, "Wrong number of arguments", sentence(msg))
	case msg == "literal not terminated":
		s = span{unclosed(pos.text), len(pos.text)}
		return s.problem(KindSyntax, "Text is not closed", "Close it with the quote that it began with.")
	case strings.HasPrefix(msg, "unrecognized character"):
		return s.problem(KindSyntax, "Unexpected character", sentence(msg))
	case strings.HasPrefix(msg, "compilation failed"):
		return Problem{Kind: KindTooLarge, Length: len(pos.text), Summary: "The expression is too large", Detail: "Split it into several steps."}
	}
	return s.problem(KindSyntax, "The expression cannot be read", sentence(msg))
}

// unclosed returns where the text begins that is not closed.
func unclosed(text string) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"', '\'', '`':
			end := skipString(text, i)
			if end == len(text) && (end == i+1 || text[end-1] != text[i]) || strings.ContainsRune(text[i:end], '\n') && text[i] != '`' {
				return i
			}
			i = end - 1
		}
	}
	return max(len(text)-1, 0)
}

// typeProblem translates an error of expr's checker or optimiser.
func (r *resolver) typeProblem(tree *parser.Tree, err error) Problem {
	var fe *file.Error
	if !errors.As(err, &fe) {
		return Problem{Kind: KindTypes, Length: len(r.pos.text), Summary: "Wrong type", Detail: sentence(plainTypes(firstLine(err.Error())))}
	}
	s := r.pos.balance(r.pos.span(fe.Location))
	within := ""
	if n := nodeAt(tree.Node, fe.Location); n != nil {
		s = r.span(n)
		within = r.inlined[n]
	}
	msg := fe.Message
	if b, ok := nodeAt(tree.Node, fe.Location).(*ast.BinaryNode); ok {
		// The checker has no word for the type of nil.
		if _, isNil := b.Left.(*ast.NilNode); isNil {
			msg = strings.Replace(msg, "types unknown and", "types nil and", 1)
		}
		if _, isNil := b.Right.(*ast.NilNode); isNil {
			msg = strings.Replace(msg, "and unknown)", "and nil)", 1)
		}
	}
	kind, summary, detail := typeMessage(msg)
	if within != "" {
		detail = fmt.Sprintf("In function %s: %s", within, detail)
	}
	return s.problem(kind, summary, detail)
}

func typeMessage(msg string) (kind Kind, summary, detail string) {
	if m := mismatched.FindStringSubmatch(msg); m != nil {
		l, right := typeWord(m[2]), typeWord(m[3])
		if right == "" {
			return KindTypes, "Wrong type", fmt.Sprintf("%s cannot be applied to %s.", m[1], l)
		}
		switch m[1] {
		case "==", "!=", "<", ">", "<=", ">=":
			return KindTypes, "Types do not compare", fmt.Sprintf("%s and %s cannot be compared with %s.", l, right, m[1])
		}
		return KindTypes, "Types do not fit", fmt.Sprintf("%s cannot be applied to %s and %s.", m[1], l, right)
	}
	if m := cannotUse.FindStringSubmatch(msg); m != nil {
		return KindWrongArguments, "Wrong argument of " + m[3], fmt.Sprintf("%s needs %s here, this is %s.", m[3], typeWord(m[2]), typeWord(m[1]))
	}
	switch {
	case strings.HasPrefix(msg, "not enough arguments"), strings.HasPrefix(msg, "too many arguments"), strings.HasPrefix(msg, "invalid number of arguments"):
		return KindWrongArguments, "Wrong number of arguments", sentence(plainTypes(msg))
	case strings.HasPrefix(msg, "error parsing regexp"):
		return KindPattern, "Wrong regular expression", sentence(strings.TrimPrefix(msg, "error parsing regexp: "))
	case strings.HasPrefix(msg, "integer divide by zero"):
		return KindFails, "Division by zero", "The right side of % is zero."
	}
	return KindTypes, "Wrong type", sentence(plainTypes(strings.TrimPrefix(msg, "builtin ")))
}

// runtimeMessage words what expr panics with.
func runtimeMessage(msg string) string {
	msg = plainTypes(firstLine(msg))
	msg = strings.TrimPrefix(msg, "runtime error: ")
	if rest, ok := strings.CutPrefix(msg, "interface conversion: any is "); ok {
		got, want, _ := strings.Cut(rest, ", not ")
		return fmt.Sprintf("needs %s, got %s", want, got)
	}
	if m := wrongName.FindStringSubmatch(msg); m != nil {
		return "a member's name is text, not " + m[1]
	}
	rest, ok := strings.CutPrefix(msg, "invalid operation: ")
	if !ok {
		return msg
	}
	if l, op, r, ok := operation(rest); ok {
		return opMessage(op, l, r)
	}
	if m := conversion.FindStringSubmatch(rest); m != nil {
		return fmt.Sprintf("%s cannot be made of %s", m[1], m[2])
	}
	return rest
}
