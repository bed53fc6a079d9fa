package diag_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/flowrecords/flow/dsl/diag"
	"github.com/flowrecords/flow/dsl/rules"
)

// reportSource holds characters of several bytes, of several code points and
// of two units of UTF-16 before what is at fault.
const reportSource = "a = \"日\"\nb = \"e\u0301🎉\" + bad\nc {\n}\n"

// report has a finding of every shape.
func report() *diag.Report {
	found := func(id rules.ID, text, summary, detail string) *hcl.Diagnostic {
		d := mistake(reportSource, text)
		return rules.Finding(id, d.Subject, summary, detail)
	}
	plain := found(rules.UnknownName, "bad", "unknown name: \"bad\", 100%", "First.\nSecond: a,b\r\x1b[31m<&>.")
	plain.Subject.Start.Column, plain.Subject.End.Column = 12, 15 // as HCL counts: é is one
	fixed := found(rules.BlockOrOption, "c {", "\"c\" is no block", "")
	at := *fixed.Subject
	at.Start.Byte, at.Start.Column = at.Start.Byte+2, at.Start.Column+2
	at.End = at.Start
	rules.AddFix(fixed, rules.Edit{Range: at, Text: "= "})
	whole := found(rules.NotConstant, "\"e\u0301🎉\" + bad\nc {", "over two lines", "Shorten it.")
	nowhere := rules.Finding(rules.WrongVarFlag, nil, "--var without a value", "Write it as --var name=value.")
	odd := found(rules.UnusedValue, "a", "unused", "")
	odd.Subject.Filename = "dir with space/ü,:.hcl"
	absolute := found(rules.UnusedValue, "a", "unused", "")
	absolute.Subject.Filename = "/etc/flow/a.hcl"
	foreign := &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "from elsewhere"}
	hidden := found(rules.PlainTextSecret, "b", "secret", "Use env.")
	hidden.Extra = rules.Info{Rule: rules.PlainTextSecret, Reason: "only <a> test"}
	return &diag.Report{
		Version: "v1.2.3", Checked: []string{"clean.hcl", "f.hcl"},
		Files:    map[string]*hcl.File{"f.hcl": {Bytes: []byte(reportSource)}, "clean.hcl": {}},
		Findings: hcl.Diagnostics{nowhere, plain, fixed, whole, odd, absolute, foreign}, Hidden: hcl.Diagnostics{hidden},
	}
}

func written(t *testing.T, r *diag.Report, f diag.Format) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestJSON(t *testing.T) {
	t.Parallel()
	type pos struct{ Line, Column, Byte int }
	type place struct {
		File       string
		Start, End pos
	}
	var got struct {
		Version, Errors, Warnings, Ignored int
		Flow                               string
		Files                              []string
		Findings, Hidden                   []struct {
			Rule, Name, Category, Severity, Summary, Detail, Reason, Doc string
			Range                                                        *place
			Fix                                                          []struct {
				Range place
				Text  string
			}
		}
	}
	d := json.NewDecoder(bytes.NewReader(written(t, report(), diag.JSON)))
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Version != 1 || got.Flow != "v1.2.3" || got.Errors != 4 || got.Warnings != 3 || got.Ignored != 1 || len(got.Files) != 2 {
		t.Errorf("head %+v", got)
	}
	f := got.Findings[1]
	if f.Rule != "FL1203" || f.Name != "unknown-name" || f.Category != "names" || f.Severity != "error" || !strings.HasSuffix(f.Doc, "/docs/rules/FL1203.md") {
		t.Errorf("finding %+v", f)
	}
	if want := (place{"f.hcl", pos{2, 12, 26}, pos{2, 15, 29}}); *f.Range != want {
		t.Errorf("range %+v, want %+v", *f.Range, want)
	}
	if got.Findings[0].Range != nil {
		t.Error("what came from the command line has a range")
	}
	if fix := got.Findings[2].Fix; len(fix) != 1 || fix[0].Text != "= " || fix[0].Range.Start != fix[0].Range.End {
		t.Errorf("fix %+v", fix)
	}
	if h := got.Hidden; len(h) != 1 || h[0].Reason != "only <a> test" {
		t.Errorf("hidden %+v", h)
	}
	empty := string(written(t, &diag.Report{}, diag.JSON))
	for _, list := range []string{`"files": []`, `"findings": []`, `"hidden": []`} {
		if !strings.Contains(empty, list) {
			t.Errorf("without findings there is no %s in %s", list, empty)
		}
	}
}

