package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/reference"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// listed is one line of flow list. Its JSON form is stable: fields are added,
// never renamed.
type listed struct {
	Kind    string `json:"kind"`
	Type    string `json:"type"`
	Summary string `json:"summary"`
	Since   string `json:"since,omitempty"`
	// Group is the group of a function or the category of a rule.
	Group string `json:"group,omitempty"`
	// Signature is of functions, Severity of rules.
	Signature string `json:"signature,omitempty"`
	Severity  string `json:"severity,omitempty"`
}

// section is a kind of things that flow list has.
type section struct {
	// name as it is asked for, in the plural: inputs.
	name  string
	items []listed
	// long: too many to be listed among others.
	long bool
}

func (a *app) listCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list [KIND]",
		Short: "List components, blocks, functions and lint rules",
		Long: `list names what a config can be made of, with one line each. KIND is one of
` + strings.Join(kindNames(), ", ") + `;
without it all are listed, functions and rules as a number only.

'flow show' has the details of each.`,
		Example: "  flow list\n  flow list inputs\n  flow list functions --json | jq -r '.[].signature'",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("give one kind at a time: flow list %s", args[0])
			}
			return nil
		},
		ValidArgsFunction: firstWord(func() []cobra.Completion { return kindNames() }),
		RunE: func(_ *cobra.Command, args []string) error {
			ref, err := reference.New(a.registry)
			if err != nil {
				return &exitError{ExitConfig, err}
			}
			all := sections(ref)
			if len(args) > 0 {
				i := slices.IndexFunc(all, func(s section) bool { return s.name == args[0] || s.name == args[0]+"s" })
				if i < 0 {
					return fmt.Errorf("there is no kind %q.%s Kinds are %s", args[0], didYouMean(args[0], kindNames()), strings.Join(kindNames(), ", "))
				}
				all = []section{all[i]}
			}
			if asJSON {
				items := []listed{}
				for _, s := range all {
					items = append(items, s.items...)
				}
				return writeJSON(a.Stdout, items)
			}
			return a.printed(func(w io.Writer) { a.printSections(w, all, len(args) == 0) })
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return c
}

// kindNames are what flow list can be asked for.
func kindNames() []string {
	var names []string
	for _, k := range reference.Kinds() {
		names = append(names, string(k)+"s")
	}
	return append(names, "blocks", "functions", "rules")
}

func sections(ref *reference.Reference) []section {
	var all []section
	add := func(kind string, long bool) {
		s := section{name: kind + "s", long: long}
		for _, e := range ref.Of(kind) {
			l := listed{Kind: e.Kind, Type: e.Type, Summary: e.Summary, Since: e.Since, Group: e.Group}
			if kind == reference.KindFunction {
				l.Signature = e.Syntax
			}
			s.items = append(s.items, l)
		}
		all = append(all, s)
	}
	for _, k := range reference.Kinds() {
		add(string(k), false)
	}
	add(reference.KindBlock, false)
	add(reference.KindFunction, true)
	lint := section{name: "rules", long: true}
	for _, r := range rules.All() {
		lint.items = append(lint.items, listed{Kind: "rule", Type: string(r.ID), Summary: r.Summary, Group: string(r.Category), Severity: string(r.Severity)})
	}
	return append(all, lint)
}

// printSections prints sections with headings; a single one without.
func (a *app) printSections(w io.Writer, all []section, brief bool) {
	width := a.textWidth()
	for i, s := range all {
		if brief {
			if i > 0 {
				fmt.Fprintln(w)
			}
			fmt.Fprintln(w, a.style().Bold(strings.ToUpper(s.name)))
			if s.long {
				fmt.Fprintf(w, "  %d: flow list %s\n", len(s.items), s.name)
				continue
			}
		}
		group := ""
		for len(s.items) > 0 {
			n := 1
			for n < len(s.items) && s.items[n].Group == s.items[0].Group {
				n++
			}
			if g := s.items[0].Group; g != "" {
				if group != "" {
					fmt.Fprintln(w)
				}
				group = g
				fmt.Fprintln(w, a.style().Bold(g))
			}
			rows := make([][]string, n)
			for j, item := range s.items[:n] {
				rows[j] = []string{item.Type, item.Summary}
			}
			for _, line := range reference.Table(rows, width) {
				fmt.Fprintln(w, line)
			}
			s.items = s.items[n:]
		}
	}
}

// style marks text where stdout is a terminal that has colors.
func (a *app) style() reference.Style {
	if !a.colored(a.Stdout) {
		return reference.Style{Bold: func(s string) string { return s }}
	}
	return reference.Style{Bold: func(s string) string { return "\x1b[1m" + s + "\x1b[0m" }}
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return &exitError{ExitFailed, fmt.Errorf("writing JSON: %w", err)}
	}
	return nil
}

// didYouMean is a sentence with a space before it, or nothing.
func didYouMean(given string, candidates []string) string {
	if near := dsl.Nearest(given, candidates); near != "" {
		return fmt.Sprintf(" Did you mean %q?", near)
	}
	return ""
}

// counts are how many components of each kind the binary has.
func counts(r *engine.Registry) map[string]int {
	return map[string]int{
		"inputs": len(r.Inputs), "processors": len(r.Processors), "outputs": len(r.Outputs),
		"converters": len(r.Converters), "connections": len(r.Connections),
	}
}
