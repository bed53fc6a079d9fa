package dsl

import (
	"fmt"
	"regexp"

	"github.com/hashicorp/hcl/v2"
)

// hclPlace is how HCL writes a place in its details.
var hclPlace = regexp.MustCompile(`:(\d+),(\d+)-[\d,]+`)

// maxSyntax bounds what is said of a file that is no HCL.
const maxSyntax = 20

// summaryTwice is what a repeated attribute is reported as.
const summaryTwice = "option is there twice"

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

func plainSyntax(d *hcl.Diagnostic, src []byte) *hcl.Diagnostic {
	out := &hcl.Diagnostic{Severity: d.Severity, Summary: lowerFirst(d.Summary), Detail: d.Detail, Subject: d.Subject}
	text := ""
	if d.Subject != nil && d.Subject.End.Byte <= len(src) && d.Subject.Start.Byte <= d.Subject.End.Byte {
		text = string(src[d.Subject.Start.Byte:d.Subject.End.Byte])
	}
	switch {
	case d.Summary == "Invalid character" && text == "'":
		out.Detail = "Text stands in double quotes: \"...\". Single quotes are for texts within an expression."
	case d.Summary == "Attribute redefined":
		out.Summary = summaryTwice
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

// plainEval words an error of evaluating HCL like ours. The evaluation context
// is left out: it holds values.
func plainEval(d *hcl.Diagnostic) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: d.Severity, Summary: lowerFirst(d.Summary), Detail: d.Detail, Subject: d.Subject}
}
