//go:build unix

package stdin

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// pollInterval is how soon a wait notices that its context has ended.
const pollInterval = 100 * time.Millisecond

// polled asks the system for bytes before it reads, so that nothing is ever
// left behind in a read that does not return. It needs no goroutine.
type polled struct{ fd int }

func newSource(f *os.File) source { return &polled{fd: int(f.Fd())} }

func (s *polled) close() {}

func (s *polled) read(ctx context.Context, p []byte, wait time.Duration) (int, error) {
	for {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		step := pollInterval
		if wait >= 0 {
			step = min(step, wait)
			wait -= step
		}
		ready, err := s.poll(step)
		switch {
		case err != nil:
			return 0, err
		case ready:
			return s.readNow(p)
		case wait == 0:
			return 0, errNothing
		}
	}
}

// poll reports whether a read would return at once: there are bytes, the end,
// or an error.
func (s *polled) poll(wait time.Duration) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
	ms := int((wait + time.Millisecond - 1) / time.Millisecond)
	n, err := unix.Poll(fds, ms)
	if err == unix.EINTR || err == unix.EAGAIN {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("waiting for bytes: %w", err)
	}
	return n > 0, nil
}

func (s *polled) readNow(p []byte) (int, error) {
	for {
		n, err := unix.Read(s.fd, p)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, nil // another process was faster
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}