// TestSARIF validates against OASIS' own schema.
func TestSARIF(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("sarif.json", schema); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	everything := report()
	for _, r := range rules.All() {
		everything.Findings = append(everything.Findings, rules.Finding(r.ID, nil, r.Summary, r.Doc))
	}
	for name, r := range map[string]*diag.Report{"empty": {}, "some": report(), "every rule": everything} {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(written(t, r, diag.SARIF)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The schema must be able to refuse.
	broken, _ := jsonschema.UnmarshalJSON(bytes.NewReader(bytes.Replace(written(t, report(), diag.SARIF), []byte(`"level": "error"`), []byte(`"level": "bad"`), 1)))
	if s.Validate(broken) == nil {
		t.Error("the schema takes any level")
	}
}

func TestSARIFContent(t *testing.T) {
	t.Parallel()
	type region struct{ StartLine, StartColumn, EndLine, EndColumn int }
	type log struct {
		Runs []struct {
			ColumnKind string
			Tool       struct {
				Driver struct {
					Version string
					Rules   []struct {
						ID   string
						Help struct{ Markdown string }
					}
				}
			}
			Results []struct {
				RuleID, Level string
				RuleIndex     int
				Message       struct{ Text string }
				Locations     []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI, URIBaseID string }
						Region           region
					}
				}
				PartialFingerprints map[string]string
				Fixes               []struct {
					ArtifactChanges []struct {
						Replacements []struct {
							DeletedRegion   region
							InsertedContent struct{ Text string }
						}
					}
				}
				Suppressions []struct{ Kind, Justification string }
			}
		}
	}
	read := func(r *diag.Report) log {
		var l log
		if err := json.Unmarshal(written(t, r, diag.SARIF), &l); err != nil {
			t.Fatal(err)
		}
		return l
	}
	run := read(report()).Runs[0]
	if run.ColumnKind != "unicodeCodePoints" || run.Tool.Driver.Version != "1.2.3" {
		t.Errorf("run %+v", run)
	}
	for _, r := range run.Results {
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("%s has index %d", r.RuleID, r.RuleIndex)
		}
	}
	plain := run.Results[1].Locations[0].PhysicalLocation
	if want := (region{2, 13, 2, 16}); plain.Region != want || plain.ArtifactLocation.URI != "f.hcl" || plain.ArtifactLocation.URIBaseID != "%SRCROOT%" {
		t.Errorf("location %+v, want %+v", plain, want)
	}
	if fix := run.Results[2].Fixes[0].ArtifactChanges[0].Replacements[0]; fix.DeletedRegion != (region{3, 3, 3, 3}) || fix.InsertedContent.Text != "= " {
		t.Errorf("fix %+v", fix)
	}
	if uri := run.Results[4].Locations[0].PhysicalLocation.ArtifactLocation.URI; uri != "dir%20with%20space/%C3%BC,:.hcl" {
		t.Errorf("uri %q", uri)
	}
	if at := run.Results[5].Locations[0].PhysicalLocation.ArtifactLocation; at.URI != "file:///etc/flow/a.hcl" || at.URIBaseID != "" {
		t.Errorf("location of an absolute path %+v", at)
	}
	if s := run.Results[7].Suppressions; len(s) != 1 || s[0].Kind != "inSource" || s[0].Justification != "only <a> test" {
		t.Errorf("suppressions %+v", s)
	}

	// Lines that are added above leave a fingerprint as it is; a second finding
	// of the same kind on an equal line has one of its own.
	moved := report()
	const above = "# more\n"
	moved.Files["f.hcl"] = &hcl.File{Bytes: []byte(above + reportSource)}
	d := moved.Findings[1]
	d.Subject = &hcl.Range{Filename: "f.hcl", Start: hcl.Pos{Line: 3, Column: 12, Byte: d.Subject.Start.Byte + len(above)}, End: hcl.Pos{Line: 3, Column: 15, Byte: d.Subject.End.Byte + len(above)}}
	moved.Findings = append(moved.Findings[:2:2], moved.Findings[1])
	print := func(l log, i int) string { return l.Runs[0].Results[i].PartialFingerprints["flowFinding/v1"] }
	before, after := read(report()), read(moved)
	if print(before, 1) == "" || print(before, 1) != print(after, 1) || print(after, 1) == print(after, 2) {
		t.Errorf("fingerprints %q, %q and %q", print(before, 1), print(after, 1), print(after, 2))
	}
}

// workflowCommand is the documented form: ::name key=value,...::message, with
// %, line ends, and in properties : and , escaped.
var workflowCommand = regexp.MustCompile(`^::(error|warning) ((?:[a-zA-Z]+=[^,:\r\n]*)(?:,[a-zA-Z]+=[^,:\r\n]*)*)::([^\r\n]*)$`)

