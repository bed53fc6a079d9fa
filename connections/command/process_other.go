//go:build !unix

package command

import (
	"os"
	"syscall"
)

func attributes() *syscall.SysProcAttr { return nil }

// signalGroup kills the child: there is no way to ask it, and no group.
func signalGroup(pid int, kill bool) bool {
	if !kill {
		return false
	}
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill() // it may have ended meanwhile
	}
	return true
}

func groupAlive(int) bool { return false }

func signalOf(*os.ProcessState) string { return "" }
