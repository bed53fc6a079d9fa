package dsl

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// plainSyntax words a syntax error of HCL like ours, with a hint where the
// parser's own words do not name the remedy.
func plainSyntax(d *hcl.Diagnostic) *hcl.Diagnostic {
	out := &hcl.Diagnostic{Severity: d.Severity, Summary: lowerFirst(d.Summary), Detail: d.Detail, Subject: d.Subject, Context: d.Context}
	switch {
	case d.Summary == "Invalid character" && strings.Contains(d.Detail, "single quote"), d.Summary == "Invalid character" && strings.Contains(d.Detail, "'"):
		out.Detail = "Text stands in double quotes: \"...\". Single quotes are for texts within an expression."
	case d.Summary == "Attribute redefined":
		out.Detail += " Remove one of the two."
	}
	return out
}

// plainEval words an error of evaluating HCL like ours. The evaluation context
// is left out: it holds values.
func plainEval(d *hcl.Diagnostic) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: d.Severity, Summary: lowerFirst(d.Summary), Detail: d.Detail, Subject: d.Subject}
}
