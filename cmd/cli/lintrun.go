package cli

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/diag"
	"github.com/flowrecords/flow/dsl/rules"
)

// maxStdinBytes is more than a config may have; the loader says so.
const maxStdinBytes = 5 << 20

// lintRun is one call of lint.
type lintRun struct {
	*app
	flags  lintFlags
	filter *ruleFilter
	// overlay is standard input under its name, and what --fix has made of
	// files so far; originals are these files as they are on the disk.
	overlay   map[string][]byte
	originals map[string][]byte
	piped     string // the name of standard input, if it is read
	results   []*dsl.Result
	fixed     int
	report    diag.Report
}

// stdin reads the standard input if - is an argument.
func (r *lintRun) stdin(args []string) error {
	if !slices.Contains(args, "-") {
		return nil
	}
	if r.Stdin == nil {
		return fmt.Errorf("standard input is closed")
	}
	src, err := io.ReadAll(io.LimitReader(r.Stdin, maxStdinBytes))
	if err != nil {
		return fmt.Errorf("reading standard input: %w", err)
	}
	r.piped = filepath.Clean(r.flags.stdinName)
	r.overlay[r.piped] = src
	return nil
}

// configs groups what the arguments name into configs: all of them are one,
// each folder below one of them is another.
func (r *lintRun) configs(args []string) [][]string {
	var whole []string
	var below [][]string
	for _, arg := range args {
		if arg == "-" {
			whole = append([]string{r.piped}, whole...) // before the file that it stands for
			continue
		}
		info, err := os.Stat(arg)
		if err != nil || !info.IsDir() {
			whole = append(whole, arg)
			continue
		}
		folders := configFolders(arg)
		if slices.Contains(folders, filepath.Clean(arg)) || len(folders) == 0 {
			whole = append(whole, arg)
		}
		for _, folder := range folders {
			if folder != filepath.Clean(arg) {
				below = append(below, []string{folder})
			}
		}
	}
	if len(whole) > 0 {
		below = append([][]string{whole}, below...)
	}
	if !r.flags.each {
		return below
	}
	var each [][]string
	for _, paths := range below {
		for _, path := range paths {
			for _, file := range filesOf(path) {
				each = append(each, []string{file})
			}
		}
	}
	return each
}

// configFolders are the folders from root on that hold a config. What a dot
// hides is left out, and links are not followed.
func configFolders(root string) []string {
	found := make(map[string]bool)
	_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // the loader says so, where it matters
		case e.IsDir() && path != root && strings.HasPrefix(e.Name(), "."):
			return filepath.SkipDir
		case !e.IsDir() && dsl.IsConfigName(e.Name()):
			found[filepath.Dir(path)] = true
		}
		return nil
	})
	return slices.Sorted(maps.Keys(found))
}

// filesOf are the files of a folder, or the file itself.
func filesOf(path string) []string {
	entries, err := os.ReadDir(path)
	if err != nil {
		return []string{path}
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && dsl.IsConfigName(e.Name()) {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	return files
}

// check lints one config, and corrects it first if that is asked for.
func (r *lintRun) check(paths []string) {
	res := r.load(paths)
	if r.flags.fix {
		res = r.fix(paths, res)
	}
	r.results = append(r.results, res)
}

func (r *lintRun) load(paths []string) *dsl.Result {
	o := r.options(r.flags.configFlags)
	o.Overlay = r.overlay
	res := dsl.Load(paths, o)
	unwanted := func(d *hcl.Diagnostic) bool { return !r.filter.wants(rules.Of(d).Rule) }
	res.Diags = slices.DeleteFunc(res.Diags, unwanted)
	res.Hidden = slices.DeleteFunc(res.Hidden, unwanted)
	return res
}

// finish puts the results of all configs together.
func (r *lintRun) finish() {
	r.report = diag.Report{Version: r.Version, Files: make(map[string]*hcl.File), Strict: r.flags.denyWarnings}
	r.oneOfMany()
	for _, res := range r.results {
		for _, name := range slices.Sorted(maps.Keys(res.Files)) {
			if r.report.Files[name] == nil {
				r.report.Files[name] = res.Files[name]
				r.report.Checked = append(r.report.Checked, name)
			}
		}
		r.report.Findings = append(r.report.Findings, res.Diags...)
		r.report.Hidden = append(r.report.Hidden, res.Hidden...)
	}
}

// oneOfMany: with several configs a --var need not be of all of them. A
// mistake is one that none of them declares, and it is reported once.
func (r *lintRun) oneOfMany() {
	unknown := func(d *hcl.Diagnostic) bool { return d.Subject == nil && rules.Of(d).Rule == rules.UnknownVariable }
	times := make(map[string]int)
	for _, res := range r.results {
		for _, d := range res.Diags {
			if unknown(d) {
				times[d.Summary]++
			}
		}
	}
	for n, res := range r.results {
		res.Diags = slices.DeleteFunc(res.Diags, func(d *hcl.Diagnostic) bool {
			return unknown(d) && (times[d.Summary] < len(r.results) || n > 0)
		})
	}
}

// print writes the report in its format.
func (r *lintRun) print() error {
	if r.flags.format != string(diag.Text) {
		out, closeFile, err := r.outputFile(r.flags.output)
		if err != nil {
			return err
		}
		if err := r.report.Write(out, diag.Format(r.flags.format)); err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
		return closeFile()
	}
	if r.flags.output == "" {
		if err := diag.WriteText(r.Stderr, r.report.Files, r.report.Findings, r.colored(r.Stderr), r.width(r.Stderr)); err != nil {
			return err
		}
		fmt.Fprintln(r.Stderr, r.summary())
		return nil
	}
	out, closeFile, err := r.outputFile(r.flags.output)
	if err != nil {
		return err
	}
	if err := diag.WriteText(out, r.report.Files, r.report.Findings, false, 100); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	fmt.Fprintln(out, r.summary())
	return closeFile()
}

// summary is the last line: what was found in how much.
func (r *lintRun) summary() string {
	pipelines := 0
	for _, res := range r.results {
		pipelines += len(res.Plan.Pipelines)
	}
	text := diag.Summary(r.report.Findings)
	if text == "" {
		text = fmt.Sprintf("%s, no mistakes", plural(pipelines, "pipeline"))
	}
	if n := len(r.report.Hidden); n > 0 {
		text += fmt.Sprintf(", %d ignored", n)
	}
	if r.fixed > 0 {
		verb := "corrected"
		if r.flags.diff {
			verb = "to correct"
		}
		text += fmt.Sprintf(", %d %s", r.fixed, verb)
	}
	if len(r.results) > 1 {
		text += fmt.Sprintf(" in %s", plural(len(r.results), "config"))
	}
	return text + "."
}
