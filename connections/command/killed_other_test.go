//go:build unix && !linux

package command

func killedWithParent() bool { return false }
