package diag

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl/rules"
)

// The part of SARIF 2.1.0 that lint uses.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool       `json:"tool"`
		ColumnKind string          `json:"columnKind"`
		Artifacts  []sarifArtifact `json:"artifacts"`
		Results    []sarifResult   `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		URI     string      `json:"informationUri"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID         rules.ID      `json:"id"`
		Name       string        `json:"name"`
		Short      sarifText     `json:"shortDescription"`
		Help       sarifMarkdown `json:"help"`
		HelpURI    string        `json:"helpUri"`
		Defaults   sarifLevel    `json:"defaultConfiguration"`
		Properties sarifTags     `json:"properties"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifMarkdown struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifTags struct {
		Tags []rules.Category `json:"tags"`
	}
	sarifArtifact struct {
		Location sarifArtifactLocation `json:"location"`
	}
	sarifResult struct {
		RuleID       rules.ID           `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations,omitempty"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Fixes        []sarifFix         `json:"fixes,omitempty"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifactLocation `json:"artifactLocation"`
		Region   sarifRegion           `json:"region"`
	}
	sarifArtifactLocation struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
	sarifFix struct {
		Description sarifText     `json:"description"`
		Changes     []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifactLocation `json:"artifactLocation"`
		Replacements []sarifReplacement    `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifRegion `json:"deletedRegion"`
		Inserted sarifText   `json:"insertedContent"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
)

// fingerprint is the name of the value that stays the same for a finding when
// lines are added above it.
const fingerprint = "flowFinding/v1"

// writeSARIF writes SARIF 2.1.0. Hidden findings are results with a
// suppression, as code scanning wants them.
func (r *Report) writeSARIF(w io.Writer) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Artifacts: []sarifArtifact{}, Results: []sarifResult{},
		Tool: sarifTool{sarifDriver{Name: "flow", Version: strings.TrimPrefix(r.Version, "v"), URI: "https://github.com/flowrecords/flow", Rules: []sarifRule{}}}}
	for _, name := range r.Checked {
		run.Artifacts = append(run.Artifacts, sarifArtifact{artifact(name)})
	}
	index := make(map[rules.ID]int)
	seen := make(map[string]int)
	for _, d := range slices.Concat(r.Findings, r.Hidden) {
		rule := ruleOf(d)
		n, known := index[rule.ID]
		if !known {
			n = len(run.Tool.Driver.Rules)
			index[rule.ID] = n
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(rule))
		}
		result := sarifResult{RuleID: rule.ID, RuleIndex: n, Level: string(rule.Severity), Message: sarifText{text(d)}}
		print := r.fingerprint(rule, d)
		result.Fingerprints = map[string]string{fingerprint: fmt.Sprintf("%s:%d", print, seen[print]+1)}
		seen[print]++
		if s := d.Subject; s != nil {
			result.Locations = []sarifLocation{{sarifPhysical{artifact(s.Filename), r.region(*s)}}}
		}
		result.Fixes = r.sarifFixes(rule, rules.Of(d).Fix)
		if reason := rules.Of(d).Reason; reason != "" {
			result.Suppressions = []sarifSuppression{{Kind: "inSource", Justification: reason}}
		}
		run.Results = append(run.Results, result)
	}
	return encode(w, sarifLog{Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

func sarifRuleOf(r rules.Rule) sarifRule {
	return sarifRule{ID: r.ID, Name: r.Name, Short: sarifText{r.Summary}, HelpURI: r.URL(),
		Help:     sarifMarkdown{Text: r.Summary + "\n\n" + r.Doc, Markdown: r.Markdown()},
		Defaults: sarifLevel{string(r.Severity)}, Properties: sarifTags{[]rules.Category{r.Category}}}
}

// artifact is where a file is: relative to the root of the sources unless its
// path is absolute.
func artifact(name string) sarifArtifactLocation {
	u := url.URL{Path: slashed(name)}
	if filepath.IsAbs(name) {
		if !strings.HasPrefix(u.Path, "/") {
			u.Path = "/" + u.Path // a drive
		}
		u.Scheme = "file"
		return sarifArtifactLocation{URI: u.String()}
	}
	return sarifArtifactLocation{URI: u.EscapedPath(), Base: "%SRCROOT%"}
}

func (r *Report) region(at hcl.Range) sarifRegion {
	return sarifRegion{StartLine: at.Start.Line, StartColumn: r.column(at.Filename, at.Start), EndLine: at.End.Line, EndColumn: r.column(at.Filename, at.End)}
}

// fingerprint hashes what stays the same when a finding moves: its rule, its
// file, its words and the line on which it stands.
func (r *Report) fingerprint(rule rules.Rule, d *hcl.Diagnostic) string {
	file := ""
	if d.Subject != nil {
		file = slashed(d.Subject.Filename)
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{string(rule.ID), file, d.Summary, r.line(d)}, "\x00")))
	return hex.EncodeToString(sum[:8])
}

func (r *Report) sarifFixes(rule rules.Rule, edits []rules.Edit) []sarifFix {
	if len(edits) == 0 {
		return nil
	}
	fix := sarifFix{Description: sarifText{"Correct " + rule.Name + "."}}
	for _, e := range edits {
		rep := sarifReplacement{Deleted: r.region(e.Range), Inserted: sarifText{e.Text}}
		at := artifact(e.Range.Filename)
		i := slices.IndexFunc(fix.Changes, func(c sarifChange) bool { return c.Artifact == at })
		if i < 0 {
			fix.Changes = append(fix.Changes, sarifChange{Artifact: at})
			i = len(fix.Changes) - 1
		}
		fix.Changes[i].Replacements = append(fix.Changes[i].Replacements, rep)
	}
	return []sarifFix{fix}
}
