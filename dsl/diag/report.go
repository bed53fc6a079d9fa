package diag

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl/rules"
)

// Report is what was found in one or more configs, for machines.
type Report struct {
	// Version is that of flow.
	Version string
	// Checked are the files that were looked at, in the order in which they
	// are to be listed.
	Checked []string
	// Files are sources by name, for columns and fingerprints.
	Files map[string]*hcl.File
	// Findings are in the order in which they are to be listed; Hidden those
	// that comments hide, with the reasons in rules.Info.
	Findings, Hidden hcl.Diagnostics
	// Strict: warnings fail the check as errors do.
	Strict bool
}

// Format is a way to write a Report.
type Format string

// The formats. Text is for people and written by WriteText.
const (
	Text   Format = "text"
	JSON   Format = "json"
	SARIF  Format = "sarif"
	GitHub Format = "github"
	JUnit  Format = "junit"
)

// Formats lists all formats.
func Formats() []Format { return []Format{Text, JSON, SARIF, GitHub, JUnit} }

// Write writes the report in a format for machines. A report without findings
// is a document, too, but for GitHub's, which then is empty.
func (r *Report) Write(w io.Writer, f Format) error {
	switch f {
	case JSON:
		return r.writeJSON(w)
	case SARIF:
		return r.writeSARIF(w)
	case GitHub:
		return r.writeGitHub(w)
	case JUnit:
		return r.writeJUnit(w)
	}
	return fmt.Errorf("no report in format %q", f)
}

// count returns how many findings are errors and warnings.
func (r *Report) count() (errs, warnings int) {
	for _, d := range r.Findings {
		if d.Severity == hcl.DiagError {
			errs++
		} else {
			warnings++
		}
	}
	return errs, warnings
}

// ruleOf is the rule of a finding. One without a rule, which a component of
// another binary might make, gets a nameless one.
func ruleOf(d *hcl.Diagnostic) rules.Rule {
	if r, ok := rules.Lookup(string(rules.Of(d).Rule)); ok {
		return r
	}
	r := rules.Rule{ID: "FL0000", Name: "other", Severity: rules.Error, Summary: "A finding without a rule."}
	if d.Severity == hcl.DiagWarning {
		r.Severity = rules.Warning
	}
	return r
}

// text is summary and detail for formats that have one text.
func text(d *hcl.Diagnostic) string {
	if d.Detail == "" {
		return clean(d.Summary)
	}
	lines := strings.Split(strings.TrimRight(d.Detail, "\n"), "\n")
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return clean(d.Summary) + "\n" + strings.Join(lines, "\n")
}

// column is a position's column in characters of Unicode, from 1: HCL counts
// what people see as one character, which may be several.
func (r *Report) column(file string, p hcl.Pos) int {
	f := r.Files[file]
	if f == nil || p.Byte > len(f.Bytes) {
		return max(p.Column, 1)
	}
	begin := bytes.LastIndexByte(f.Bytes[:p.Byte], '\n') + 1
	return utf8.RuneCount(f.Bytes[begin:p.Byte]) + 1
}

// line is the text of the line on which a finding begins, without the space
// around it.
func (r *Report) line(d *hcl.Diagnostic) string {
	if d.Subject == nil {
		return ""
	}
	f := r.Files[d.Subject.Filename]
	if f == nil || d.Subject.Start.Byte > len(f.Bytes) {
		return ""
	}
	begin := bytes.LastIndexByte(f.Bytes[:d.Subject.Start.Byte], '\n') + 1
	rest, _, _ := bytes.Cut(f.Bytes[begin:], []byte("\n"))
	return strings.TrimSpace(string(rest))
}

// byFile returns the findings of each file, in the order of Checked and then
// of the names; those without a place come first, under "".
func (r *Report) byFile(diags hcl.Diagnostics) (names []string, found map[string]hcl.Diagnostics) {
	found = make(map[string]hcl.Diagnostics)
	var others []string
	for _, d := range diags {
		name := ""
		if d.Subject != nil {
			name = d.Subject.Filename
		}
		if found[name] == nil && !slices.Contains(r.Checked, name) {
			others = append(others, name)
		}
		found[name] = append(found[name], d)
	}
	slices.Sort(others)
	if len(others) > 0 && others[0] == "" {
		names, others = append(names, ""), others[1:]
	}
	names = append(names, r.Checked...)
	return append(names, others...), found
}

// slashed is a file's name as formats of other tools want it.
func slashed(name string) string { return filepath.ToSlash(name) }
