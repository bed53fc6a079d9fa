package httpclient

import (
	"bufio"
	"bytes"
	"io"
)

// lineReader reads lines of bounded length. What is over the limit is read and
// thrown away, so that the next line is found.
type lineReader struct {
	r   *bufio.Reader
	max int
	// anyEnd: a carriage return alone ends a line, too, as in server-sent
	// events.
	anyEnd bool
	// idle is called when nothing more is at hand, before waiting for it.
	idle func() error
	buf  []byte
	cr   bool // the last line ended with a carriage return
}

// next returns a line without its end, valid until the next call, and whether
// it is whole. With io.EOF comes what had no end.
func (l *lineReader) next() (line []byte, whole bool, err error) {
	l.buf, whole = l.buf[:0], true
	if cap(l.buf) > 4*chunkBytes {
		l.buf = nil // the memory of a giant record is not kept
	}
	for {
		if l.r.Buffered() == 0 && l.idle != nil {
			if err := l.idle(); err != nil {
				return nil, false, err
			}
		}
		if _, err := l.r.Peek(1); err != nil {
			return l.buf, whole, err
		}
		part, _ := l.r.Peek(l.r.Buffered()) // is there
		if l.cr && part[0] == '\n' {
			// The other half of the end of the line before.
			l.cr = false
			l.skip(1)
			continue
		}
		l.cr = false
		n, end := l.find(part)
		keep := min(n, l.max-len(l.buf))
		whole = whole && keep == n
		l.buf = append(l.buf, part[:keep]...)
		if !end {
			l.skip(n)
			continue
		}
		l.cr = part[n] == '\r'
		l.skip(n + 1)
		return l.buf, whole, nil
	}
}

// find returns how many bytes belong to the line, and whether its end follows.
func (l *lineReader) find(p []byte) (int, bool) {
	n := bytes.IndexByte(p, '\n')
	end := n >= 0
	if !end {
		n = len(p)
	}
	if l.anyEnd {
		if cr := bytes.IndexByte(p[:n], '\r'); cr >= 0 {
			return cr, true
		}
	}
	return n, end
}

func (l *lineReader) skip(n int) {
	if _, err := l.r.Discard(n); err != nil {
		panic(io.ErrUnexpectedEOF) // they were peeked at
	}
}
