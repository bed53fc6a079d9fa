//go:build unix && !linux

package command

import "syscall"

// attributes put the child into a group of its own, so that a Ctrl-C in the
// terminal reaches flow alone.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
