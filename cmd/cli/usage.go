package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/reference"
)

// settle gives all commands the same manners: mistakes of the command line
// are one line that says what was meant, help fits the terminal, and nothing
// is ever answered with a page of usage.
func (a *app) settle(root *cobra.Command) {
	root.Version = a.Version
	root.SetVersionTemplate("flow {{.Version}}\n")
	root.Args = func(c *cobra.Command, args []string) error { return unknownCommand(c, args) }
	root.SetFlagErrorFunc(a.flagError)
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error { return exclusiveFlags(c.Flags()) }
	root.SetHelpFunc(a.help)
	root.SetUsageFunc(func(c *cobra.Command) error { a.help(c, nil); return nil })
	root.SetHelpCommand(helpCommand(root))
	root.CompletionOptions.DisableDefaultCmd = true
	for name, words := range otherNames() {
		if c, _, err := root.Find([]string{name}); err == nil && c != root {
			c.SuggestFor = append(c.SuggestFor, words...)
		}
	}
	a.completeCommands(root)
}

// otherNames are what other tools call our commands.
func otherNames() map[string][]string {
	return map[string][]string{
		"run":        {"start", "apply", "exec", "serve", "up"},
		"lint":       {"validate", "check", "verify", "vet", "test"},
		"fmt":        {"format"},
		"explain":    {"plan", "graph", "dot"},
		"schema":     {"types", "schemas", "avsc"},
		"doctor":     {"diagnose", "ping", "probe", "connect", "health"},
		"errors":     {"dlq", "deadletters", "dead-letters", "failures", "replay"},
		"expr":       {"eval", "repl", "console", "vrl", "blobl", "query", "jq"},
		"list":       {"ls", "components", "connectors", "plugins"},
		"show":       {"describe", "doc", "docs", "get"},
		"completion": {"complete"},
	}
}

// unknownCommand refuses words where a command should be, naming what was
// probably meant.
func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	word := args[0]
	info, err := os.Stat(word)
	exists := err == nil || errors.Is(err, fs.ErrPermission)
	if strings.HasSuffix(word, ".hcl") || exists && info != nil && info.IsDir() {
		return fmt.Errorf("%q is no command. Did you mean %q?", word, "flow run "+strings.Join(args, " "))
	}
	if near := nearCommand(c, word); near == word {
		return fmt.Errorf("the command %q stands behind --. Write it without", word)
	} else if near != "" {
		return fmt.Errorf("unknown command %q. Did you mean %q?", word, near)
	}
	if exists {
		return fmt.Errorf("%q is a file, not a command", word)
	}
	return fmt.Errorf("unknown command %q", word)
}

// nearCommand is the command that a word is most likely meant to be.
func nearCommand(c *cobra.Command, word string) string {
	var names []string
	for _, sub := range c.Commands() {
		if !sub.IsAvailableCommand() {
			continue
		}
		if slices.ContainsFunc(sub.SuggestFor, func(s string) bool { return strings.EqualFold(s, word) }) {
			return sub.Name()
		}
		names = append(names, sub.Name())
	}
	if near := dsl.Nearest(word, names); near != "" {
		return near
	}
	if len(word) < 2 {
		return ""
	}
	for _, name := range names {
		if strings.HasPrefix(name, strings.ToLower(word)) {
			return name
		}
	}
	return ""
}

// noArgs refuses arguments of a command that takes none.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments, and %q is one", c.Name(), args[0])
	}
	return nil
}

// flagError says of a wrong flag what would be right.
func (a *app) flagError(c *cobra.Command, err error) error {
	if !c.HasParent() && len(a.Args) > 0 && !strings.HasPrefix(a.Args[0], "-") {
		return unknownCommand(c, a.Args) // what stands before the flag is the first mistake
	}
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		return unknownFlag(c, unknown)
	case errors.As(err, &missing):
		return fmt.Errorf("--%s needs a value: --%[1]s %s", missing.GetFlag().Name, flagValue(missing.GetFlag()))
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		switch typ := f.Value.Type(); {
		case strings.HasPrefix(typ, "int"), strings.HasPrefix(typ, "uint"):
			return fmt.Errorf("--%s: %q is no whole number that fits", f.Name, invalid.GetValue())
		case strings.HasPrefix(typ, "float"):
			return fmt.Errorf("--%s: %q is no number", f.Name, invalid.GetValue())
		case typ == "bool":
			return fmt.Errorf("--%s is given or not given, and takes no value but true or false", f.Name)
		case typ == "duration":
			return fmt.Errorf("--%s: %q is no duration such as 10s or 1m30s", f.Name, invalid.GetValue())
		}
		return fmt.Errorf("--%s: %w", f.Name, errors.Unwrap(invalid))
	}
	return err
}

