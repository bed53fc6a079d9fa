package command

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// pump reads a pipe in a goroutine of its own, since not every system can
// interrupt a read. At most two blocks are ahead of the input; then the
// program waits.
type pump struct {
	file   *os.File
	exited <-chan struct{} // of the program
	blocks chan []byte     // closed at the end
	spare  chan []byte
	stop   chan struct{}
	ended  chan struct{}
	err    error // why blocks was closed; nil at the regular end; written before
	block  []byte
	rest   []byte // of block
}

const blockSize = 64 << 10

// errNothing is what read returns when nothing came within its wait.
var errNothing = errors.New("nothing to read at the moment")

// outsiderGrace is how long nothing may come through the pipe of a program that
// has ended: a process that has left its group may hold the pipe for ever.
const outsiderGrace = time.Second

func newPump(f *os.File, exited <-chan struct{}) *pump {
	p := &pump{file: f, exited: exited, blocks: make(chan []byte), spare: make(chan []byte, 2), stop: make(chan struct{}), ended: make(chan struct{})}
	p.spare <- make([]byte, blockSize)
	p.spare <- make([]byte, blockSize)
	go p.run()
	return p
}

// watch bounds the reads once the program has ended, where the system can.
func (p *pump) watch() {
	select {
	case <-p.exited:
		_ = p.file.SetReadDeadline(time.Now().Add(outsiderGrace))
	case <-p.ended:
	}
}

func (p *pump) run() {
	defer close(p.ended)
	defer close(p.blocks)
	go p.watch()
	late := false // nothing came up to the last deadline
	for {
		var buf []byte
		select {
		case buf = <-p.spare:
		case <-p.stop:
			return
		}
		n, err := p.file.Read(buf[:blockSize])
		if n > 0 {
			select {
			case p.blocks <- buf[:n]:
			case <-p.stop:
				return
			}
		} else {
			p.spare <- buf
		}
		switch {
		case err == nil:
			late = false
		case errors.Is(err, os.ErrDeadlineExceeded) && !late:
			// The deadline may have passed while the input was not ready to take
			// what is there.
			late = true
			_ = p.file.SetReadDeadline(time.Now().Add(outsiderGrace))
		case errors.Is(err, io.EOF), errors.Is(err, os.ErrDeadlineExceeded):
			return
		default:
			p.err = err
			return
		}
	}
}

// read copies what has come. It waits for it at most that long and returns
// errNothing then; a negative wait has no end. At the end of the pipe it
// returns io.EOF.
func (p *pump) read(ctx context.Context, to []byte, wait time.Duration) (int, error) {
	if len(p.rest) == 0 {
		if err := p.next(ctx, wait); err != nil {
			return 0, err
		}
	}
	n := copy(to, p.rest)
	if p.rest = p.rest[n:]; len(p.rest) == 0 {
		p.spare <- p.block
		p.block = nil
	}
	return n, nil
}

func (p *pump) next(ctx context.Context, wait time.Duration) error {
	var over <-chan time.Time
	if wait == 0 {
		select {
		case b, ok := <-p.blocks:
			return p.take(b, ok)
		default:
			return errNothing
		}
	}
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		over = t.C
	}
	select {
	case b, ok := <-p.blocks:
		return p.take(b, ok)
	case <-over:
		return errNothing
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (p *pump) take(b []byte, ok bool) error {
	if !ok {
		if p.err != nil {
			return p.err
		}
		return io.EOF
	}
	p.block, p.rest = b, b
	return nil
}

// close ends reading; all writers of the pipe should be gone.
func (p *pump) close() {
	close(p.stop)
	_ = p.file.Close() // only read from
	<-p.ended
}
