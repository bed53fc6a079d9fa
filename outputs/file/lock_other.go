//go:build !unix

package file

import (
	"io/fs"
	"os"
)

// Without advisory locks two processes on one file are not noticed.
func lock(*os.File) error { return nil }

func unlock(*os.File) {}

func identity(fs.FileInfo) (dev, ino uint64) { return 0, 0 }

func unlinked(fs.FileInfo) bool { return false }

func isFull(error) bool { return false }

func isTransient(error) bool { return false }

func isBadName(error) bool { return false }
