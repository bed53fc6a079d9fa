package http

import (
	"fmt"
	"io"
	"strings"

	"github.com/flowrecords/flow/engine/record"
)

type headerList = []record.Header

// pipe is a body that is sent piece by piece.
type pipe struct{ w *io.PipeWriter }

func newPipe() (io.ReadCloser, pipe) {
	r, w := io.Pipe()
	return r, pipe{w}
}

func (p pipe) write(s string) {
	go func() { _, _ = io.WriteString(p.w, s) }() // the request may be cut
}

func (p pipe) end() { _ = p.w.Close() }

func show(h headerList) string {
	parts := make([]string, len(h))
	for i, x := range h {
		parts[i] = fmt.Sprintf("{%s %s}", x.Key, x.Value)
	}
	return "[" + strings.Join(parts, " ") + "]"
}
