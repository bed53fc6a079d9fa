package rules

import (
	"cmp"
	"slices"
	"strings"
)

// Apply makes the edits of a file in its text. It returns false, and the text
// as it was, if two edits overlap or one lies outside.
func Apply(src []byte, edits []Edit) ([]byte, bool) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int {
		return cmp.Or(cmp.Compare(a.Range.Start.Byte, b.Range.Start.Byte), cmp.Compare(a.Range.End.Byte, b.Range.End.Byte))
	})
	var b strings.Builder
	at := 0
	for _, e := range edits {
		from, to := e.Range.Start.Byte, e.Range.End.Byte
		if from < at || to < from || to > len(src) {
			return src, false
		}
		b.Write(src[at:from])
		b.WriteString(e.Text)
		at = to
	}
	b.Write(src[at:])
	return []byte(b.String()), true
}
