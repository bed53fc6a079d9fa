package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/reference"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// completer completes an argument or the value of a flag.
type completer = cobra.CompletionFunc

func (a *app) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print a script that completes flow's commands in a shell",
		Long: `completion prints a script that lets a shell complete commands, flags, config
files, names of pipelines, components and lint rules.

bash, with the package bash-completion, for all shells to come:
  mkdir -p ~/.local/share/bash-completion/completions
  flow completion bash > ~/.local/share/bash-completion/completions/flow

zsh, in a folder of $fpath (with ~/.zfunc: fpath+=~/.zfunc before compinit):
  flow completion zsh > ~/.zfunc/_flow

fish:
  flow completion fish > ~/.config/fish/completions/flow.fish

In bash and zsh, for this shell only: source <(flow completion bash)`,
		Example: "  source <(flow completion bash)\n  flow completion zsh > ~/.zfunc/_flow",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("name one shell: flow completion bash, zsh or fish")
			}
			return nil
		},
		ValidArgsFunction: firstWord(shells),
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			switch args[0] {
			case "bash":
				err = c.Root().GenBashCompletionV2(a.Stdout, true)
			case "zsh":
				err = c.Root().GenZshCompletion(a.Stdout)
			case "fish":
				err = c.Root().GenFishCompletion(a.Stdout, true)
			default:
				return fmt.Errorf("no completion for %q.%s Shells are %s", args[0], didYouMean(args[0], shells()), strings.Join(shells(), ", "))
			}
			if err != nil {
				return &exitError{ExitFailed, fmt.Errorf("writing the script: %w", err)}
			}
			return nil
		},
	}
}

func shells() []string { return []string{"bash", "zsh", "fish"} }

// firstWord completes the first argument and nothing behind it.
func firstWord(list func() []string) completer {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return list(), cobra.ShellCompDirectiveNoFileComp
	}
}

// configFiles completes config files and folders.
func configFiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return []cobra.Completion{"hcl"}, cobra.ShellCompDirectiveFilterFileExt
}

// varFiles completes files with values of variables.
func varFiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return []cobra.Completion{"hcl", "flowvars", "json"}, cobra.ShellCompDirectiveFilterFileExt
}

