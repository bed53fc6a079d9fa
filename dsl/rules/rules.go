// Package rules is the catalogue of what lint can find: a stable id, a
// severity and a page for each. The files of this package hold the rules by
// category; the checks themselves stand where the config is understood, in
// package dsl and in dsl/lint.
package rules

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// ID names a rule for ever: FL1001. An id is never given to another rule.
type ID string

// Category groups rules; the first digits of an id tell it.
type Category string

// The categories and their ids.
const (
	Syntax      Category = "syntax"      // FL10xx: what cannot be read, blocks and labels
	Options     Category = "options"     // FL11xx: options, their values and types
	Names       Category = "names"       // FL12xx: variables, locals, functions, connections
	Wiring      Category = "wiring"      // FL13xx: from, ports, circles, dead ends
	Expressions Category = "expressions" // FL14xx: expressions, templates, paths
	Delivery    Category = "delivery"    // FL20xx: what weakens the guarantee
	Errors      Category = "errors"      // FL21xx: where failed records go
	Security    Category = "security"    // FL22xx: secrets, destinations, plain text
	Operations  Category = "operations"  // FL23xx: what hurts at night
	Performance Category = "performance" // FL24xx: what makes it slow
	DeadCode    Category = "dead-code"   // FL25xx: what has no effect
	Lint        Category = "lint"        // FL29xx: the comments that hide findings
)

// Severity is what a finding means for the config.
type Severity string

// The severities.
const (
	// Error: the config does not run.
	Error Severity = "error"
	// Warning: it runs, and most likely not as meant. --deny-warnings fails.
	Warning Severity = "warning"
)

// Rule is one thing that lint finds.
type Rule struct {
	ID       ID
	Name     string // lower-case words with -: unknown-option
	Category Category
	Severity Severity
	// Summary is one sentence without the names of a particular config.
	Summary string
	// Doc says, in Markdown, why it matters and what to do.
	Doc string
	// Bad is a config with exactly one finding of this rule, Good its
	// correction with none at all. Files other than main.hcl, flags and
	// environment stand in a txtar comment or as files. Both are run by tests.
	Bad, Good string
	// Fixable: lint --fix can correct it, at least in some cases.
	Fixable bool
}

// Edit replaces the bytes of a range.
type Edit struct {
	Range hcl.Range
	Text  string
}

// Info is what flow attaches to a diagnostic (hcl.Diagnostic.Extra).
type Info struct {
	Rule ID
	// Fix corrects the finding without changing anything else that the config
	// means; nil when nothing certain is known. Edits do not overlap.
	Fix []Edit
	// Reason is that of the comment that hides the finding; empty for one that
	// is shown.
	Reason string
}

// Of returns what is attached to a diagnostic; the zero Info if nothing is.
func Of(d *hcl.Diagnostic) Info {
	i, _ := hcl.DiagnosticExtra[Info](d)
	return i
}

// docsURL is where the pages of the rules are published.
const docsURL = "https://github.com/flowrecords/flow/blob/main/docs/rules/"

// URL is the address of the rule's page.
func (r Rule) URL() string { return docsURL + string(r.ID) + ".md" }

// Unignorable reports whether a comment cannot hide the rule's findings: an
// error that is hidden would still keep the config from running, and comments
// cannot hide what is wrong with comments.
func (r Rule) Unignorable() bool { return r.Severity == Error || r.Category == Lint }

// All returns every rule in the order of ids.
func All() []Rule {
	all := slices.Concat(lists()...)
	slices.SortFunc(all, func(a, b Rule) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return all
}

// Lookup finds a rule by id or name, in any case.
func Lookup(idOrName string) (Rule, bool) {
	for _, list := range lists() {
		for _, r := range list {
			if strings.EqualFold(string(r.ID), idOrName) || strings.EqualFold(r.Name, idOrName) {
				return r, true
			}
		}
	}
	return Rule{}, false
}

// lists are the rules by file.
func lists() [][]Rule {
	return [][]Rule{
		syntaxRules(), optionRules(), nameRules(), variableRules(), wiringRules(), expressionRules(), compiledRules(), ignoreRules(),
		deliveryRules(), errorsRules(), securityRules(), operationsRules(), performanceRules(), conditionRules(), unusedRules(), deadCodeRules(), typeRules(),
	}
}
