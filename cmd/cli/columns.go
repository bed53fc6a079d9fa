package cli

import (
	"os"
	"strconv"

	"golang.org/x/term"
)

// textWidth is the width for text on stdout. What goes through a pager fits
// the terminal that it is read on; prose is never wider than can be read.
func (a *app) textWidth() int {
	const fallback, widest = 80, 100
	width := fallback
	if n, err := strconv.Atoi(a.getenv("COLUMNS")); err == nil && n > 0 {
		width = n
	}
	for _, f := range []*os.File{a.Stderr, a.Stdout} {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			width = w
		}
	}
	return min(width, widest)
}
