//go:build unix

package stdout

import (
	"io"
	"os"
	"syscall"
)

// openStdout returns a duplicate of the standard output. A write to a broken
// pipe on descriptor 1 itself would make the Go runtime end the process with
// SIGPIPE; on any other it is an error.
func openStdout() (io.WriteCloser, error) {
	fd, err := syscall.Dup(int(os.Stdout.Fd()))
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "stdout"), nil
}
