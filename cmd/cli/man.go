package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man",
		Short: "Print the manual page",
		Long: `man prints the manual page of flow and all its commands, in the format of man:

  flow man > ~/.local/share/man/man1/flow.1`,
		Example: "  flow man | man -l -",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			source := "flow"
			if a.Version != "dev" {
				source += " " + a.Version
			}
			if _, err := fmt.Fprint(a.Stdout, manPage(c.Root(), source)); err != nil {
				return &exitError{ExitFailed, fmt.Errorf("writing the page: %w", err)}
			}
			return nil
		},
	}
}

// manPage writes the commands below root as one page for man(1). It has no
// date, so that the same commands give the same page.
func manPage(root *cobra.Command, source string) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH FLOW 1 \"\" %q \"User Commands\"\n", source)
	b.WriteString(".SH NAME\nflow \\- move records between systems\n")
	b.WriteString(".SH SYNOPSIS\n.B flow\n.I COMMAND\n[\\fIARGUMENTS\\fR]\n")
	b.WriteString(".SH DESCRIPTION\n")
	roffText(&b, root.Long)
	b.WriteString(".SH COMMANDS\n")
	for _, c := range ordered(root) {
		if c.IsAvailableCommand() && c.Name() != "help" {
			manCommandSection(&b, c)
		}
	}
	b.WriteString(`.SH ENVIRONMENT
.TP
.B FLOW_VAR_\fINAME\fR
The value of the variable \fINAME\fR, unless \-\-var or \-\-var\-file gives it one.
.TP
.B NO_COLOR
Print without colors, if it is not empty.
.TP
.B COLUMNS
The width of text, where the output is no terminal.
.TP
.B GOGC\fR, \fBGOMEMLIMIT
How Go collects garbage, instead of what flow sets.
.SH FILES
.TP
.I *.hcl
Configs. A folder is one config of all of them but \fI*.test.hcl\fR.
.TP
.I .flow/
Stored positions, unless state_dir of a pipeline or \-\-state\-dir names another folder.
.SH EXIT STATUS
That of \fBflow run\fR; the other commands say theirs above. A wrong command line is always 2.
.TP
.B 0
Done, or stopped with everything confirmed.
.TP
.B 1
A pipeline failed.
.TP
.B 2
The config or the command line is wrong; nothing was run.
.TP
.B 3
Stopped before everything in flight was confirmed. It is read again by the next run.
`)
	return b.String()
}

func manCommandSection(b *strings.Builder, c *cobra.Command) {
	fmt.Fprintf(b, ".SS %s\n", roffEscape(useLine(c)))
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	roffText(b, text)
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		short := ""
		if f.Shorthand != "" {
			short = fmt.Sprintf("\\fB\\-%s\\fR, ", roffEscape(f.Shorthand))
		}
		fmt.Fprintf(b, ".TP\n%s\\fB\\-\\-%s\\fR", short, roffEscape(f.Name))
		if value != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", roffEscape(value))
		}
		if def := f.DefValue; def != "" && def != "false" && def != "[]" && def != "0" {
			usage += fmt.Sprintf(" (default %s)", def)
		}
		b.WriteString("\n" + roffLine(strings.ToUpper(usage[:1])+usage[1:]) + ".\n")
	})
	if c.Example != "" {
		b.WriteString(".PP\nExamples:\n.PP\n.nf\n")
		for l := range strings.SplitSeq(strings.TrimRight(c.Example, "\n"), "\n") {
			b.WriteString(roffLine("  "+l) + "\n")
		}
		b.WriteString(".fi\n")
	}
}

// roffText writes paragraphs; lines that are indented stand as they are.
func roffText(b *strings.Builder, text string) {
	verbatim := false
	for l := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		indented := strings.HasPrefix(l, " ")
		switch {
		case indented && !verbatim:
			b.WriteString(".PP\n.nf\n")
		case !indented && verbatim:
			b.WriteString(".fi\n")
			if l != "" {
				b.WriteString(".PP\n")
			}
		}
		verbatim = indented
		if l == "" {
			b.WriteString(".PP\n")
			continue
		}
		b.WriteString(roffLine(l) + "\n")
	}
	if verbatim {
		b.WriteString(".fi\n")
	}
}

// roffLine escapes a line so that it cannot be read as a request.
func roffLine(s string) string {
	s = roffEscape(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

var roffEscapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)

func roffEscape(s string) string { return roffEscapes.Replace(s) }
