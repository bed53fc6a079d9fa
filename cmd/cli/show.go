package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flowrecords/flow/dsl/reference"
	"github.com/flowrecords/flow/dsl/rules"
)

// jsonSchema is what flow show prints the JSON schema of the language for.
const jsonSchema = "json-schema"

func (a *app) showCommand() *cobra.Command {
	var asJSON, asMarkdown bool
	c := &cobra.Command{
		Use:   "show [KIND] NAME",
		Short: "Show a component, block, function or lint rule in full",
		Long: `show prints what there is to know of a component, a block of the language, a
function of expressions or a rule of lint: what it does, every option with its
type, default, bounds and version, and examples. Without KIND it shows all that
have the name.

flow show json-schema prints a JSON schema (2020-12) of the language, in the
JSON form of HCL, by which editors complete and check configs.

With --json, KIND NAME prints an object, and NAME alone an array.`,
		Example: `  flow show input kafka
  flow show kafka             the input, the output and the connection
  flow show pipeline          the options of a pipeline
  flow show function upper
  flow show input kafka --json | jq -r '.options[].name'
  flow show json-schema > flow.schema.json`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return fmt.Errorf("name what to show, such as: flow show input kafka. 'flow list' has the names")
			case len(args) > 2:
				return fmt.Errorf("give a kind and a name: flow show %s %s", args[0], args[1])
			}
			return nil
		},
		ValidArgsFunction: a.completeShow,
		RunE: func(_ *cobra.Command, args []string) error {
			ref, err := reference.New(a.registry)
			if err != nil {
				return &exitError{ExitConfig, err}
			}
			if len(args) == 1 && args[0] == jsonSchema {
				return a.printSchema(ref)
			}
			if r, ok := ruleOf(args); ok {
				return a.showRule(r, asJSON, asMarkdown)
			}
			entries, err := findEntries(ref, args)
			if err != nil {
				return err
			}
			switch {
			case asJSON && len(args) == 2:
				return writeJSON(a.Stdout, entries[0])
			case asJSON:
				return writeJSON(a.Stdout, entries)
			}
			return a.printed(func(w io.Writer) {
				for i := range entries {
					if i > 0 {
						fmt.Fprintln(w)
					}
					if asMarkdown {
						fmt.Fprint(w, reference.Markdown(&entries[i]))
					} else {
						fmt.Fprint(w, reference.Text(&entries[i], a.textWidth(), a.style()))
					}
				}
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&asMarkdown, "markdown", false, "print Markdown, as it stands in the docs")
	c.MarkFlagsMutuallyExclusive("json", "markdown")
	return c
}

func (a *app) printSchema(ref *reference.Reference) error {
	schema, err := ref.Schema()
	if err != nil {
		return &exitError{ExitConfig, err}
	}
	if _, err := a.Stdout.Write(schema); err != nil {
		return &exitError{ExitFailed, fmt.Errorf("writing the schema: %w", err)}
	}
	return nil
}

// singular is the kind that a word names, in singular or plural.
func singular(word string) string {
	if slices.Contains(kindNames(), word+"s") {
		return word
	}
	if slices.Contains(kindNames(), word) {
		return strings.TrimSuffix(word, "s")
	}
	return ""
}

// findEntries finds what KIND NAME or NAME means.
func findEntries(ref *reference.Reference, args []string) ([]reference.Entry, error) {
	name := args[len(args)-1]
	if len(args) == 1 {
		found := ref.Named(name)
		if len(found) > 0 {
			return found, nil
		}
		if singular(name) != "" {
			return nil, fmt.Errorf("say which: flow show %s NAME. 'flow list %[1]ss' has the names", singular(name))
		}
		names := append(reference.Types(ref.All()), jsonSchema)
		return nil, fmt.Errorf("there is no %q.%s 'flow list' has the names", name, didYouMean(name, names))
	}
	kind := singular(args[0])
	if kind == "" {
		detail := didYouMean(args[0], singulars())
		if found := ref.Named(name); detail == "" && len(found) > 0 {
			detail = fmt.Sprintf(" Did you mean %q?", "flow show "+found[0].Kind+" "+name)
		}
		return nil, fmt.Errorf("there is no kind %q.%s Kinds are %s", args[0], detail, strings.Join(singulars(), ", "))
	}
	if e, ok := ref.Find(kind, name); ok {
		return []reference.Entry{e}, nil
	}
	detail := didYouMean(name, ruleOrTypes(ref, kind))
	if detail == "" {
		var kinds []string
		for _, e := range ref.Named(name) {
			kinds = append(kinds, article(e.Kind))
		}
		if len(kinds) > 0 {
			detail = fmt.Sprintf(" There is %s of this name.", strings.Join(kinds, " and "))
		}
	}
	return nil, fmt.Errorf("there is no %s %q.%s 'flow list %[1]ss' has the names", kind, name, detail)
}

func article(kind string) string {
	if strings.ContainsRune("aeiou", rune(kind[0])) {
		return "an " + kind
	}
	return "a " + kind
}

func singulars() []string {
	names := kindNames()
	for i := range names {
		names[i] = strings.TrimSuffix(names[i], "s")
	}
	return names
}

// ruleOrTypes are the names of a kind.
func ruleOrTypes(ref *reference.Reference, kind string) []string {
	if kind != "rule" {
		return reference.Types(ref.Of(kind))
	}
	var names []string
	for _, r := range rules.All() {
		names = append(names, string(r.ID), r.Name)
	}
	return names
}

// ruleOf is the lint rule that the arguments name.
func ruleOf(args []string) (rules.Rule, bool) {
	if len(args) == 2 && singular(args[0]) != "rule" {
		return rules.Rule{}, false
	}
	return rules.Lookup(args[len(args)-1])
}

// shownRule is the JSON form of a rule; it is stable.
type shownRule struct {
	Kind     string `json:"kind"`
	ID       string `json:"id"`
	Name     string `json:"name"`
	Category string `json:"category"`
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Doc      string `json:"description"`
	Fixable  bool   `json:"fixable"`
	Bad      string `json:"bad"`
	Good     string `json:"good"`
}

func (a *app) showRule(r rules.Rule, asJSON, asMarkdown bool) error {
	if asJSON {
		return writeJSON(a.Stdout, shownRule{"rule", string(r.ID), r.Name, string(r.Category), string(r.Severity), r.Summary, r.Doc, r.Fixable, r.Bad, r.Good})
	}
	page := r.Markdown()
	return a.printed(func(w io.Writer) {
		if asMarkdown {
			fmt.Fprint(w, page)
			return
		}
		for _, line := range reference.Plain(page, a.textWidth()) {
			fmt.Fprintln(w, line)
		}
	})
}
