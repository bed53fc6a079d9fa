package cli

import (
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flowrecords/flow/engine"
)

func commands(t *testing.T) (*app, *cobra.Command) {
	t.Helper()
	registry, err := engine.NewRegistry(engine.Components{})
	if err != nil {
		t.Fatal(err)
	}
	a := &app{Program: Program{Version: "v1.2.3", Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}, registry: registry}
	return a, a.root()
}

// TestCompletionOfAllFlags: whoever adds a flag with a value, or a command
// with arguments, says what a shell can complete.
func TestCompletionOfAllFlags(t *testing.T) {
	t.Parallel()
	_, root := commands(t)
	for _, c := range root.Commands() {
		if c.ValidArgsFunction == nil {
			t.Errorf("%s completes no arguments", c.CommandPath())
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.NoOptDefVal != "" {
				return // true or false
			}
			if _, ok := c.GetFlagCompletionFunc(f.Name); !ok {
				t.Errorf("%s --%s: its values have no completion: see flagCompleters", c.CommandPath(), f.Name)
			}
		})
	}
}

// TestCompletersAreUsed: no entry of the table is for a flag that is gone.
func TestCompletersAreUsed(t *testing.T) {
	t.Parallel()
	a, root := commands(t)
	for key := range a.flagCompleters() {
		name, flag, ok := strings.Cut(key, " ")
		if !ok {
			name, flag = "", key
		}
		used := false
		for _, c := range root.Commands() {
			used = used || (name == "" || c.Name() == name) && c.Flags().Lookup(flag) != nil
		}
		if !used {
			t.Errorf("no command has the flag of %q", key)
		}
	}
}

// TestCommandsAreDescribed: help, man page and completion have a text each.
func TestCommandsAreDescribed(t *testing.T) {
	t.Parallel()
	_, root := commands(t)
	for _, c := range root.Commands() {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") || len(c.Short) > 60 {
			t.Errorf("%s: Short is no short phrase: %q", c.Name(), c.Short)
		}
		for _, text := range []string{c.Long, c.Example} {
			for line := range strings.SplitSeq(text, "\n") {
				if len([]rune(line)) > 80 {
					t.Errorf("%s: a line of its help is wider than 80: %q", c.Name(), line)
				}
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s has no text", c.Name(), f.Name)
			}
		})
	}
}

// TestExclusiveFlagsOfCobra: the groups are still where they are looked for.
func TestExclusiveFlagsOfCobra(t *testing.T) {
	t.Parallel()
	c := &cobra.Command{Use: "x"}
	c.Flags().Bool("a", false, "")
	c.Flags().Bool("b", false, "")
	c.MarkFlagsMutuallyExclusive("a", "b")
	for _, args := range [][]string{{"--a"}, {"--b"}} {
		if err := c.ParseFlags(args); err != nil {
			t.Fatal(err)
		}
	}
	if err := exclusiveFlags(c.Flags()); err == nil || err.Error() != "--a and --b exclude each other: give one of them" {
		t.Errorf("error %v", err)
	}
}

func TestVersionInfo(t *testing.T) {
	t.Parallel()
	a, _ := commands(t)
	v := a.versionInfo(&debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-01-31T00:00:00Z"}, {Key: "vcs.modified", Value: "true"}}}, true)
	if v.Version != "v1.2.3" || v.Commit != "abc" || v.CommitTime != "2026-01-31T00:00:00Z" || !v.Modified || v.Go == "" || v.Components["inputs"] != 0 {
		t.Errorf("%+v", v)
	}
	if v := a.versionInfo(nil, false); v.Commit != "" || v.Modified {
		t.Errorf("without a build: %+v", v)
	}
}
