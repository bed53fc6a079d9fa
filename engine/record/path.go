package record

// Step is one step of a Path: a member's name, or an element of an array.
type Step struct {
	// Name is the member's name; unused when IsIndex.
	Name string
	// Index is the element's number, negative from the end: -1 is the last.
	Index   int
	IsIndex bool
}

// Path leads to a sub-tree of a document. The empty path is the whole.
// Its text form is that of expressions: customer.email, items[0].sku,
// ["a.b"].c.
type Path []Step

// ParsePath reads the text form. The error is a *PathError.
func ParsePath(s string) (Path, error) { panic("TODO") }

// PathError is a mistake in the text of a path.
type PathError struct {
	Offset int // in bytes
	Msg    string
}

func (e *PathError) Error() string { return e.Msg }

// String returns the text form, which ParsePath reads back.
func (p Path) String() string { panic("TODO") }
