package file

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// maxRanges is what one call takes (IOV_MAX).
const maxRanges = 1024

// WriteVAt implements handle with one call of the system for many ranges.
func (f osFile) WriteVAt(list [][]byte, off int64) (int, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	total := 0
	for len(list) > 0 {
		var n int
		var failure error
		err := conn.Write(func(fd uintptr) bool {
			n, failure = unix.Pwritev(int(fd), list[:min(len(list), maxRanges)], off+int64(total))
			return true
		})
		switch {
		case err != nil:
			return total, err
		case errors.Is(failure, unix.EINTR):
			continue
		case failure != nil:
			return total, failure
		case n <= 0:
			return total, io.ErrShortWrite
		}
		total += n
		list = skip(list, n)
	}
	return total, nil
}

// skip takes n bytes off the beginning of list, which it may change.
func skip(list [][]byte, n int) [][]byte {
	for len(list) > 0 && n >= len(list[0]) {
		n -= len(list[0])
		list = list[1:]
	}
	if n > 0 {
		list[0] = list[0][n:]
	}
	return list
}