func anyFile(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

func folders(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func nothing(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}

func ruleIDs(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var words []cobra.Completion
	for _, r := range rules.All() {
		words = append(words, cobra.CompletionWithDesc(string(r.ID), r.Summary))
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// words completes one of a few values.
func words(list ...string) completer {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return list, cobra.ShellCompDirectiveNoFileComp
	}
}

// flagCompleters are the values of flags by command and flag, or by flag alone
// where it means the same everywhere. A test asks for every flag with a value.
func (a *app) flagCompleters() map[string]completer {
	return map[string]completer{
		"var":            a.completeVar,
		"var-file":       varFiles,
		"pipeline":       a.completePipeline,
		"state-dir":      folders,
		"metrics-addr":   nothing,
		"cpuprofile":     anyFile,
		"workers":        nothing,
		"log-format":     words("text", "json"),
		"log-level":      words("debug", "info", "warn", "error"),
		"progress":       words("auto", "always", "never"),
		"color":          words("auto", "always", "never"),
		"rule":           ruleIDs,
		"only":           ruleIDs,
		"skip":           ruleIDs,
		"output":         anyFile,
		"stdin-name":     anyFile,
		"lint format":    words("text", "json", "sarif", "github", "junit"),
		"explain format": words("text", "json", "dot", "mermaid"),
		"schema format":  words("text", "json", "avro"),
		"doctor format":  words("text", "json"),
		"timeout":        nothing,
		"expr input":     anyFile,
		"expr hcl":       configFiles,
		"expr element":   a.completeElements(engine.KindProcessor),
		"expr from":      a.completeElements(engine.KindInput),
		"expr key":       nothing,
		"expr key-json":  nothing,
		"expr header":    nothing,
		"expr topic":     nothing,
		"expr timestamp": words("now"),
		"expr partition": nothing,
		"expr offset":    nothing,
		"expr meta":      nothing,
	}
}

// configCommands take config files as arguments.
func configCommands() []string { return []string{"run", "lint", "fmt", "explain", "schema", "doctor"} }

// completeCommands gives the commands their completion of arguments and of
// the values of flags, unless they have their own.
func (a *app) completeCommands(root *cobra.Command) {
	flags := a.flagCompleters()
	for _, c := range root.Commands() {
		if c.ValidArgsFunction == nil {
			c.ValidArgsFunction = nothing
			for _, name := range configCommands() {
				if c.Name() == name {
					c.ValidArgsFunction = configFiles
				}
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if _, own := c.GetFlagCompletionFunc(f.Name); own {
				return
			}
			complete, ok := flags[c.Name()+" "+f.Name]
			if !ok {
				complete, ok = flags[f.Name]
			}
			if ok {
				// It can only fail for a flag that is not there or has one already.
				_ = c.RegisterFlagCompletionFunc(f.Name, complete)
			}
		})
	}
}

// loadQuietly compiles what the line names so far, for the names in it.
// Whatever is wrong with it, completion has nothing to say of that.
func (a *app) loadQuietly(c *cobra.Command, args []string) *dsl.Result {
	paths := args
	if f := c.Flags().Lookup("hcl"); f != nil {
		paths, _ = c.Flags().GetStringArray("hcl")
	}
	var o dsl.Options
	o.Registry, o.Environ = a.registry, a.Environ
	o.Vars, _ = c.Flags().GetStringArray("var")
	o.VarFiles, _ = c.Flags().GetStringArray("var-file")
	for _, p := range paths {
		if info, err := os.Stat(p); err != nil || !info.IsDir() && !info.Mode().IsRegular() {
			return &dsl.Result{} // also standard input, which is not ours to read here
		}
	}
	return dsl.Load(paths, o)
}

// completePipeline completes names of pipelines of the config on the line.
func (a *app) completePipeline(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	if res := a.loadQuietly(c, args); res.Plan != nil {
		for _, p := range res.Plan.Pipelines {
			names = append(names, p.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeElements completes addresses of the config on the line.
func (a *app) completeElements(kind engine.Kind) completer {
	return func(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var names []cobra.Completion
		if res := a.loadQuietly(c, args); res.Plan != nil {
			for _, p := range res.Plan.Pipelines {
				for _, e := range p.Elements {
					if e.Kind == kind {
						names = append(names, e.Address())
					}
				}
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeVar completes names of variables of the config on the line, up to
// the sign behind which the value is typed.
func (a *app) completeVar(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if strings.Contains(typed, "=") {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []cobra.Completion
	for _, f := range a.loadQuietly(c, args).Files {
		body, ok := f.Body.(*hclsyntax.Body)
		if !ok {
			continue
		}
		for _, b := range body.Blocks {
			if b.Type == "variable" && len(b.Labels) == 1 {
				names = append(names, b.Labels[0]+"=")
			}
		}
	}
	slices.Sort(names)
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeShow completes a kind or a name, and the name behind a kind.
func (a *app) completeShow(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	ref, err := reference.New(a.registry)
	if err != nil || len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var list []cobra.Completion
	add := func(entries []reference.Entry) {
		for _, e := range entries {
			list = append(list, cobra.CompletionWithDesc(e.Type, e.Summary))
		}
	}
	if len(args) == 1 {
		if kind := singular(args[0]); kind == "rule" {
			return ruleIDs(nil, nil, typed)
		} else if kind != "" {
			add(ref.Of(kind))
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	}
	for _, kind := range singulars() {
		list = append(list, cobra.CompletionWithDesc(kind, "kind"))
	}
	seen := make(map[string]bool)
	for _, e := range ref.All() {
		// Functions are many, and wanted only by their beginning.
		if seen[e.Type] || e.Kind == reference.KindFunction && typed == "" || singular(e.Type) != "" {
			continue
		}
		seen[e.Type] = true
		list = append(list, cobra.CompletionWithDesc(e.Type, e.Kind+": "+e.Summary))
	}
	return append(list, cobra.CompletionWithDesc(jsonSchema, "the language for editors")), cobra.ShellCompDirectiveNoFileComp
}
