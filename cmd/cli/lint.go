package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) lintCommand() *cobra.Command {
	var f configFlags
	c := &cobra.Command{
		Use:   "lint FILE|DIR...",
		Short: "Check a config without running it",
		Long: `lint makes every check that run makes before it opens anything, and prints all
mistakes at once, each with its place and what to do. It opens no connection.

Exit status: 0 no mistake, 2 there are some.`,
		Example: "  flow lint pipeline.hcl\n  flow lint --var env=test pipelines/",
		Args:    somePath,
		RunE: func(_ *cobra.Command, args []string) error {
			plan, err := a.load(args, f)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.Stderr, "%s, no mistakes.\n", plural(len(plan.Pipelines), "pipeline"))
			return nil
		},
	}
	f.add(c)
	return c
}

// somePath asks for a config.
func somePath(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("name a file or folder: flow %s", c.Use)
	}
	return nil
}
