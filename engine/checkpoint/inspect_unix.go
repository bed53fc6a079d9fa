//go:build unix

package checkpoint

import "golang.org/x/sys/unix"

// writable asks the system whether this process may make files in a folder.
func writable(dir string) error {
	if dir == "" {
		dir = "."
	}
	return unix.Access(dir, unix.W_OK|unix.X_OK)
}
