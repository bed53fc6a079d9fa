package file

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/flowrecords/flow/connections/ocf"
	"github.com/flowrecords/flow/outputs/internal/frame"
)

// repair brings a file back to its last whole record with the journal of a
// process that died, and takes the journal over. It reports whether there was
// one.
func (t *target) repair() (bool, error) {
	name := journalName(t.name)
	j, s, ok, err := openJournal(t.o.fs, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("reading the journal: %w", err)
	}
	if !ok || s.dev != t.dev || s.ino != t.ino {
		// No valid slot: the process died before its first write. Another
		// inode: the file is not the one that the journal speaks of.
		return false, j.remove(t.o.fs)
	}
	t.j = j
	if err := t.published(&s); err != nil {
		return true, err
	}
	s.good = t.resume(s)
	if err := t.cut(s); err != nil {
		return false, err
	}
	if t.life.id == 0 || t.size < s.good { // marks before this are of other bytes
		t.begin(false)
	}
	t.records, t.opened = s.records, time.Unix(0, s.opened)
	if err := t.note(); err != nil {
		return true, err
	}
	if t.partial() && s.layout != t.layout() {
		t.good = t.size
		return true, errOtherLayout
	}
	return true, nil
}

// cut removes what a dead process left behind its last whole record.
func (t *target) cut(s state) error {
	to := s.good
	switch {
	case t.size == s.good:
		return nil
	case t.size < s.good:
		// A power cut took what the system had not written yet, or somebody
		// truncated the file. What is left may end within a record.
		t.o.logger.Warn("the file is shorter than it was when its writer died",
			"path", t.path, "size", t.size, "expected", s.good)
		whole, err := t.wholeEnd(s.layout)
		if err != nil {
			return err
		}
		to = whole
	default:
		t.o.logger.Info("removing an unconfirmed tail that a dead process left",
			"path", t.path, "bytes", t.size-s.good)
	}
	if to == t.size {
		return nil
	}
	if err := t.h.Truncate(to); err != nil {
		return fmt.Errorf("cutting a torn tail off: %w", err)
	}
	t.size = to
	return nil
}

// wholeEnd finds the end of the last whole record of a file that was cut
// short: the last newline, or the end of the last member.
func (t *target) wholeEnd(layout string) (int64, error) {
	format, kind, _ := strings.Cut(layout, "/")
	switch {
	case kind == gz:
		return lastMember(t.h, t.size)
	case kind == zst:
		return lastFrame(t.h, t.size)
	case kind == blocks:
		return ocf.LastBlock(io.NewSectionReader(t.h, 0, t.size)), nil
	case format == frame.Raw:
		return t.size, nil // nothing tells where a record ends
	}
	const block = 64 << 10
	buf := make([]byte, block)
	for end := t.size; end > 0; {
		from := max(0, end-block)
		n, err := t.h.ReadAt(buf[:end-from], from)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("looking for the last whole record: %w", err)
		}
		if at := bytes.LastIndexByte(buf[:n], '\n'); at >= 0 {
			return from + int64(at) + 1, nil
		}
		end = from
	}
	return 0, nil
}

// lastMember finds where the last complete gzip member ends.
func lastMember(r io.ReaderAt, size int64) (int64, error) {
	c := &counter{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 256<<10)}
	next := nextGzip(c)
	for end := int64(0); ; end = c.n {
		if err := next(); err != nil {
			return end, nil //nolint:nilerr // what cannot be read is the torn member
		}
	}
}

// counter counts the bytes that a decompressor has taken. As an io.ByteReader
// it is not read ahead of.
type counter struct {
	r *bufio.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *counter) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

func nextGzip(c *counter) func() error {
	var z *gzip.Reader
	return func() error {
		var err error
		if z == nil {
			z, err = gzip.NewReader(c)
		} else {
			err = z.Reset(c)
		}
		if err != nil {
			return err
		}
		z.Multistream(false)
		_, err = io.Copy(io.Discard, z)
		return err
	}
}

// lastFrame walks the blocks of zstd frames by their headers and decodes the
// last whole frame, whose checksum tells whether it is what was written.
func lastFrame(r io.ReaderAt, size int64) (int64, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return 0, fmt.Errorf("preparing zstd: %w", err)
	}
	defer dec.Close()
	for at := int64(0); ; {
		end, ok := frameEnd(r, at, size)
		if !ok {
			return at, nil
		}
		if err := dec.Reset(io.NewSectionReader(r, at, end-at)); err != nil {
			return at, nil //nolint:nilerr // a torn frame
		}
		if _, err := io.Copy(io.Discard, dec); err != nil {
			return at, nil //nolint:nilerr // a torn frame
		}
		at = end
	}
}

