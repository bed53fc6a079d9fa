//go:build unix

package command

import (
	"errors"
	"os"
	"syscall"
)

// signalGroup asks the child's group to end, or kills it. It reports whether
// the system can do that.
func signalGroup(pid int, kill bool) bool {
	sig := syscall.SIGTERM
	if kill {
		sig = syscall.SIGKILL
	}
	_ = syscall.Kill(-pid, sig) // ESRCH: it has ended meanwhile
	return true
}

// groupAlive reports whether processes of the group are left. The number of a
// group is not given to another one while it has members.
func groupAlive(pid int) bool {
	err := syscall.Kill(-pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

func signalOf(s *os.ProcessState) string {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return w.Signal().String()
	}
	return ""
}
