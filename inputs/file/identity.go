package file

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine"
)

// fingerprintBytes is how much of a file's beginning its fingerprint covers.
const fingerprintBytes = 1 << 10

// identity tells a file from another one that later has its name. Its text is
// the State of a position.
type identity struct {
	// inode is 0 where the system has none.
	inode uint64
	// length is how many bytes the fingerprint covers, fewer than
	// fingerprintBytes only for a file that was shorter.
	length int64
	print  string
	// done is the size at which the file was left for good: a whole file that
	// is one record, or a compressed one that broke. -1: it was not.
	done int64
}

// identify reads the identity of an open file.
func identify(f *os.File, info os.FileInfo) (identity, error) {
	id := identity{inode: inode(info), length: min(info.Size(), fingerprintBytes), done: -1}
	print, n, err := fingerprint(f, id.length)
	id.print, id.length = print, n
	return id, err
}

// fingerprint hashes the first n bytes, or what there is of them.
func fingerprint(f io.ReaderAt, n int64) (string, int64, error) {
	buf := make([]byte, n)
	got, err := f.ReadAt(buf, 0)
	if err != nil && err != io.EOF {
		return "", 0, fmt.Errorf("reading the beginning of the file: %w", err)
	}
	sum := sha256.Sum256(buf[:got])
	return hex.EncodeToString(sum[:8]), int64(got), nil
}

// matches reports whether the open file is the one that id describes. The
// device is left out, since its number may change when a machine restarts.
func (id identity) matches(f *os.File, info os.FileInfo) (bool, error) {
	if id.inode != inode(info) || info.Size() < id.length {
		return false, nil
	}
	print, n, err := fingerprint(f, id.length)
	return n == id.length && print == id.print, err
}

func (id identity) String() string {
	s := strconv.FormatUint(id.inode, 10) + ":" + strconv.FormatInt(id.length, 10) + ":" + id.print
	if id.done >= 0 {
		s += ":" + strconv.FormatInt(id.done, 10)
	}
	return s
}

// parseIdentity reads the State of a stored position.
func parseIdentity(p engine.Position) (identity, error) {
	parts := strings.Split(p.State, ":")
	id := identity{done: -1}
	var err error
	if len(parts) == 3 || len(parts) == 4 {
		if id.inode, err = strconv.ParseUint(parts[0], 10, 64); err == nil {
			id.length, err = strconv.ParseInt(parts[1], 10, 64)
		}
		id.print = parts[2]
		if len(parts) == 4 && err == nil {
			id.done, err = strconv.ParseInt(parts[3], 10, 64)
		}
		if err == nil && p.Offset >= 0 && id.length >= 0 && id.length <= fingerprintBytes {
			return id, nil
		}
	}
	return identity{}, fmt.Errorf("the stored position %d, %q is none of a file", p.Offset, p.State)
}