func TestGitHub(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSuffix(string(written(t, report(), diag.GitHub)), "\n"), "\n")
	if len(lines) != 7 {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	unescape := strings.NewReplacer("%25", "%", "%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",")
	read := func(i int) (string, map[string]string, string) {
		m := workflowCommand.FindStringSubmatch(lines[i])
		if m == nil {
			t.Fatalf("no command: %q", lines[i])
		}
		properties := make(map[string]string)
		for p := range strings.SplitSeq(m[2], ",") {
			key, value, _ := strings.Cut(p, "=")
			properties[key] = unescape.Replace(value)
		}
		return m[1], properties, unescape.Replace(m[3])
	}
	level, p, text := read(1)
	if level != "error" || p["file"] != "f.hcl" || p["line"] != "2" || p["endLine"] != "2" || p["col"] != "13" || p["endColumn"] != "16" || p["title"] != "FL1203 unknown-name" {
		t.Errorf("%s %v", level, p)
	}
	if !strings.HasPrefix(text, "unknown name: \"bad\", 100%\nFirst.\nSecond: a,b") || strings.ContainsAny(text, "\r\x1b") {
		t.Errorf("text %q", text)
	}
	if _, p, _ := read(3); p["col"] != "" || p["line"] != "2" || p["endLine"] != "3" {
		t.Errorf("over two lines: %v", p)
	}
	if level, p, _ := read(4); level != "warning" || p["file"] != "dir with space/ü,:.hcl" {
		t.Errorf("%s %v", level, p)
	}
	if _, p, _ := read(0); p["file"] != "" || p["title"] == "" {
		t.Errorf("without a place: %v", p)
	}
}

// junitSuites is the shape that servers read, strictly: what is not named here
// must not be there.
type junitSuites struct {
	XMLName  xml.Name   `xml:"testsuites"`
	Attrs    []xml.Attr `xml:",any,attr"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Skipped  int        `xml:"skipped,attr"`
	Other    []struct{} `xml:",any"`
	Suites   []struct {
		Attrs    []xml.Attr `xml:",any,attr"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Other    []struct{} `xml:",any"`
		Cases    []struct {
			Attrs   []xml.Attr `xml:",any,attr"`
			Name    string     `xml:"name,attr"`
			Class   string     `xml:"classname,attr"`
			File    string     `xml:"file,attr"`
			Line    int        `xml:"line,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
				Type    string `xml:"type,attr"`
				Text    string `xml:",chardata"`
			} `xml:"failure"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
			Out   string     `xml:"system-out"`
			Other []struct{} `xml:",any"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	for _, strict := range []bool{false, true} {
		r := report()
		r.Strict = strict
		text := written(t, r, diag.JUnit)
		var got junitSuites
		d := xml.NewDecoder(bytes.NewReader(text))
		if err := d.Decode(&got); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if _, err := d.Token(); err != nil && err != io.EOF {
			t.Error(err)
		}
		want := 4
		if strict {
			want = 7
		}
		if len(got.Attrs)+len(got.Other) > 0 || got.Tests != 9 || got.Failures != want || got.Errors != 0 || got.Skipped != 1 {
			t.Errorf("strict %v: %+v", strict, got)
		}
		tests, failures, skipped := 0, 0, 0
		names := make([]string, 0, len(got.Suites))
		for _, s := range got.Suites {
			names = append(names, s.Name)
			if len(s.Attrs)+len(s.Other) > 0 || s.Tests != len(s.Cases) || s.Errors != 0 {
				t.Errorf("suite %+v", s)
			}
			tests, failures, skipped = tests+s.Tests, failures+s.Failures, skipped+s.Skipped
			for _, c := range s.Cases {
				if len(c.Attrs)+len(c.Other) > 0 || c.Name == "" || c.Class != s.Name {
					t.Errorf("case %+v", c)
				}
			}
		}
		if tests != got.Tests || failures != got.Failures || skipped != got.Skipped {
			t.Errorf("the suites have %d tests, %d failures, %d skipped", tests, failures, skipped)
		}
		if want := "command line|clean.hcl|f.hcl|/etc/flow/a.hcl|dir with space/ü,:.hcl"; strings.Join(names, "|") != want {
			t.Errorf("suites %q", names)
		}
		if clean := got.Suites[1].Cases; len(clean) != 1 || clean[0].Failure != nil || clean[0].Out != "" {
			t.Errorf("a clean file is %+v", clean)
		}
		if c := got.Suites[2].Cases[0]; c.Failure == nil || c.Failure.Type != "FL1203" || c.Line != 2 || strings.Contains(c.Failure.Text, "\x1b") || !strings.Contains(c.Failure.Text, "f.hcl:2:12: unknown name") {
			t.Errorf("case %+v", c)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	t.Parallel()
	if err := report().Write(io.Discard, "checkstyle"); err == nil || !strings.Contains(err.Error(), "checkstyle") {
		t.Errorf("error %v", err)
	}
}
