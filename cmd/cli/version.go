package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// versionInfo is the JSON form of flow version; it is stable.
type versionInfo struct {
	Version string `json:"version"`
	// Commit and CommitTime (RFC 3339) are empty in a binary that was built
	// outside its repository. Modified: there were changes on top of it.
	Commit     string         `json:"commit,omitempty"`
	CommitTime string         `json:"commit_time,omitempty"`
	Modified   bool           `json:"modified"`
	Go         string         `json:"go"`
	OS         string         `json:"os"`
	Arch       string         `json:"arch"`
	Components map[string]int `json:"components"`
}

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long: `version prints the version; with --json also the commit that it was built of,
the Go version, the system, and how many components of each kind it has.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return writeJSON(a.Stdout, a.versionInfo(debug.ReadBuildInfo()))
			}
			return a.printed(func(w io.Writer) { fmt.Fprintf(w, "flow %s\n", a.Version) })
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) versionInfo(build *debug.BuildInfo, ok bool) versionInfo {
	v := versionInfo{Version: a.Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, Components: counts(a.registry)}
	if !ok {
		return v
	}
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.time":
			v.CommitTime = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}
