package diag

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/apparentlymart/go-textseg/v15/textseg"
	"github.com/hashicorp/hcl/v2"
)

// Mistake is something wrong with a text that stands in no file, such as an
// expression of the command line.
type Mistake struct {
	// Where it happened, before the colon: "record 3". May be empty.
	Where string
	// Summary is short, Detail says what to do.
	Summary, Detail string
	// Text is what is wrong. Empty, or with a negative Offset, there is no
	// snippet.
	Text string
	// Offset and Length are the range in Text, in bytes.
	Offset, Length int
}

// WriteMistake prints a mistake as WriteText prints a diagnostic.
func WriteMistake(w io.Writer, m Mistake, color bool, columns int) error {
	var b bytes.Buffer
	p := &printer{b: &b, color: color}
	if columns > 0 {
		p.columns = max(columns, minWidth)
	}
	if m.Where != "" {
		fmt.Fprintf(&b, "%s: ", p.paint(bold, clean(m.Where)))
	}
	fmt.Fprintf(&b, "%s %s\n", p.paint(red, "error:"), p.paint(bold, clean(m.Summary)))
	if m.Text != "" && m.Offset >= 0 {
		from := min(m.Offset, len(m.Text))
		to := min(from+max(m.Length, 0), len(m.Text))
		p.snippet(bytes.Split([]byte(m.Text), []byte("\n")), hcl.Range{Start: position(m.Text, from), End: position(m.Text, to)}, red)
	}
	if m.Detail != "" {
		b.WriteByte('\n')
		for line := range strings.SplitSeq(strings.TrimRight(m.Detail, "\n"), "\n") {
			p.wrap(clean(line))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// position counts lines and characters as people see them up to a byte.
func position(text string, offset int) hcl.Pos {
	before := text[:offset]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	n, err := textseg.TokenCount([]byte(line), textseg.ScanGraphemeClusters)
	if err != nil {
		n = len(line)
	}
	return hcl.Pos{Line: 1 + strings.Count(before, "\n"), Column: 1 + n, Byte: offset}
}