// frameEnd finds the end of the zstd frame at an offset.
func frameEnd(r io.ReaderAt, at, size int64) (int64, bool) {
	var buf [zstd.HeaderMaxSize]byte
	n, _ := r.ReadAt(buf[:], at)
	var h zstd.Header
	if err := h.Decode(buf[:n]); err != nil {
		return 0, false
	}
	if h.Skippable {
		end := at + int64(h.HeaderSize) + int64(h.SkippableSize)
		return end, end <= size
	}
	for at += int64(h.HeaderSize); ; {
		if n, _ := r.ReadAt(buf[:3], at); n < 3 {
			return 0, false
		}
		block := uint32(buf[0]) | uint32(buf[1])<<8 | uint32(buf[2])<<16
		length := int64(block >> 3)
		if block>>1&3 == 1 {
			length = 1 // a run of one byte
		}
		at += 3 + length
		if block&1 != 0 {
			break
		}
	}
	if h.HasCheckSum {
		at += 4
	}
	return at, at <= size
}

// resumeFramer tells the framer where it stands, with the header that the
// file begins with.
func (t *target) resumeFramer() error {
	if t.special || t.size == 0 {
		t.framer.Restart()
		return nil
	}
	if t.kind == blocks {
		h, err := ocf.ReadHeader(bufio.NewReader(io.NewSectionReader(t.h, 0, t.size)))
		if err == nil {
			err = t.framer.Continue(h)
		}
		if err != nil {
			return fmt.Errorf("continuing %s: %w", t.path, err)
		}
		return nil
	}
	if !t.framer.NeedsHeader() {
		return t.framer.Resume(nil)
	}
	var r io.Reader = io.NewSectionReader(t.h, 0, t.size)
	switch t.kind {
	case gz:
		z, err := gzip.NewReader(r)
		if err != nil {
			return fmt.Errorf("reading the header of %s: %w", t.path, err)
		}
		r = z
	case zst:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return fmt.Errorf("reading the header of %s: %w", t.path, err)
		}
		defer z.Close()
		r = z
	}
	line, err := bufio.NewReader(io.LimitReader(r, 1<<20)).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("reading the header of %s: %w", t.path, err)
	}
	if err := t.framer.Resume(line); err != nil {
		return fmt.Errorf("continuing %s: %w", t.path, err)
	}
	return nil
}

// recoverBelow repairs every file that a dead process left at a path of the
// template, and gives those that rotate their final names: with a path per
// record, nobody may come back to them. Files of living processes are left
// alone, and folders in which no path of the template lies are not looked at.
func (o *output) recoverBelow(dir, prefix string) error {
	// The separator makes a folder of a link that leads to one.
	root := dir + string(filepath.Separator)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		if name == root {
			return nil
		}
		first := filepath.Dir(name) == filepath.Clean(dir)
		if d.IsDir() {
			if first && !strings.HasPrefix(d.Name(), prefix) {
				return fs.SkipDir
			}
			return nil
		}
		base, ok := fileOfJournal(d.Name())
		if !ok || !d.Type().IsRegular() {
			return nil
		}
		file := filepath.Join(filepath.Dir(name), base)
		path, partial := pathOf(file)
		if !partial {
			path = file
		}
		if first && !strings.HasPrefix(filepath.Base(path), prefix) {
			return nil
		}
		return o.recoverFile(file)
	})
	if err != nil {
		return fmt.Errorf("repairing files below %s: %w", dir, err)
	}
	return nil
}

// recoverFile repairs one file by its journal.
func (o *output) recoverFile(name string) error {
	if foreign, err := o.foreign(name); err != nil || foreign {
		return err
	}
	h, err := o.fs.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		// It got its final name, or somebody removed it.
		if err := o.fs.Remove(journalName(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing a stale journal: %w", err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	fi, err := o.own(h, name, false)
	if err != nil {
		_ = h.Close()
		_, marked := o.marked(name)
		if errors.Is(err, errLocked) && !marked || errors.Is(err, errMoved) {
			return nil
		}
		return err
	}
	path, partial := pathOf(name)
	if !partial {
		path = name
	}
	t := o.newTarget(path, name, h, fi)
	defer t.letGo()
	if resumed, err := t.repair(); err != nil && !errors.Is(err, errOtherLayout) && !errors.Is(err, errPublished) || !resumed {
		return err
	}
	t.good, t.stored = t.size, t.size
	if t.size == 0 && t.life.made && !partial {
		return t.unmake()
	}
	return t.finish()
}
