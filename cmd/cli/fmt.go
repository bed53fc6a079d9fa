package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/format"
)

// stdinName is the argument for standard input, and its name in messages.
const (
	stdinName = "-"
	stdinFile = "<stdin>"
)

func (a *app) fmtCommand() *cobra.Command {
	f := formatting{app: a, sources: make(map[string]*hcl.File)}
	c := &cobra.Command{
		Use:   "fmt [FILE|DIR...|-]",
		Short: "Lay out configs and the expressions in them",
		Long: `fmt lays out HCL as its own tools do, and the expressions in strings, heredocs
and templates with it. It never changes what a config means, nor a file with
mistakes of syntax. Of a folder, the current one by default, it takes all
*.hcl and *.flowvars at any depth, but nothing hidden.

One file, or - for standard input, is printed as it should be. Of several
files, or of a folder, the names of those that would change are printed.

Exit status: 0 done, 1 a file is not laid out (with --check only), 2 a file
cannot be read or written or has mistakes of syntax; the others are done.`,
		Example: "  flow fmt --write .\n  flow fmt --check --diff pipelines/\n  flow fmt - < pipeline.hcl",
		RunE:    func(_ *cobra.Command, args []string) error { return f.run(args) },
	}
	c.Flags().BoolVar(&f.check, "check", false, "only list what is not laid out, with exit status 1 if there is any")
	c.Flags().BoolVar(&f.diff, "diff", false, "print what changes as a unified diff")
	c.Flags().BoolVarP(&f.write, "write", "w", false, "write the files and list those that changed")
	c.MarkFlagsMutuallyExclusive("check", "write")
	return c
}

// formatting is one call of flow fmt.
type formatting struct {
	*app
	check, diff, write bool

	// text: the laid out text itself is printed.
	text    bool
	changed int
	failed  bool
	diags   hcl.Diagnostics
	sources map[string]*hcl.File
}

func (f *formatting) run(args []string) error {
	if len(args) == 0 {
		args = []string{"."}
	}
	for _, arg := range args {
		if arg != stdinName {
			continue
		}
		if len(args) > 1 {
			return errors.New("standard input (-) goes with no other file")
		}
		if f.write {
			return errors.New("--write needs a file: standard input cannot be written back")
		}
	}
	files, folder := f.files(args)
	f.text = len(args) == 1 && !folder && !f.check && !f.diff && !f.write
	for _, name := range files {
		if err := f.file(name); err != nil {
			f.problem(err)
		}
	}
	return f.result(len(files))
}

// problem reports what keeps one file from being laid out; the others go on.
func (f *formatting) problem(err error) {
	f.failed = true
	fmt.Fprintf(f.Stderr, "flow: %v\n", err)
}

func (f *formatting) result(files int) error {
	f.printDiagnostics(&dsl.Result{Diags: f.diags, Files: f.sources})
	if f.changed > 0 && !f.write && !f.text {
		of := "files are"
		if files == 1 {
			of = "file is"
		}
		fmt.Fprintf(f.Stderr, "%d of %d %s not laid out. --write does it.\n", f.changed, files, of)
	}
	switch {
	case f.failed || len(f.diags) > 0:
		return &exitError{code: ExitConfig}
	case f.check && f.changed > 0:
		return &exitError{code: ExitFailed}
	}
	return nil
}

// file lays out one file.
func (f *formatting) file(name string) error {
	src, shown, err := f.read(name)
	if err != nil {
		return err
	}
	out, diags := format.Source(src, shown, f.registry)
	if diags.HasErrors() {
		f.diags = append(f.diags, diags...)
		f.sources[shown] = &hcl.File{Bytes: src}
		return nil
	}
	same := bytes.Equal(src, out)
	if !same {
		f.changed++
		if f.write {
			if err := overwrite(name, src, out); err != nil {
				return err
			}
		}
	}
	switch {
	case f.text:
		_, err = f.Stdout.Write(out)
	case same:
	case f.diff:
		d := diff.Diff("old/"+shown, src, "new/"+shown, out)
		if f.colored(f.Stdout) {
			d = colorDiff(d)
		}
		_, err = f.Stdout.Write(d)
	default:
		_, err = fmt.Fprintln(f.Stdout, shown)
	}
	if err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}

// read returns a file or standard input and its name for messages. What is too
// large for a config is cut, and refused by its size.
func (f *formatting) read(name string) (src []byte, shown string, err error) {
	if name == stdinName {
		src, err = io.ReadAll(io.LimitReader(f.Stdin, dsl.MaxFileBytes+1))
		if err != nil {
			return nil, "", fmt.Errorf("reading standard input: %w", err)
		}
		return src, stdinFile, nil
	}
	in, err := os.Open(name)
	if err != nil {
		return nil, "", fmt.Errorf("reading the config: %w", err)
	}
	defer func() { _ = in.Close() }() // only read from
	if src, err = io.ReadAll(io.LimitReader(in, dsl.MaxFileBytes+1)); err != nil {
		return nil, "", fmt.Errorf("reading the config: %w", err)
	}
	return src, name, nil
}

// colorDiff colors the lines of a diff.
func colorDiff(d []byte) []byte {
	var out bytes.Buffer
	for line := range strings.Lines(string(d)) {
		color := ""
		switch {
		case strings.HasPrefix(line, "diff "), strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "):
			color = "1"
		case strings.HasPrefix(line, "@@"):
			color = "36"
		case strings.HasPrefix(line, "+"):
			color = "32"
		case strings.HasPrefix(line, "-"):
			color = "31"
		}
		if color == "" {
			out.WriteString(line)
			continue
		}
		fmt.Fprintf(&out, "\x1b[%sm%s\x1b[0m\n", color, strings.TrimSuffix(line, "\n"))
	}
	return out.Bytes()
}
