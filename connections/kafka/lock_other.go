//go:build !unix

package kafka

import "os"

// lockFile opens the file without a lock: the systems that have none of the
// flock kind rely on the listening port of the broker.
func lockFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
}
