package exprfmt

// NewDoubting returns a printer that mistrusts some of its results.
func NewDoubting(fails func(after string) bool) *Printer {
	p := New()
	p.fails = fails
	return p
}
