package run

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

// PanicError is a panic of a component or of the engine: a bug. It stops the
// pipeline; what was not confirmed is read again next time.
type PanicError struct {
	// Element is the address of the element that was at work.
	Element string
	Value   any
	Stack   []byte
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("%s: panic: %v\n%s", e.Element, e.Value, e.Stack)
}

// tasks owns all goroutines of a pipeline. No other place has a go statement.
type tasks struct {
	// fail is called with the error of a goroutine, or its panic.
	fail func(error)

	// mu guards all below.
	mu      sync.Mutex
	running map[string]int
	count   int
	idle    []chan struct{} // closed when count reaches 0
}

func newTasks(fail func(error)) *tasks {
	return &tasks{fail: fail, running: make(map[string]int)}
}

// start runs f. at names the element that works right now, for a panic.
func (t *tasks) start(name string, at func() string, f func() error) {
	t.mu.Lock()
	t.running[name]++
	t.count++
	t.mu.Unlock()
	go func() {
		defer t.end(name)
		if err := guard(at, f); err != nil {
			t.fail(err)
		}
	}()
}

// guard turns a panic of f into an error.
func guard(at func() string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Element: at(), Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

func (t *tasks) end(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running[name]--; t.running[name] == 0 {
		delete(t.running, name)
	}
	if t.count--; t.count == 0 {
		for _, c := range t.idle {
			close(c)
		}
		t.idle = nil
	}
}

// done returns a channel that is closed once no goroutine is left.
func (t *tasks) done() <-chan struct{} {
	c := make(chan struct{})
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count == 0 {
		close(c)
	} else {
		t.idle = append(t.idle, c)
	}
	return c
}

// wait waits for all goroutines, but not longer than d, and names those that
// are left.
func (t *tasks) wait(d time.Duration) []string {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-t.done():
		return nil
	case <-timer.C:
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	names := make([]string, 0, len(t.running))
	for n := range t.running {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func list(names []string) string { return strings.Join(names, ", ") }
