//go:build unix

package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
)

// parentEnv makes the test binary a flow that starts a child and is killed.
const parentEnv = "FLOW_COMMAND_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentEnv) != "" {
		parent()
		return
	}
	goleak.VerifyTestMain(m)
}

func shell(script string) Options {
	o := DefaultOptions()
	o.Command = []string{"sh", "-c", script}
	return o
}

// log is a logger's target.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t *testing.T, o Options, l io.Writer) *Process {
	t.Helper()
	if l == nil {
		l = io.Discard
	}
	p, err := Start(&o, engine.Env{Now: time.Now, Logger: slog.New(slog.NewTextHandler(l, nil))}, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Stop(context.Background(), nil)
		closeAll([]*os.File{p.Stdin, p.Stdout})
	})
	return p
}

// line reads one line of the child's output.
func line(t *testing.T, r io.Reader) string {
	t.Helper()
	var out []byte
	for b := make([]byte, 1); ; {
		if _, err := io.ReadFull(r, b); err != nil {
			t.Fatalf("after %q: %v", out, err)
		}
		if b[0] == '\n' {
			return string(out)
		}
		out = append(out, b[0])
	}
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestResult(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, script, want string }{
		{"success", "exit 0", ""},
		{"status", "echo first >&2; echo 'the last word' >&2; exit 3", "sh ended with status 3: the last word"},
		{"no newline", "printf 'the last word' >&2; exit 3", "sh ended with status 3: the last word"},
		{"signal", "kill -9 $$", "sh was ended by a signal (killed)"},
		{"control characters", `printf '\033[31mred\033[0m\r\n' >&2; exit 1`, "sh ended with status 1: [31mred[0m"},
		{"long line", "head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1", "sh ended with status 1: " + strings.Repeat("x", 240) + "..."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := start(t, shell(tt.script), nil).Result()
			if got := fmt.Sprint(err); err == nil && tt.want != "" || err != nil && got != tt.want {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	o := shell("echo $A,$B,$HOME,$PWD")
	o.Dir = t.TempDir()
	o.InheritEnv, o.Env, o.SecretEnv = false, map[string]string{"A": "x"}, map[string]engine.Secret{"B": engine.NewSecret("hidden")}
	if got, want := line(t, start(t, o, nil).Stdout), "x,hidden,,"+o.Dir; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSecretsInStderr: what a program says of a secret is shown nowhere.
func TestSecretsInStderr(t *testing.T) {
	t.Parallel()
	o := shell("echo token is $TOKEN >&2; exit 1")
	o.SecretEnv = map[string]engine.Secret{"TOKEN": engine.NewSecret("s3cret")}
	l := &log{}
	err := start(t, o, l).Result()
	if err == nil || !strings.Contains(err.Error(), "token is (secret)") || !strings.Contains(l.String(), "token is (secret)") {
		t.Errorf("got %v and the log %s", err, l)
	}
	if strings.Contains(l.String()+err.Error(), "s3cret") {
		t.Error("the secret is shown")
	}
}

// TestFloodedStderr: a child that floods its standard error is read to the
// end, and the log stays small.
func TestFloodedStderr(t *testing.T) {
	t.Parallel()
	l := &log{}
	p := start(t, shell("i=0; while [ $i -lt 20000 ]; do echo flood $i; i=$((i+1)); done >&2; exit 4"), l)
	err := p.Result()
	if err == nil || !strings.Contains(err.Error(), "flood 19999") {
		t.Fatalf("the child was not read to its end: %v", err)
	}
	shown := strings.Count(l.String(), "flood ")
	if shown < lineBurst || shown > lineBurst+100*lineRate {
		t.Errorf("%d lines in the log", shown)
	}
	var left int
	for part := range strings.SplitSeq(l.String(), "lines=") {
		n, _ := strconv.Atoi(strings.Fields(part + " ")[0])
		left += n
	}
	if shown+left != 20000 {
		t.Errorf("%d lines in the log and %d said to be left out", shown, left)
	}
}

// TestIgnoresTerm: a child that ignores SIGTERM is killed after the grace.
func TestIgnoresTerm(t *testing.T) {
	t.Parallel()
	o := shell("trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done")
	o.StopGrace = 200 * time.Millisecond
	p := start(t, o, nil)
	line(t, p.Stdout)
	p.Stop(t.Context(), nil)
	if got := line(t, p.Stdout); got != "asked" {
		t.Errorf("the child was not asked to end first: %q", got)
	}
	var exit *ExitError
	if err := p.Result(); !errors.As(err, &exit) || exit.Signal != "killed" {
		t.Errorf("got %v, want a child that was killed", err)
	}
}

// TestHeedsTerm: a child that ends when it is asked to is not killed.
func TestHeedsTerm(t *testing.T) {
	t.Parallel()
	o := shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
	o.StopGrace = time.Minute
	p := start(t, o, nil)
	line(t, p.Stdout)
	p.Stop(t.Context(), nil)
	if got := line(t, p.Stdout); got != "bye" {
		t.Errorf("got %q", got)
	}
	if err := p.Result(); err != nil {
		t.Error(err)
	}
}

// TestStopEndsDescendants: neither a grandchild nor one that ignores SIGTERM
// outlives the stop.
func TestStopEndsDescendants(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"heeds", "ignores"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trap := ""
			if name == "ignores" {
				trap = "trap '' TERM;"
			}
			o := shell(trap + "sleep 600 & echo $!; wait")
			o.StopGrace = 100 * time.Millisecond
			p := start(t, o, nil)
			pid, err := strconv.Atoi(line(t, p.Stdout))
			if err != nil || !alive(pid) {
				t.Fatalf("there is no grandchild %d: %v", pid, err)
			}
			p.Stop(t.Context(), nil)
			gone(t, pid)
		})
	}
}

// gone waits for the end of a process that has been killed and that somebody
// else reaps.
func gone(t *testing.T, pid int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for alive(pid) && !zombie(pid) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("process %d is still there", pid)
		}
	}
}

