package diag

import (
	"encoding/json"
	"io"

	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl/rules"
)

// jsonVersion is the version of the shape below. Members may be added to it;
// a change of what is there makes it the next one.
const jsonVersion = 1

// The shape of format json, which docs/rules/README.md gives to users.
type (
	jsonReport struct {
		Version  int           `json:"version"`
		Flow     string        `json:"flow,omitempty"`
		Errors   int           `json:"errors"`
		Warnings int           `json:"warnings"`
		Ignored  int           `json:"ignored"`
		Files    []string      `json:"files"`
		Findings []jsonFinding `json:"findings"`
		Hidden   []jsonFinding `json:"hidden"`
	}
	jsonFinding struct {
		Rule     rules.ID       `json:"rule"`
		Name     string         `json:"name"`
		Category rules.Category `json:"category"`
		Severity rules.Severity `json:"severity"`
		Summary  string         `json:"summary"`
		Detail   string         `json:"detail,omitempty"`
		Range    *jsonRange     `json:"range,omitempty"`
		Fix      []jsonEdit     `json:"fix,omitempty"`
		Reason   string         `json:"reason,omitempty"`
		Doc      string         `json:"doc"`
	}
	jsonEdit struct {
		Range jsonRange `json:"range"`
		Text  string    `json:"text"`
	}
	jsonRange struct {
		File  string  `json:"file"`
		Start jsonPos `json:"start"`
		End   jsonPos `json:"end"`
	}
	jsonPos struct {
		Line   int `json:"line"`
		Column int `json:"column"`
		Byte   int `json:"byte"`
	}
)

func (r *Report) writeJSON(w io.Writer) error {
	out := jsonReport{Version: jsonVersion, Flow: r.Version, Ignored: len(r.Hidden), Files: []string{}, Findings: jsonFindings(r.Findings), Hidden: jsonFindings(r.Hidden)}
	out.Errors, out.Warnings = r.count()
	for _, name := range r.Checked {
		out.Files = append(out.Files, slashed(name))
	}
	return encode(w, out)
}

// encode writes indented JSON with texts as they are.
func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func jsonFindings(diags hcl.Diagnostics) []jsonFinding {
	out := make([]jsonFinding, 0, len(diags))
	for _, d := range diags {
		rule, info := ruleOf(d), rules.Of(d)
		f := jsonFinding{Rule: rule.ID, Name: rule.Name, Category: rule.Category, Severity: rule.Severity,
			Summary: d.Summary, Detail: d.Detail, Reason: info.Reason, Doc: rule.URL()}
		if d.Subject != nil {
			at := jsonRangeOf(*d.Subject)
			f.Range = &at
		}
		for _, e := range info.Fix {
			f.Fix = append(f.Fix, jsonEdit{jsonRangeOf(e.Range), e.Text})
		}
		out = append(out, f)
	}
	return out
}

func jsonRangeOf(r hcl.Range) jsonRange {
	pos := func(p hcl.Pos) jsonPos { return jsonPos{p.Line, p.Column, p.Byte} }
	return jsonRange{slashed(r.Filename), pos(r.Start), pos(r.End)}
}
