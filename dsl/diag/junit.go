package diag

import (
	"encoding/xml"
	"fmt"
	"io"

	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl/rules"
)

// The shape of a JUnit report, as the servers of continuous integration read
// it: a test suite for each file, a test case for each finding. A file without
// any is one case that passed. A warning fails only where it fails the check.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Line    int           `xml:"line,attr,omitempty"`
		Skipped *junitSkipped `xml:"skipped"`
		Failure *junitFailure `xml:"failure"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// nowhere is the suite of findings without a place.
const nowhere = "command line"

func (r *Report) writeJUnit(w io.Writer) error {
	names, found := r.byFile(append(append(hcl.Diagnostics{}, r.Findings...), r.Hidden...))
	out := junitSuites{Name: "flow lint"}
	for _, file := range names {
		name := slashed(file)
		if file == "" {
			name = nowhere
		}
		s := junitSuite{Name: name}
		for _, d := range found[file] {
			s.Cases = append(s.Cases, r.junitCase(name, d))
		}
		if len(s.Cases) == 0 {
			s.Cases = []junitCase{{Name: "lint", Class: name, File: name}}
		}
		s.Tests = len(s.Cases)
		for _, c := range s.Cases {
			if c.Failure != nil {
				s.Failures++
			}
			if c.Skipped != nil {
				s.Skipped++
			}
		}
		out.Tests, out.Failures, out.Skipped = out.Tests+s.Tests, out.Failures+s.Failures, out.Skipped+s.Skipped
		out.Suites = append(out.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (r *Report) junitCase(class string, d *hcl.Diagnostic) junitCase {
	rule := ruleOf(d)
	c := junitCase{Name: fmt.Sprintf("%s %s", rule.ID, rule.Name), Class: class}
	body := text(d) + "\n" + rule.URL()
	if s := d.Subject; s != nil {
		c.Name += fmt.Sprintf(" at %d:%d", s.Start.Line, s.Start.Column)
		c.File, c.Line = slashed(s.Filename), s.Start.Line
		body = fmt.Sprintf("%s:%d:%d: %s", c.File, s.Start.Line, s.Start.Column, body)
	}
	switch reason := rules.Of(d).Reason; {
	case reason != "":
		c.Skipped = &junitSkipped{Message: "ignored: " + clean(reason)}
	case rule.Severity == rules.Error || r.Strict:
		c.Failure = &junitFailure{Message: clean(d.Summary), Type: string(rule.ID), Text: body}
	default:
		c.Out = "warning: " + body
	}
	return c
}
