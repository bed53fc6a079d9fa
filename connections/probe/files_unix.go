//go:build linux || darwin

package probe

import "golang.org/x/sys/unix"

// writable asks the system whether this process may make files in a folder.
func writable(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }

// Writable reports whether this process may write to a file that exists.
func Writable(path string) error { return unix.Access(path, unix.W_OK) }

// freeBytes is what a user without privileges can still write.
func freeBytes(dir string) (uint64, bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return st.Bavail * uint64(st.Bsize), true
}
