package cli

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/diff"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/rules"
)

// maxTries bounds how often a config is corrected and linted again: a
// correction may let another mistake come to light.
const maxTries = 200

// fix corrects a config in memory as far as is certain and returns what then
// is left. A correction after which there is an error that was not there
// before is not made.
func (r *lintRun) fix(paths []string, res *dsl.Result) *dsl.Result {
	refused := make(map[string]bool)
	tries := 0
	for tries < maxTries {
		fixes := r.fixes(res, refused)
		if len(fixes) == 0 {
			break
		}
		// Where one of them does harm, fewer are tried; the others are found
		// again, at their new places, in the next round.
		for ; tries < maxTries; fixes = fixes[:len(fixes)/2] {
			tries++
			if after := r.try(paths, res, fixes); after != nil {
				res = after
				clear(refused) // what did harm may do none now
				break
			}
			if len(fixes) == 1 {
				refused[fixes[0].key] = true
				break
			}
		}
	}
	return res
}

// fixOf is the correction of one finding.
type fixOf struct {
	key   string
	edits []rules.Edit
}

// fixes are the corrections that can be made together: of two that overlap the
// first.
func (r *lintRun) fixes(res *dsl.Result, refused map[string]bool) []fixOf {
	var out []fixOf
	taken := make(map[string][]rules.Edit)
	for _, d := range res.Diags {
		f := fixOf{edits: rules.Of(d).Fix}
		if f.key = fmt.Sprintf("%s %s %v", rules.Of(d).Rule, d.Summary, d.Subject); len(f.edits) == 0 || refused[f.key] {
			continue
		}
		if slices.ContainsFunc(f.edits, func(e rules.Edit) bool { return overlaps(taken[e.Range.Filename], e) }) {
			continue
		}
		for _, e := range f.edits {
			taken[e.Range.Filename] = append(taken[e.Range.Filename], e)
		}
		out = append(out, f)
	}
	return out
}

// overlaps also takes two edits at one place for an overlap: which one comes
// first would be a guess.
func overlaps(edits []rules.Edit, e rules.Edit) bool {
	return slices.ContainsFunc(edits, func(o rules.Edit) bool {
		return e.Range.Start.Byte <= o.Range.End.Byte && o.Range.Start.Byte <= e.Range.End.Byte
	})
}

// try makes corrections and lints what comes of them. It returns nil, and
// leaves all as it was, if they cannot be made or do harm.
func (r *lintRun) try(paths []string, before *dsl.Result, fixes []fixOf) *dsl.Result {
	edits := make(map[string][]rules.Edit)
	for _, f := range fixes {
		for _, e := range f.edits {
			edits[e.Range.Filename] = append(edits[e.Range.Filename], e)
		}
	}
	old := maps.Clone(r.overlay)
	for name, list := range edits {
		src, ok := r.source(name)
		if ok {
			r.overlay[name], ok = rules.Apply(src, list)
		}
		if !ok {
			r.overlay = old
			return nil
		}
	}
	after := r.load(paths)
	if worse(before.Diags, after.Diags) {
		r.overlay = old
		return nil
	}
	r.fixed += len(fixes)
	return after
}

// source is a file as it is now: corrected, or as on the disk.
func (r *lintRun) source(name string) ([]byte, bool) {
	if src, ok := r.overlay[name]; ok {
		if _, known := r.originals[name]; !known {
			r.keep(name, src)
		}
		return src, true
	}
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, false
	}
	r.keep(name, src)
	return src, true
}

func (r *lintRun) keep(name string, src []byte) {
	if r.originals == nil {
		r.originals = make(map[string][]byte)
	}
	r.originals[name] = src
}

// worse reports whether there is an error that was not there before. Where a
// file could not be read as HCL, less of that is better whatever comes to
// light behind it.
func worse(before, after hcl.Diagnostics) bool {
	if was, is := unreadable(before), unreadable(after); was > 0 && is < was {
		return false
	}
	errs := make(map[string]int)
	key := func(d *hcl.Diagnostic) string { return string(rules.Of(d).Rule) + d.Summary }
	for _, d := range before {
		errs[key(d)]++
	}
	for _, d := range after {
		if errs[key(d)]--; d.Severity == hcl.DiagError && errs[key(d)] < 0 {
			return true
		}
	}
	return false
}

// unreadable counts mistakes that keep a file from being read as HCL.
func unreadable(diags hcl.Diagnostics) int {
	n := 0
	for _, d := range diags {
		switch rules.Of(d).Rule {
		case rules.WrongSyntax, rules.MissingEquals, rules.UnclosedBlock, rules.UnclosedText, rules.SingleQuotes, rules.WrongEscape, rules.CrowdedLine:
			n++
		}
	}
	return n
}

// writeFixes writes the corrected files, or shows what would change.
func (r *lintRun) writeFixes() error {
	for _, name := range slices.Sorted(maps.Keys(r.originals)) {
		was := r.originals[name]
		is, corrected := r.overlay[name]
		if !corrected || bytes.Equal(was, is) {
			continue // nothing, or all was taken back
		}
		switch {
		case r.flags.diff:
			if _, err := r.Stdout.Write(diff.Diff(name, was, name, is)); err != nil {
				return fmt.Errorf("writing the changes: %w", err)
			}
		case name != r.piped:
			if err := replaceFile(name, was, is); err != nil {
				return fmt.Errorf("--fix: %w", err)
			}
		}
	}
	if r.piped != "" && !r.flags.diff {
		if _, err := r.Stdout.Write(r.overlay[r.piped]); err != nil {
			return fmt.Errorf("writing the corrected config: %w", err)
		}
	}
	return nil
}

// replaceFile writes a file anew, whole or not at all, unless somebody else
// has changed it. A link stays one.
func replaceFile(name string, was, is []byte) error {
	path, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	if now, err := os.ReadFile(path); err != nil {
		return err
	} else if !bytes.Equal(now, was) {
		return fmt.Errorf("%s was changed meanwhile; run it again", name)
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".flow-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone after the rename
	_, err = f.Write(is)
	if err == nil {
		err = f.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return os.Rename(f.Name(), path)
}
