package checkpoint

import (
	"io/fs"
	"os"
)

// writable goes by the attributes: only writing would tell the rest.
func writable(dir string) error {
	if dir == "" {
		dir = "."
	}
	info, err := os.Stat(dir)
	if err == nil && info.Mode().Perm()&0o200 == 0 {
		err = fs.ErrPermission
	}
	return err
}
