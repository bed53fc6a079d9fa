package cli

import (
	"bufio"
	"fmt"
	"io"
)

// flusher buffers results until the next read may block, so that a pipe that
// is watched live shows each result, and a big file is not written line by
// line. It remembers the first error.
type flusher struct {
	w   *bufio.Writer
	err error
}

func newFlusher(w io.Writer) *flusher { return &flusher{w: bufio.NewWriterSize(w, 64<<10)} }

func (f *flusher) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err != nil && f.err == nil {
		f.err = err
	}
	return n, err
}

func (f *flusher) flush() {
	if err := f.w.Flush(); err != nil && f.err == nil {
		f.err = err
	}
}

// printed has print write to standard output, and says if that failed.
func (a *app) printed(print func(w io.Writer)) error {
	out := newFlusher(a.Stdout)
	print(out)
	if out.flush(); out.err != nil {
		return &exitError{ExitFailed, fmt.Errorf("writing to standard output: %w", out.err)}
	}
	return nil
}

// flushedFirst writes messages behind the results before them.
type flushedFirst struct {
	results *flusher
	w       io.Writer
}

func (f *flushedFirst) Write(p []byte) (int, error) {
	f.results.flush()
	return f.w.Write(p)
}
