package dsl

import (
	"fmt"
	"regexp"

	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/rules"
)

// hclPlace is how HCL writes a place in its details.
var hclPlace = regexp.MustCompile(`:(\d+),(\d+)-[\d,]+`)

// maxSyntax bounds what is said of a file that is no HCL.
const maxSyntax = 20

// addSyntax reports what HCL's parser found, in words like ours and with a
// remedy where the parser's own words name none. Of mistakes that follow from
// one another only the first is kept.
func (l *loader) addSyntax(diags hcl.Diagnostics, src []byte) {
	var last *hcl.Diagnostic
	n := 0
	for _, d := range diags {
		if last != nil && last.Subject != nil && d.Subject != nil && follows(last, d) {
			continue
		}
		last = d
		if n++; n > maxSyntax {
			return // what follows is hardly a config
		}
		l.add(plainSyntax(d, src))
	}
}

// follows reports whether a syntax error is only a consequence of the one
// before it.
func follows(first, d *hcl.Diagnostic) bool {
	return first.Subject.Start.Byte == d.Subject.Start.Byte || first.Summary == "Invalid multi-line string"
}

// syntaxRules are the rules for what HCL's parser finds, by its summaries.
var syntaxRules = map[string]rules.ID{
	"Attribute redefined":                      rules.GivenTwice,
	"Invalid block definition":                 rules.MissingEquals,
	"Invalid escape sequence":                  rules.WrongEscape,
	"Invalid single-argument block definition": rules.CrowdedLine,
	"Missing newline after argument":           rules.CrowdedLine,
	"Missing newline after block definition":   rules.CrowdedLine,
	"Invalid multi-line string":                rules.UnclosedText,
	"Unterminated template string":             rules.UnclosedText,
	"Unclosed configuration block":             rules.UnclosedBlock,
}

func plainSyntax(d *hcl.Diagnostic, src []byte) *hcl.Diagnostic {
	id, known := syntaxRules[d.Summary]
	if !known {
		id = rules.WrongSyntax
	}
	out := rules.Finding(id, d.Subject, lowerFirst(d.Summary), d.Detail)
	text := ""
	if d.Subject != nil && d.Subject.End.Byte <= len(src) && d.Subject.Start.Byte <= d.Subject.End.Byte {
		text = string(src[d.Subject.Start.Byte:d.Subject.End.Byte])
	}
	switch {
	case d.Summary == "Invalid character" && text == "'":
		out = rules.Finding(rules.SingleQuotes, d.Subject, lowerFirst(d.Summary), "Text stands in double quotes: \"...\". Single quotes are for texts within an expression.")
		if edits := doubleQuotes(src, *d.Subject); edits != nil {
			rules.AddFix(out, edits...)
		}
	case id == rules.GivenTwice:
		out.Summary = "option is there twice"
		out.Detail = fmt.Sprintf("%s Remove one of the two.", hclPlace.ReplaceAllString(d.Detail, ":$1:$2"))
	case d.Summary == "Invalid block definition":
		out.Detail = "An equals sign or an opening brace is missing on this line: an option is NAME = VALUE, a block is TYPE \"LABEL\" {"
	case d.Summary == "Invalid escape sequence":
		out.Detail = "HCL knows \\n, \\r, \\t, \\\", \\\\, \\uXXXX and \\UXXXXXXXX. To write a backslash, as in a pattern, write it twice: \\\\"
	case d.Summary == "Invalid single-argument block definition":
		out.Detail = "A block on one line holds one option. Write each option on a line of its own."
	case d.Summary == "Invalid multi-line string":
		out.Summary = "text is not closed"
		out.Detail = "The closing quote is missing on this line. A text of several lines is a heredoc: <<-EOT, the lines, EOT."
	case d.Summary == "Missing newline after argument":
		out.Detail = "Each option stands on a line of its own."
	}
	return out
}

// evalRules are the rules for what HCL finds while it evaluates, by its
// summaries.
var evalRules = map[string]rules.ID{
	"Call to unknown function":      rules.UnknownConfigFunction,
	"Error in function call":        rules.WrongCall,
	"Invalid function argument":     rules.WrongCall,
	"Not enough function arguments": rules.WrongCall,
	"Too many function arguments":   rules.WrongCall,
}

// plainEval words an error of evaluating HCL like ours. The evaluation context
// is left out: it holds values.
func plainEval(d *hcl.Diagnostic) *hcl.Diagnostic {
	id, known := evalRules[d.Summary]
	if !known {
		id = rules.NoResult
	}
	return rules.Finding(id, d.Subject, lowerFirst(d.Summary), d.Detail)
}

// exprRules are the rules for mistakes in expressions.
var exprRules = map[expr.Kind]rules.ID{
	expr.KindSyntax:          rules.ExprSyntax,
	expr.KindEmpty:           rules.ExprEmpty,
	expr.KindTooLarge:        rules.ExprTooLarge,
	expr.KindUnknownName:     rules.ExprUnknownName,
	expr.KindUnknownFunction: rules.ExprUnknownFunction,
	expr.KindWrongArguments:  rules.ExprWrongArguments,
	expr.KindTypes:           rules.ExprTypes,
	expr.KindNotBool:         rules.ExprNotBool,
	expr.KindFails:           rules.ExprFails,
	expr.KindNoMember:        rules.ExprNoMember,
	expr.KindNameTaken:       rules.ExprNameTaken,
	expr.KindExists:          rules.ReservedFunction,
	expr.KindPattern:         rules.ExprPattern,
	expr.KindNoRecord:        rules.ExprNoRecord,
	expr.KindHole:            rules.TemplateHole,
	expr.KindNoField:         rules.UnknownField,
	expr.KindNoSymbol:        rules.NoSymbol,
	expr.KindNeverThere:      rules.NeverThere,
}
