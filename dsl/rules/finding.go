package rules

import (
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"
)

// index holds the catalogue by id.
var index = sync.OnceValue(func() map[ID]Rule {
	m := make(map[ID]Rule)
	for _, list := range lists() {
		for _, r := range list {
			m[r.ID] = r
		}
	}
	return m
})

// Finding makes a diagnostic of a rule, with the rule's severity. at may be
// nil: what came from the command line has no place.
func Finding(id ID, at *hcl.Range, summary, detail string) *hcl.Diagnostic {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Extra: Info{Rule: id}}
	if r, ok := index()[id]; ok && r.Severity == Warning {
		d.Severity = hcl.DiagWarning
	}
	if at != nil {
		d.Subject = at.Ptr()
	}
	return d
}

// AddFix attaches edits to a finding.
func AddFix(d *hcl.Diagnostic, edits ...Edit) {
	info := Of(d)
	info.Fix = append(slices.Clip(info.Fix), edits...)
	d.Extra = info
}
