package file

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A journal is the small file .NAME.flow beside a file NAME that is being
// written. It is made before the first byte is written and removed when the
// file has been closed, so a journal that is found at a start belongs to a
// process that died. It says which file (its inode, so that a file put in its
// place is never cut) and up to which byte it holds whole, possibly confirmed
// records.
//
// It has two slots in two sectors that are written in turn, each with a
// sequence number and a checksum: a slot torn by a power cut leaves the
// other one, which was true when it was written.
type journal struct {
	f    handle
	name string
	seq  uint64
	buf  []byte
}

// state is what a slot holds.
type state struct {
	dev, ino uint64
	// good is the size of the file up to which it holds whole records.
	good int64
	// records and opened (nanoseconds) belong to a file that rotates.
	records int64
	opened  int64
	// layout names format and compression: only a file of the same layout is
	// continued when it rotates.
	layout string
	// life is set when the pipeline delivers exactly once.
	life life
}

// life is one time from the opening of a file to when all in it is stored. Marks
// name it, so that one of another time is not taken for one of this file.
type life struct {
	id uint64 // random; 0: the pipeline delivers at least once
	// owner is the output: marks of another one say nothing of the file.
	owner uint64
	// base is the size when it began, kept the size in the last mark that was
	// stored.
	base, kept int64
	made       bool // the file was not there before
}

const (
	slotBytes    = 512
	slotMagic    = "flow-journal-1"
	exactMagic   = "flow-journal-2" // with a life
	partialMark  = ".partial"
	journalMark  = ".flow"
	journalPerm  = 0o600
	journalFlags = os.O_RDWR | os.O_CREATE
)

// journalName is the journal of a file, partialName what a file that rotates
// is called while it is written. A journal's name gives the file's back.
func journalName(name string) string {
	dir, base := filepath.Split(name)
	return dir + "." + base + journalMark
}

func partialName(path string) string {
	dir, base := filepath.Split(path)
	return dir + "." + base + partialMark
}

// fileOfJournal is the inverse of journalName for names in a folder; pathOf
// the inverse of partialName.
func fileOfJournal(base string) (string, bool) {
	if len(base) <= len(journalMark)+1 || base[0] != '.' || !strings.HasSuffix(base, journalMark) {
		return "", false
	}
	return base[1 : len(base)-len(journalMark)], true
}

func pathOf(partial string) (string, bool) {
	dir, base := filepath.Split(partial)
	if len(base) <= len(partialMark)+1 || base[0] != '.' || !strings.HasSuffix(base, partialMark) {
		return "", false
	}
	return dir + base[1:len(base)-len(partialMark)], true
}

// createJournal makes the journal of a file, with both slots written, so that
// later stores need no room on the disk.
func createJournal(fsys fileSystem, file string, s state) (*journal, error) {
	name := journalName(file)
	f, err := fsys.OpenFile(name, journalFlags|os.O_TRUNC, journalPerm)
	if err != nil {
		return nil, fmt.Errorf("making the journal: %w", err)
	}
	j := &journal{f: f, name: name}
	for range 2 {
		if err := j.store(s); err != nil {
			_ = f.Close()
			_ = fsys.Remove(name)
			return nil, err
		}
	}
	return j, nil
}

// openJournal opens the journal of a process that died, to go on with it. ok
// is false when no slot is valid, which means that the process died before it
// had written anything to the file.
func openJournal(fsys fileSystem, name string) (j *journal, s state, ok bool, err error) {
	f, err := fsys.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, s, false, err
	}
	best := uint64(0)
	buf := make([]byte, slotBytes)
	for slot := range int64(2) {
		n, _ := f.ReadAt(buf, slot*slotBytes) // a short slot fails its checksum
		t, seq, valid := parseSlot(buf[:n])
		if valid && seq > best {
			s, best, ok = t, seq, true
		}
	}
	return &journal{f: f, name: name, seq: best}, s, ok, nil
}

// store writes the next slot.
func (j *journal) store(s state) error {
	j.buf = appendSlot(j.buf[:0], s, j.seq+1)
	if _, err := j.f.WriteAt(j.buf, int64(j.seq&1)*slotBytes); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	j.seq++
	return nil
}

func (j *journal) sync() error {
	if err := j.f.Sync(); err != nil {
		return fmt.Errorf("syncing the journal: %w", err)
	}
	return nil
}

// remove ends the journal: its file is whole and closed.
func (j *journal) remove(fsys fileSystem) error {
	_ = j.f.Close()
	if err := fsys.Remove(j.name); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("removing the journal: %w", err)
	}
	return nil
}

// A slot is text, for people, padded to slotBytes and ended by a newline.
func appendSlot(dst []byte, s state, seq uint64) []byte {
	nums := []uint64{seq, s.dev, s.ino, uint64(s.good), uint64(s.records), uint64(s.opened)}
	magic := slotMagic
	if s.life.id != 0 {
		magic = exactMagic
		made := uint64(0)
		if s.life.made {
			made = 1
		}
		nums = append(nums, s.life.id, s.life.owner, uint64(s.life.base), uint64(s.life.kept), made)
	}
	dst = append(dst, magic...)
	for _, n := range nums {
		dst = append(dst, ' ')
		dst = strconv.AppendUint(dst, n, 10)
	}
	dst = append(dst, ' ')
	dst = append(dst, s.layout...)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, uint64(crc32.ChecksumIEEE(dst)), 16)
	for len(dst) < slotBytes-1 {
		dst = append(dst, ' ')
	}
	return append(dst, '\n')
}

func parseSlot(p []byte) (s state, seq uint64, ok bool) {
	p = bytes.TrimRight(p, " \n")
	cut := bytes.LastIndexByte(p, ' ')
	if cut < 0 {
		return s, 0, false
	}
	sum, err := strconv.ParseUint(string(p[cut+1:]), 16, 32)
	if err != nil || uint32(sum) != crc32.ChecksumIEEE(p[:cut+1]) {
		return s, 0, false
	}
	fields := strings.Fields(string(p[:cut]))
	var nums [11]uint64
	var n int
	switch {
	case len(fields) == 8 && fields[0] == slotMagic:
		n = 6
	case len(fields) == 13 && fields[0] == exactMagic:
		n = 11
	default:
		return s, 0, false
	}
	for i := range n {
		if nums[i], err = strconv.ParseUint(fields[i+1], 10, 64); err != nil {
			return s, 0, false
		}
	}
	s = state{
		dev: nums[1], ino: nums[2], good: int64(nums[3]), records: int64(nums[4]), opened: int64(nums[5]),
		layout: fields[n+1],
		life:   life{id: nums[6], owner: nums[7], base: int64(nums[8]), kept: int64(nums[9]), made: nums[10] == 1},
	}
	return s, nums[0], s.good >= 0 && s.life.base >= 0 && s.life.kept >= 0 && (n == 6) == (s.life.id == 0)
}
