package diag

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// writeGitHub writes a workflow command for each finding. GitHub shows each at
// its line of a pull request:
//
//	::error file=main.hcl,line=1,endLine=1,col=3,endColumn=9,title=FL1101 unknown-option::text
func (r *Report) writeGitHub(w io.Writer) error {
	var b bytes.Buffer
	for _, d := range r.Findings {
		level := "error"
		if d.Severity == hcl.DiagWarning {
			level = "warning"
		}
		rule := ruleOf(d)
		b.WriteString("::" + level + " ")
		if s := d.Subject; s != nil {
			fmt.Fprintf(&b, "file=%s,line=%d,endLine=%d,", property(slashed(s.Filename)), s.Start.Line, s.End.Line)
			if s.Start.Line == s.End.Line { // columns are of one line only
				fmt.Fprintf(&b, "col=%d,endColumn=%d,", r.column(s.Filename, s.Start), r.column(s.Filename, s.End))
			}
		}
		fmt.Fprintf(&b, "title=%s::%s\n", property(string(rule.ID)+" "+rule.Name), message(text(d)+"\n"+rule.URL()))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// message escapes the text of a workflow command.
func message(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// property escapes the value of a property of a workflow command.
func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
