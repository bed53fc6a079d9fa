//go:build !unix

package stdin

import (
	"context"
	"io"
	"os"
	"time"
)

// pumped reads in a goroutine of its own, since a read cannot be interrupted
// here. A goroutine that is inside a read when the input is closed ends with
// that read, at the latest with the process.
type pumped struct {
	blocks chan []byte // closed at the end
	stop   chan struct{}
	err    error // why blocks was closed; written before
	rest   []byte
}

const blockSize = 64 << 10

func newSource(f *os.File) source {
	s := &pumped{blocks: make(chan []byte, 2), stop: make(chan struct{})}
	go s.pump(f)
	return s
}

func (s *pumped) pump(f *os.File) {
	defer close(s.blocks)
	for {
		buf := make([]byte, blockSize)
		n, err := f.Read(buf)
		if n > 0 {
			select {
			case s.blocks <- buf[:n]:
			case <-s.stop:
				s.err = io.EOF
				return
			}
		}
		if err != nil {
			s.err = err
			return
		}
	}
}

func (s *pumped) close() { close(s.stop) }

func (s *pumped) read(ctx context.Context, p []byte, wait time.Duration) (int, error) {
	if len(s.rest) == 0 {
		var over <-chan time.Time
		if wait >= 0 {
			t := time.NewTimer(wait)
			defer t.Stop()
			over = t.C
		}
		var ok bool
		select {
		case s.rest, ok = <-s.blocks:
			if !ok {
				return 0, s.err
			}
		case <-over:
			return 0, errNothing
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
