package file

import (
	"context"
	"os"
	"path/filepath"

	"github.com/flowrecords/flow/connections/probe"
	"github.com/flowrecords/flow/engine"
)

// Check implements engine.Checker. It makes no file and no folder.
func (o *output) Check(_ context.Context, r *engine.CheckReport) {
	p, literal, err := newPaths(o.cfg.Path.Source)
	if err != nil {
		r.Fail("path", err.Error(), "Correct path.")
		return
	}
	if p != nil {
		probe.Folder(r, p.base, o.cfg.Mkdir)
		return
	}
	info, err := os.Stat(literal)
	if err != nil || o.cfg.Rotate != nil {
		probe.Folder(r, filepath.Dir(literal), o.cfg.Mkdir)
		return
	}
	what := "file " + literal
	switch {
	case info.IsDir():
		r.Fail(what, "it is a folder", "Name a file in it.")
	case probe.Writable(literal) != nil:
		r.Fail(what, "flow may not write to it", "Give the user that runs flow the right to write to it, or name another file.")
	case !info.Mode().IsRegular():
		r.OK(what, "can be written to")
	case !o.cfg.Append && info.Size() > 0 && !exists(journalName(literal)):
		r.Fail(what, "it has content already, and append is false", "Move the file away, or set append = true.")
	default:
		if probe.Folder(r, filepath.Dir(literal), false) {
			r.OK(what, "can be written to, and holds %s", engine.SizeText(info.Size()))
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