func unknownFlag(c *cobra.Command, err *pflag.NotExistError) error {
	given, word := "--"+err.GetSpecifiedName(), err.GetSpecifiedName()
	if short := err.GetSpecifiedShortnames(); short != "" {
		// -json is read as -j -s -o -n.
		given, word = "-"+short, short
	}
	var names []string
	for _, f := range flagsOf(c) {
		names = append(names, f.Name)
	}
	if near := dsl.Nearest(word, names); near != "" && len(word) > 1 {
		return fmt.Errorf("unknown flag %s. Did you mean --%s?", given, near)
	}
	for _, sub := range ordered(c) {
		if !c.HasParent() && sub.IsAvailableCommand() && sub.Flags().Lookup(word) != nil {
			return fmt.Errorf("unknown flag %s. Did you mean %q?", given, sub.CommandPath()+" "+given)
		}
	}
	if c.Name() == "expr" {
		return fmt.Errorf("unknown flag %s. An expression that begins with - stands behind --: flow expr -- '-1'", given)
	}
	return fmt.Errorf("unknown flag %s", given)
}

// flagsOf returns the flags of a command that people see, by name.
func flagsOf(c *cobra.Command) []*pflag.Flag {
	var all []*pflag.Flag
	seen := make(map[string]bool)
	for _, set := range []*pflag.FlagSet{c.Flags(), c.InheritedFlags()} {
		set.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !seen[f.Name] {
				seen[f.Name] = true
				all = append(all, f)
			}
		})
	}
	return all
}

// flagValue names the value of a flag as the help does.
func flagValue(f *pflag.Flag) string {
	if name, _ := pflag.UnquoteUsage(f); name != "" {
		return strings.ToUpper(strings.ReplaceAll(name, " ", "-"))
	}
	return "VALUE"
}

// exclusiveGroups is where cobra's MarkFlagsMutuallyExclusive leaves its
// groups. Its own message counts them up without saying what to do.
const exclusiveGroups = "cobra_annotation_mutually_exclusive"

func exclusiveFlags(flags *pflag.FlagSet) error {
	var err error
	flags.Visit(func(f *pflag.Flag) {
		for _, group := range f.Annotations[exclusiveGroups] {
			for _, other := range strings.Fields(group) {
				if o := flags.Lookup(other); err == nil && other != f.Name && o != nil && o.Changed {
					err = fmt.Errorf("--%s and --%s exclude each other: give one of them", f.Name, other)
				}
			}
		}
	})
	return err
}

func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Print what a command does and its flags",
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var words []cobra.Completion
			if len(args) == 0 {
				for _, c := range root.Commands() {
					if c.IsAvailableCommand() {
						words = append(words, cobra.CompletionWithDesc(c.Name(), c.Short))
					}
				}
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || c == root && len(rest) > 0 {
				return unknownCommand(root, args)
			}
			c.InitDefaultHelpFlag()
			return c.Help()
		},
	}
}

// help prints the help of a command at the width of the terminal.
func (a *app) help(c *cobra.Command, _ []string) {
	var b strings.Builder
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	fmt.Fprintf(&b, "%s\n\nUsage:\n  %s\n", strings.TrimSpace(text), useLine(c))
	if c.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", strings.TrimRight(c.Example, "\n"))
	}
	rows := [][]string{}
	for _, sub := range ordered(c) {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			rows = append(rows, []string{sub.Name(), sub.Short})
		}
	}
	if len(rows) > 0 {
		fmt.Fprintf(&b, "\nCommands:\n%s\n", strings.Join(reference.Table(rows, a.textWidth()), "\n"))
	}
	if c.HasAvailableFlags() {
		fmt.Fprintf(&b, "\nFlags:\n%s", strings.TrimRight(c.Flags().FlagUsagesWrapped(a.textWidth()), "\n")+"\n")
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n'%s COMMAND --help' says more of a command.\n", c.CommandPath())
	}
	fmt.Fprint(a.Stdout, b.String())
}

// ordered are the commands below c, first those that one needs first.
func ordered(c *cobra.Command) []*cobra.Command {
	order := []string{"run", "lint", "fmt", "explain", "schema", "expr", "list", "show"}
	list := slices.Clone(c.Commands())
	rank := func(c *cobra.Command) int {
		if i := slices.Index(order, c.Name()); i >= 0 {
			return i
		}
		if c.Name() == "help" {
			return len(order) + 1
		}
		return len(order)
	}
	slices.SortStableFunc(list, func(a, b *cobra.Command) int { return rank(a) - rank(b) })
	return list
}

func useLine(c *cobra.Command) string {
	if c.HasAvailableSubCommands() && !c.HasParent() {
		return c.CommandPath() + " COMMAND [ARGUMENTS]"
	}
	return strings.TrimSuffix(c.UseLine(), " [flags]") + map[bool]string{true: " [FLAGS]"}[c.HasAvailableLocalFlags()]
}
