package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flowrecords/flow/dsl/diag"
	"github.com/flowrecords/flow/dsl/rules"
)

// lintFlags are the flags of lint.
type lintFlags struct {
	configFlags
	format       string
	output       string
	only, skip   []string
	denyWarnings bool
	fix, diff    bool
	each         bool
	stdinName    string
	rule         string
	rules        bool
}

func (a *app) lintCommand() *cobra.Command {
	var f lintFlags
	c := &cobra.Command{
		Use:   "lint FILE|DIR|-...",
		Short: "Check a config without running it",
		Long: `lint makes every check that run makes before it opens anything, and further
ones for what runs and is most likely not meant. It prints all findings at once,
each with its rule, its place and what to do. It opens no connection.

Paths that are named together are one config, as for run. Folders below a named
folder are linted too: each that holds *.hcl files is a config of its own.
- reads standard input.

A warning can be hidden where it is right: # flow:ignore FL2203 why, on the line
or above it. Errors cannot, since the config does not run.

Text goes to stderr, all other formats to stdout.

Exit status: 0 nothing found or warnings only, 2 an error was found, or a
warning with --deny-warnings, or the command line is wrong.`,
		Example: `  flow lint pipeline.hcl
  flow lint --var env=test --deny-warnings pipelines/
  flow lint --format sarif --output flow.sarif .
  flow lint --fix --diff pipeline.hcl
  flow lint --rule FL2203`,
		Args: func(c *cobra.Command, args []string) error {
			if f.rule != "" || f.rules {
				return noArgs(c, args)
			}
			return somePath(c, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case f.rule != "":
				return a.lintRule(f)
			case f.rules:
				return a.lintRules(f)
			}
			return a.lint(args, f)
		},
	}
	f.add(c)
	fl := c.Flags()
	fl.StringVar(&f.format, "format", "text", "`text`, json, sarif, github or junit")
	fl.StringVarP(&f.output, "output", "o", "", "write the findings to a `file`")
	fl.BoolVar(&f.denyWarnings, "deny-warnings", false, "exit with 2 for warnings too")
	fl.StringSliceVar(&f.only, "only", nil, "report warnings of these `rules` only: ids, names or categories (errors are always reported)")
	fl.StringSliceVar(&f.skip, "skip", nil, "do not report warnings of these `rules`")
	fl.BoolVar(&f.fix, "fix", false, "correct what can be corrected with certainty, in the files")
	fl.BoolVar(&f.diff, "diff", false, "with --fix: print the changes, leave the files as they are")
	fl.BoolVar(&f.each, "each", false, "every file is a config of its own")
	fl.StringVar(&f.stdinName, "stdin-name", "stdin.hcl", "the `name` of standard input in messages, and of the file that it stands for")
	fl.StringVar(&f.rule, "rule", "", "print the page of a `rule` and exit")
	fl.BoolVar(&f.rules, "rules", false, "list all rules and exit")
	return c
}

// somePath asks for a config.
func somePath(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("name a file or folder: flow %s", c.Use)
	}
	return nil
}

// lintRule prints the page of a rule.
func (a *app) lintRule(f lintFlags) error {
	r, ok := rules.Lookup(f.rule)
	if !ok {
		return &exitError{ExitConfig, fmt.Errorf("--rule: no rule is called %q.%s List them with: flow lint --rules", f.rule, didYouMean(f.rule, ruleWords(false)))}
	}
	if err := f.textOr("json"); err != nil {
		return err
	}
	return a.showRule(r, f.format == "json", false)
}

// lintRules lists all rules.
func (a *app) lintRules(f lintFlags) error {
	if err := f.textOr("json"); err != nil {
		return err
	}
	all := rules.All()
	if f.format == "json" {
		list := make([]listedRule, len(all))
		for i, r := range all {
			list[i] = listedRule{r.ID, r.Name, r.Category, r.Severity, r.Summary, r.Fixable, r.URL()}
		}
		return writeJSON(a.Stdout, list)
	}
	wide := 0
	for _, r := range all {
		wide = max(wide, len(r.Name))
	}
	var b strings.Builder
	for _, r := range all {
		fmt.Fprintf(&b, "%s  %-7s  %-*s  %s\n", r.ID, r.Severity, wide, r.Name, r.Summary)
	}
	_, err := io.WriteString(a.Stdout, b.String())
	return err
}

// listedRule is one rule of --rules --format json.
type listedRule struct {
	ID       rules.ID       `json:"id"`
	Name     string         `json:"name"`
	Category rules.Category `json:"category"`
	Severity rules.Severity `json:"severity"`
	Summary  string         `json:"summary"`
	Fixable  bool           `json:"fixable"`
	Doc      string         `json:"doc"`
}

