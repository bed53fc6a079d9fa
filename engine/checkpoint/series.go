package checkpoint

import (
	"slices"
	"strconv"
	"strings"
)

// series is files of a folder of which each replaces the one before:
//
//	NAME.N.SUFFIX      the newest N counts; at most two exist
//	NAME.N.SUFFIX.new  is being written; never read
//
// A file is made whole before it gets its name (write, sync, rename, sync the
// folder); then it is added to and synced. After an error its end is unknown, so
// it is left alone and the next replace makes a new one.
type series struct {
	files   files
	name    string // of what it belongs to, as part of file names
	suffix  string
	number  uint64 // of the newest file; 0: none
	current file   // open for adding; nil: replace comes first
	size    int64
	first   int64 // size of the file when it was made
}

func (s *series) fileOf(n uint64) string {
	return s.name + "." + strconv.FormatUint(n, 10) + s.suffix
}

// numbers lists the files, the newest first.
func (s *series) numbers() ([]uint64, error) {
	names, err := s.files.list()
	if err != nil {
		return nil, err
	}
	var list []uint64
	for _, name := range names {
		middle, ok := strings.CutPrefix(name, s.name+".")
		if !ok {
			continue
		}
		if middle, ok = strings.CutSuffix(middle, s.suffix); !ok {
			continue
		}
		if n, err := strconv.ParseUint(middle, 10, 64); err == nil && n > 0 {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	slices.Reverse(list)
	return list, nil
}

// open goes on with a file that is in order. If that fails, replace makes a new
// one.
func (s *series) open(n uint64, size, first int64) {
	f, err := s.files.append(s.fileOf(n))
	if err != nil {
		return
	}
	s.current, s.size, s.first = f, size, first
}

// there reports whether something can be added. A file whose name stands for
// another one is left: what is added to it is read by nobody.
func (s *series) there() bool {
	if s.current != nil && !s.files.is(s.fileOf(s.number), s.current) {
		s.leave()
	}
	return s.current != nil
}

// long reports that a new file costs little beside what was added to this one.
func (s *series) long() bool { return s.size > max(rewriteBytes, rewriteFactor*s.first) }

// add appends durably.
func (s *series) add(text []byte) error {
	_, err := s.current.Write(text)
	if err == nil {
		err = s.current.Sync()
	}
	if err != nil {
		s.leave()
		return err
	}
	s.size += int64(len(text))
	return nil
}

// replace makes the next file.
func (s *series) replace(text []byte) error {
	s.leave()
	name := s.fileOf(s.number + 1)
	f, err := writeWhole(s.files, name, text)
	if err != nil {
		// The name may be taken already: never write to that file again.
		if list, lerr := s.numbers(); lerr == nil && len(list) > 0 {
			s.number = max(s.number, list[0])
		}
		return err
	}
	s.number++
	s.current, s.size, s.first = f, int64(len(text)), int64(len(text))
	s.clean()
	return nil
}

// clean removes old files. Failing is harmless: the next time removes them.
func (s *series) clean() {
	list, err := s.numbers()
	if err != nil {
		return
	}
	for i, n := range list {
		if i >= keptFiles {
			_ = s.files.remove(s.fileOf(n))
		}
	}
}

// leave stops writing to the current file.
func (s *series) leave() {
	if s.current != nil {
		_ = s.current.Close() // what counts was synced, the rest must not count
		s.current = nil
	}
}

// writeWhole makes a file of which no part is ever seen under its name.
func writeWhole(fs files, name string, text []byte) (file, error) {
	f, err := fs.create(name + ".new")
	if err != nil {
		return nil, err
	}
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err == nil {
		if err = fs.rename(name+".new", name); err == nil {
			err = fs.syncDir()
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
