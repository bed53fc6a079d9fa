// Package command runs child processes for the components that read from and
// write to programs. A child has a process group of its own, its standard
// error goes to the log within bounds, and stopping it leaves nothing behind.
package command

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
)

// Options are the options of every component that runs a command, to be
// embedded in its Config.
type Options struct {
	Command    []string                 `flow:"command,required" doc:"The program and its arguments, each an element. No shell looks at them; where one is wanted, it is the program." example:"[\"sh\", \"-c\", \"zcat *.gz | sort\"]"`
	Dir        string                   `flow:"dir" doc:"Folder in which the command runs. Empty: that of flow." example:"\"/var/lib/feed\""`
	Env        map[string]string        `flow:"env" doc:"Environment variables to set." example:"{ LANG = \"C\" }"`
	SecretEnv  map[string]engine.Secret `flow:"secret_env" doc:"Environment variables to set that are secrets. Their values are taken out of what the command writes to its standard error." example:"{ PGPASSWORD = env(\"PGPASSWORD\") }"`
	InheritEnv bool                     `flow:"inherit_env" doc:"Whether the command sees flow's own environment variables."`

	Restart      string        `flow:"restart" oneof:"never on_failure always" doc:"When the command is started again after it has ended: never, after a failure, or always."`
	RestartPause time.Duration `flow:"restart_pause" min:"0s" max:"1h" doc:"Shortest pause before the command is started again. After failures in a row it grows up to the pipeline's retry_max."`
	MaxRestarts  int           `flow:"max_restarts" unit:"restarts" min:"0" max:"1000000" doc:"Most restarts in a row in which no record got through; then the pipeline stops. 0 sets no limit."`
	StopGrace    time.Duration `flow:"stop_grace" min:"0s" max:"1m" doc:"How long the command has to end by itself when it is asked to (SIGTERM), before it is killed. The stop of the pipeline may leave it less."`
}

// The values of restart.
const (
	Never     = "never"
	OnFailure = "on_failure"
	Always    = "always"
)

// DefaultOptions returns the default of every option.
func DefaultOptions() Options {
	return Options{InheritEnv: true, Restart: Never, RestartPause: time.Second, StopGrace: 5 * time.Second}
}

// Problems reports the mistakes that the options' types cannot express.
func (o *Options) Problems() []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	switch {
	case len(o.Command) == 0 || o.Command[0] == "":
		add("command", "command names no program", `Write the program and its arguments as a list: command = ["PROGRAM", "ARGUMENT"].`)
	case len(o.Command) == 1 && looksLikeShell(o.Command[0]):
		add("command", "the name of the program looks like a line for a shell",
			`No shell looks at it. Write each argument as an element, as in ["sort", "-u"], or run a shell: ["sh", "-c", "..."].`)
	}
	if slices.ContainsFunc(o.Command, func(s string) bool { return strings.ContainsRune(s, 0) }) {
		add("command", "an argument holds a zero byte", "No program can be given one. Remove it.")
	}
	for _, set := range []struct {
		option string
		names  []string
	}{{"env", keys(o.Env)}, {"secret_env", keys(o.SecretEnv)}} {
		for _, name := range set.names {
			if name == "" || strings.ContainsAny(name, "=\x00") {
				add(set.option, fmt.Sprintf("%q is no name of an environment variable", name), "The name must not be empty nor hold an equals sign.")
			}
		}
	}
	for name := range o.Env {
		if _, twice := o.SecretEnv[name]; twice {
			add("secret_env", "the variable "+name+" is set twice", "It stands in env too. Remove one of them.")
		}
	}
	if o.Restart == Never && o.MaxRestarts > 0 {
		add("max_restarts", "max_restarts without restart", `Nothing is started again with restart = "never". Set restart, or remove max_restarts.`)
	}
	return ps
}

// looksLikeShell reports whether a text without further arguments is rather a
// command line than a name. A path may hold spaces.
func looksLikeShell(s string) bool {
	word, rest, more := strings.Cut(s, " ")
	return more && rest != "" && !strings.ContainsAny(word, `/\`) || strings.ContainsAny(s, "|<>;\n")
}

func keys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Find reports, without starting it, that the program is not there.
func (o *Options) Find() error {
	if o.Dir != "" {
		if info, err := os.Stat(o.Dir); err != nil || !info.IsDir() {
			return fmt.Errorf("the folder %s, in which %s is to run, does not exist", o.Dir, o.Command[0])
		}
		if strings.ContainsRune(o.Command[0], os.PathSeparator) {
			return nil // relative to dir
		}
	}
	if _, err := exec.LookPath(o.Command[0]); err != nil {
		return describeStart(o.Command[0], err)
	}
	return nil
}

// describeStart says what to do about a program that cannot be started.
func describeStart(name string, err error) error {
	var cause *exec.Error
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("the program %s is not found in PATH: install it or write its whole path", name)
	case errors.As(err, &cause):
		err = cause.Err
	}
	return fmt.Errorf("starting %s: %w", name, err)
}

// environment is what the child sees.
func (o *Options) environment() []string {
	list := []string{} // not nil, which would mean that of flow
	if o.InheritEnv {
		list = os.Environ()
	}
	for _, name := range keys(o.Env) {
		list = append(list, name+"="+o.Env[name])
	}
	for _, name := range keys(o.SecretEnv) {
		list = append(list, name+"="+o.SecretEnv[name].Reveal())
	}
	return list
}

// Again judges the end of a child: it counts restarts in a row and says how
// the component goes on. It belongs to one goroutine.
type Again struct{ row int }

// Worked says that a record got through, which ends a row of failures.
func (a *Again) Worked() { a.row = 0 }

// Judge returns the error of a child that ended with exit, nil for a success:
// nil where it is to be started again after the pause, a *engine.RetryError
// where the engine is to wait, longer each time, and another error where the
// command is not started any more. ended is what a success means that is not
// followed by a start.
func (a *Again) Judge(o *Options, exit, ended error) error {
	if exit == nil && o.Restart != Always {
		return ended
	}
	if exit != nil && o.Restart == Never {
		return exit
	}
	if a.row++; o.MaxRestarts > 0 && a.row > o.MaxRestarts {
		if exit == nil {
			return fmt.Errorf("%s has ended without a record getting through, and was started again %d times (option max_restarts)", o.Command[0], o.MaxRestarts)
		}
		return fmt.Errorf("%w; it was started again %d times and no record got through (option max_restarts)", exit, o.MaxRestarts)
	}
	if exit == nil {
		return nil
	}
	return &engine.RetryError{Err: exit, After: o.RestartPause}
}