// zombie reports whether a process has ended and waits for its parent.
func zombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(text), ") Z ")
}

// TestLeftovers: what a child leaves behind in its group ends with it, so that
// the pipe ends too.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	p := start(t, shell("sleep 600 & echo $!"), nil)
	pid, err := strconv.Atoi(line(t, p.Stdout))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Result(); err != nil {
		t.Error(err)
	}
	if rest, err := io.ReadAll(p.Stdout); len(rest) > 0 || err != nil {
		t.Errorf("the pipe ends with %q, %v", rest, err)
	}
	gone(t, pid)
}

func TestCannotStart(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/plain"
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, command, dir, want string }{
		{"not there", "no-such-program", "", "the program no-such-program is not found in PATH: install it or write its whole path"},
		{"not executable", file, "", "starting " + file + ": permission denied"},
		{"no folder", "sh", "/no/such/folder", "the folder /no/such/folder, in which sh is to run, does not exist"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := DefaultOptions()
			o.Command, o.Dir = []string{tt.command}, tt.dir
			if err := o.Find(); err == nil || err.Error() != tt.want {
				t.Errorf("Find: got %v, want %s", err, tt.want)
			}
			if _, err := Start(&o, engine.Env{}, false); err == nil {
				t.Error("it was started")
			}
		})
	}
}

// parent starts a child that never ends and waits to be killed.
func parent() {
	o := shell("echo $$; while :; do sleep 0.05; done")
	p, err := Start(&o, engine.Env{}, false)
	if err != nil {
		panic(err)
	}
	_, _ = io.Copy(os.Stdout, p.Stdout)
}

// TestParentKilled: the kernel ends the child of a flow that was killed.
func TestParentKilled(t *testing.T) {
	t.Parallel()
	if !killedWithParent() {
		t.Skip("this system does not do that")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), parentEnv+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(line(t, out))
	if err != nil || !alive(pid) {
		t.Fatalf("there is no child %d: %v", pid, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	gone(t, pid)
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		edit func(*Options)
		want string
	}{
		{"fine", func(*Options) {}, ""},
		{"nothing", func(o *Options) { o.Command = nil }, "command: command names no program"},
		{"empty", func(o *Options) { o.Command = []string{""} }, "command: command names no program"},
		{"line", func(o *Options) { o.Command = []string{"sort -u"} }, "command: the name of the program looks like a line for a shell"},
		{"pipe", func(o *Options) { o.Command = []string{"a|b"} }, "command: the name of the program looks like a line for a shell"},
		{"path with a space", func(o *Options) { o.Command = []string{"/opt/my tool/run"} }, ""},
		{"arguments with spaces", func(o *Options) { o.Command = []string{"sh", "-c", "a | b"} }, ""},
		{"zero byte", func(o *Options) { o.Command = []string{"a", "b\x00"} }, "command: an argument holds a zero byte"},
		{"bad variable", func(o *Options) { o.Env = map[string]string{"A=B": "c"} }, `env: "A=B" is no name of an environment variable`},
		{"variable twice", func(o *Options) {
			o.Env, o.SecretEnv = map[string]string{"A": "b"}, map[string]engine.Secret{"A": {}}
		}, "secret_env: the variable A is set twice"},
		{"restarts", func(o *Options) { o.MaxRestarts = 1 }, "max_restarts: max_restarts without restart"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := shell("")
			tt.edit(&o)
			var got []string
			for _, p := range o.Problems() {
				got = append(got, p.Option+": "+p.Summary)
				if p.Detail == "" {
					t.Errorf("no remedy for %s", p.Summary)
				}
			}
			if s := strings.Join(got, "\n"); s != tt.want {
				t.Errorf("got %s, want %s", s, tt.want)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	failed, ended := errors.New("failed"), errors.New("ended")
	for _, tt := range []struct {
		restart string
		exit    error
		want    string // again, pause, or the error
	}{
		{Never, nil, "ended"}, {Never, failed, "failed"},
		{OnFailure, nil, "ended"}, {OnFailure, failed, "pause"},
		{Always, nil, "again"}, {Always, failed, "pause"},
	} {
		t.Run(fmt.Sprint(tt.restart, " ", tt.exit), func(t *testing.T) {
			t.Parallel()
			o := shell("")
			o.Restart, o.MaxRestarts = tt.restart, 2
			var a Again
			say := func() string {
				err := a.Judge(&o, tt.exit, ended)
				var retry *engine.RetryError
				switch {
				case err == nil:
					return "again"
				case errors.As(err, &retry):
					return "pause"
				}
				return err.Error()
			}
			for i := range 4 {
				if i == 2 {
					a.Worked() // what went before no longer counts
				}
				if got := say(); got != tt.want {
					t.Fatalf("end %d: got %s, want %s", i, got, tt.want)
				}
			}
			if got := say(); (tt.want == "again" || tt.want == "pause") != strings.Contains(got, "max_restarts") {
				t.Errorf("after the limit: %s", got)
			}
		})
	}
}
