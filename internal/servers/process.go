package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// process is a server's process. Its output goes to a file.
type process struct {
	cmd *exec.Cmd
	// done is closed when the process has ended, after err is set.
	done chan struct{}
	err  error
}

// startProcess starts a command in dir, its output appended to the file log.
// The watchdog kills it if this process ends first.
func startProcess(dog *watchdog, dir, log, name string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = out, out
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	dog.watch(cmd.Process.Pid)
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
		dog.forget(cmd.Process.Pid)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// running says whether the process has not ended yet.
func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill ends the process at once, also a paused one, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stop asks the process to end and waits for it.
func (p *process) stop(ctx context.Context) error {
	if err := terminate(p.cmd.Process); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// watchdog is a shell in a session of its own that outlives this process,
// however it ends: a panic, a time-out of go test, SIGKILL. It then kills the
// servers that are left and removes their folders. The kernel's own means
// (PR_SET_PDEATHSIG) is Linux only, fires when a thread ends and leaves the
// folders.
type watchdog struct {
	// dir holds the data of all servers of this process.
	dir string

	mu   sync.Mutex // guards writes to pipe: one line each
	pipe *os.File
}

const watchdogScript = `
pids=" "
while read -r what pid; do
	case $what in
	watch) pids="$pids$pid " ;;
	forget) pids="${pids%% $pid *} ${pids#* $pid }" ;;
	esac
done
for pid in $pids; do kill -9 "$pid"; done
rm -rf "$1" || { sleep 1; rm -rf "$1"; }
`

// theWatchdog is one for the process, since it ends with the process.
var theWatchdog = sync.OnceValues(startWatchdog)

func startWatchdog() (*watchdog, error) {
	dir, err := os.MkdirTemp("", "flow-servers-")
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd := exec.Command("/bin/sh", "-c", watchdogScript, "flow-servers-watchdog", dir)
	cmd.Stdin = r
	ownSession(cmd)
	if err := cmd.Start(); err != nil {
		w.Close()
		return nil, fmt.Errorf("starting the watchdog of servers: %w", err)
	}
	return &watchdog{dir: dir, pipe: w}, nil
}

func (d *watchdog) watch(pid int)  { d.tell("watch", pid) }
func (d *watchdog) forget(pid int) { d.tell("forget", pid) }

func (d *watchdog) tell(what string, pid int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.pipe, "%s %d\n", what, pid)
}

// poll calls ready until it returns nil, as often as it makes sense while a
// server starts. It returns ready's last error when the context ends.
func poll(ctx context.Context, ready func(context.Context) error) error {
	wait := time.NewTicker(25 * time.Millisecond)
	defer wait.Stop()
	var last error
	for {
		if err := ready(ctx); err == nil {
			return nil
		} else if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), last)
		case <-wait.C:
		}
	}
}