// textOr refuses formats that a page or a list does not have.
func (f lintFlags) textOr(other string) error {
	if f.format == "text" || f.format == other {
		return nil
	}
	return &exitError{ExitConfig, fmt.Errorf("--format: this is printed as text or %s, not %s", other, f.format)}
}

// lint checks configs and reports what it finds.
func (a *app) lint(args []string, f lintFlags) error {
	filter, err := f.check(args)
	if err != nil {
		return &exitError{ExitConfig, err}
	}
	run := &lintRun{app: a, flags: f, filter: filter, overlay: make(map[string][]byte)}
	if err := run.stdin(args); err != nil {
		return &exitError{ExitConfig, err}
	}
	for _, paths := range run.configs(args) {
		run.check(paths)
	}
	run.finish()
	if f.fix {
		if err := run.writeFixes(); err != nil {
			return &exitError{ExitConfig, err}
		}
	}
	if err := run.print(); err != nil {
		return &exitError{ExitConfig, err}
	}
	if errs, warnings := count(run.report.Findings); errs > 0 || warnings > 0 && f.denyWarnings {
		return &exitError{code: ExitConfig}
	}
	return nil
}

// check refuses flags that do not go together.
func (f lintFlags) check(args []string) (*ruleFilter, error) {
	stdin := slices.Contains(args, "-")
	switch {
	case !slices.Contains(diag.Formats(), diag.Format(f.format)):
		return nil, fmt.Errorf("--format: %q is none. Choose text, json, sarif, github or junit.%s", f.format, didYouMean(f.format, formatNames()))
	case f.diff && !f.fix:
		return nil, fmt.Errorf("--diff shows what --fix would change: give both")
	case f.fix && (stdin || f.diff) && f.format != "text" && f.output == "":
		return nil, fmt.Errorf("stdout takes one thing: --fix writes there with --diff or -, so give the report a file with --output")
	case stdin && slices.Index(args, "-") != len(args)-1 && slices.Contains(args[slices.Index(args, "-")+1:], "-"):
		return nil, fmt.Errorf("standard input can be read once: give - once")
	case stdin && f.stdinName == "":
		return nil, fmt.Errorf("--stdin-name: it is empty")
	}
	return newRuleFilter(f.only, f.skip)
}

func formatNames() []string {
	var names []string
	for _, f := range diag.Formats() {
		names = append(names, string(f))
	}
	return names
}

// ruleWords are ids and names of all rules and, if asked for, the categories.
func ruleWords(categories bool) []string {
	var words []string
	for _, r := range rules.All() {
		words = append(words, string(r.ID), r.Name)
		if categories && !slices.Contains(words, string(r.Category)) {
			words = append(words, string(r.Category))
		}
	}
	return words
}

// ruleFilter says which warnings are reported.
type ruleFilter struct{ only, skip map[rules.ID]bool }

func newRuleFilter(only, skip []string) (*ruleFilter, error) {
	f := &ruleFilter{}
	var err error
	if f.only, err = ruleSet("--only", only); err != nil {
		return nil, err
	}
	if f.skip, err = ruleSet("--skip", skip); err != nil {
		return nil, err
	}
	for _, word := range skip {
		if r, ok := rules.Lookup(word); ok && r.Severity == rules.Error {
			return nil, fmt.Errorf("--skip: %s cannot be skipped. It is an error, with which the config does not run", r.ID)
		}
	}
	return f, nil
}

// ruleSet resolves ids, names and categories; nil for none.
func ruleSet(flag string, words []string) (map[rules.ID]bool, error) {
	if len(words) == 0 {
		return nil, nil
	}
	set := make(map[rules.ID]bool)
	for _, word := range words {
		word = strings.TrimSpace(word)
		found := false
		for _, r := range rules.All() {
			if strings.EqualFold(string(r.ID), word) || strings.EqualFold(r.Name, word) || strings.EqualFold(string(r.Category), word) {
				set[r.ID], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("%s: no rule or category is called %q.%s List them with: flow lint --rules", flag, word, didYouMean(word, ruleWords(true)))
		}
	}
	return set, nil
}

// wants reports whether findings of the rule are reported.
func (f *ruleFilter) wants(id rules.ID) bool {
	if r, ok := rules.Lookup(string(id)); !ok || r.Severity == rules.Error {
		return true
	}
	return (f.only == nil || f.only[id]) && !f.skip[id]
}

// outputFile is where a report goes: a new file, or stdout.
func (a *app) outputFile(name string) (*os.File, func() error, error) {
	if name == "" || name == "-" {
		return a.Stdout, func() error { return nil }, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, nil, fmt.Errorf("--output: %w", err)
	}
	return file, file.Close, nil
}
