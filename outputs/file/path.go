package file

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// paths renders the path of each record and keeps it where the literal part
// of the template puts it.
type paths struct {
	prog engine.TemplateProgram
	rec  *record.Record
	base string // folder of the literal prefix; every path is below it
	// prefix is what the literal prefix says of the name below base.
	prefix string
	buf    []byte
}

// newPaths returns nil for a path without holes.
func newPaths(src engine.TemplateSource) (*paths, string, error) {
	if text, ok := src.Literal(); ok {
		return nil, filepath.Clean(text), nil
	}
	l := record.NewLayout()
	prog, err := src.Bind(l)
	if err != nil {
		return nil, "", fmt.Errorf("binding the path: %w", err)
	}
	literal, _, _ := strings.Cut(src.Text(), "{{")
	dir, prefix := filepath.Split(literal)
	return &paths{prog: prog, rec: record.NewRecord(l), base: filepath.Clean(dir), prefix: prefix}, "", nil
}

// render returns the text of the path of a record, valid until the next call.
// It is what files are looked up by; resolve turns it into a path.
func (p *paths) render(b *engine.Batch, i int) ([]byte, error) {
	b.Load(i, p.rec)
	var err error
	if p.buf, err = p.prog.Append(p.buf[:0], p.rec); err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	return p.buf, nil
}

var (
	errOutside  = errors.New("path: a hole holds .., which would lead out of the folder")
	errNoName   = errors.New("path: it ends in a folder, not a file")
	errReserved = errors.New("path: names like .NAME.flow and .NAME.partial are flow's own")
	errNUL      = errors.New("path: it holds a NUL byte")
)

// resolve checks a rendered path. Record content must not choose the folder
// (a hole may name a folder below it), nor the name of a journal.
func (p *paths) resolve(text string) (string, error) {
	if strings.IndexByte(text, 0) >= 0 {
		return "", errNUL
	}
	for _, part := range strings.FieldsFunc(text, isSeparator) {
		if part == ".." && !strings.HasPrefix(p.base, "..") {
			return "", errOutside
		}
	}
	if text == "" || isSeparator(rune(text[len(text)-1])) {
		return "", errNoName
	}
	path := filepath.Clean(text)
	rel, err := filepath.Rel(p.base, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", errOutside
	}
	base := filepath.Base(path)
	if base == "." || base == ".." {
		return "", errNoName
	}
	if base[0] == '.' && (strings.HasSuffix(base, journalMark) || strings.HasSuffix(base, partialMark)) {
		return "", errReserved
	}
	return path, nil
}

func isSeparator(r rune) bool { return r == '/' || r == filepath.Separator }
