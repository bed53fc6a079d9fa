package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/flowrecords/flow/engine"
)

// Process is a child that was started. Any goroutine may call its methods.
type Process struct {
	// Stdin and Stdout are flow's ends of the pipes; Stdin is nil for a child
	// that reads nothing. Who starts the child closes them.
	Stdin, Stdout *os.File

	name   string
	grace  time.Duration
	cmd    *exec.Cmd
	stderr *logged
	stdout *logged // of LogOutput
	exited chan struct{}
	over   chan struct{} // the group is gone, standard error is read

	mu      sync.Mutex // guards all below
	stopped error      // why flow ended the child
}

// ExitError is the end of a child that is no success.
type ExitError struct {
	// Name of the program.
	Name string
	// Status is the exit status; -1 for a child that a signal ended.
	Status int
	// Signal is the name of that signal.
	Signal string
	// Stderr is the last line of its standard error.
	Stderr string
	// Stopped says why flow itself ended it; nil: it did not.
	Stopped error
}

func (e *ExitError) Error() string {
	s := fmt.Sprintf("%s ended with status %d", e.Name, e.Status)
	if e.Signal != "" {
		s = fmt.Sprintf("%s was ended by a signal (%s)", e.Name, e.Signal)
	}
	if e.Stopped != nil {
		s = fmt.Sprintf("%s was stopped: %v", e.Name, e.Stopped)
	}
	if e.Stderr != "" {
		s += ": " + e.Stderr
	}
	return s
}

// Unwrap returns why flow ended the child.
func (e *ExitError) Unwrap() error { return e.Stopped }

// Start starts the command. A child without stdin reads from the null device.
// An error that may go away by itself is a *engine.RetryError.
func Start(o *Options, env engine.Env, stdin bool) (*Process, error) {
	name := o.Command[0]
	p := &Process{name: name, grace: o.StopGrace, exited: make(chan struct{}), over: make(chan struct{})}
	p.cmd = exec.Command(name, o.Command[1:]...)
	p.cmd.Dir, p.cmd.Env, p.cmd.SysProcAttr = o.Dir, o.environment(), attributes()

	var theirs []*os.File // the child's ends
	fail := func(err error) (*Process, error) {
		closeAll(append(theirs, p.Stdin, p.Stdout))
		return nil, describeStart(name, err)
	}
	var err error
	if stdin {
		var r *os.File
		if r, p.Stdin, err = os.Pipe(); err != nil {
			return fail(err)
		}
		theirs = append(theirs, r)
		p.cmd.Stdin = r
	}
	out, w, err := os.Pipe()
	if err != nil {
		return fail(err)
	}
	p.Stdout, theirs, p.cmd.Stdout = out, append(theirs, w), w
	errs, w, err := os.Pipe()
	if err != nil {
		return fail(err)
	}
	theirs, p.cmd.Stderr = append(theirs, w), w

	started := make(chan error)
	go p.live(started)
	err = <-started
	closeAll(theirs)
	if err != nil {
		closeAll([]*os.File{p.Stdin, p.Stdout, errs})
		err = describeStart(name, err)
		if busy(err) {
			return nil, engine.Retry(err)
		}
		return nil, err
	}
	p.stderr, p.stdout = newLogged(env, o.SecretEnv, "stderr"), newLogged(env, o.SecretEnv, "stdout")
	go p.follow(errs)
	return p, nil
}

// closeAll closes ends of pipes, on which nothing is left to lose.
func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

// busy reports whether the system may be able to start the program later.
func busy(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ETXTBSY)
}

// live starts the child and waits for its end. It keeps its thread for as long
// as the child lives: where the system ends a child with its parent, the
// parent is the thread that started it.
func (p *Process) live(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	_ = p.cmd.Wait() // the state says all of it: the pipes are not Wait's
	close(p.exited)
}

// leftoverGrace is how long what a child has left behind in its group may take
// to end.
const leftoverGrace = 300 * time.Millisecond

// follow reads standard error, and after the child's end ends what is left of
// its group.
func (p *Process) follow(errs *os.File) {
	defer close(p.over)
	read := make(chan struct{})
	go func() {
		defer close(read)
		p.stderr.copy(errs)
	}()
	<-p.exited
	if groupAlive(p.cmd.Process.Pid) {
		signalGroup(p.cmd.Process.Pid, false)
		if !waitGone(p.cmd.Process.Pid, leftoverGrace) {
			signalGroup(p.cmd.Process.Pid, true)
		}
	}
	t := time.NewTimer(leftoverGrace)
	defer t.Stop()
	select {
	case <-read:
	case <-t.C: // a process that has left the group holds the pipe
	}
	_ = errs.Close() // ends the read
	<-read
	p.stderr.end()
}

// waitGone waits until no process of the group is left.
func waitGone(pid int, most time.Duration) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(most)
	for {
		select {
		case <-tick.C:
			if !groupAlive(pid) {
				return true
			}
		case <-deadline:
			return false
		}
	}
}

// LogOutput reads Stdout to its end and writes its lines to the log, within
// bounds.
func (p *Process) LogOutput() {
	p.stdout.copy(p.Stdout)
	p.stdout.end()
}

// Exited is closed when the child has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Pid of the child.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Result waits for the child's end and for what it wrote to its standard
// error, and returns an *ExitError or nil.
func (p *Process) Result() error {
	<-p.over
	state := p.cmd.ProcessState
	p.mu.Lock()
	stopped := p.stopped
	p.mu.Unlock()
	if state.Success() {
		return nil
	}
	return &ExitError{Name: p.name, Status: state.ExitCode(), Signal: signalOf(state), Stderr: p.stderr.lastLine(), Stopped: stopped}
}

// Stop ends the child and its group: it is asked to end, and killed when the
// grace or ctx is over. It returns when nothing is left of it.
func (p *Process) Stop(ctx context.Context, why error) {
	p.mu.Lock()
	if p.stopped == nil {
		p.stopped = why
	}
	p.mu.Unlock()
	select {
	case <-p.exited:
		<-p.over
		return
	default:
	}
	grace := p.grace
	if at, ok := ctx.Deadline(); ok {
		grace = min(grace, time.Until(at)-closeReserve)
	}
	if grace > 0 && signalGroup(p.Pid(), false) {
		t := time.NewTimer(grace)
		defer t.Stop()
		select {
		case <-p.exited:
		case <-ctx.Done():
		case <-t.C:
		}
	}
	select {
	case <-p.exited:
	default:
		signalGroup(p.Pid(), true)
	}
	<-p.over
}

// closeReserve is what Stop leaves of its context's time for killing.
const closeReserve = time.Second
