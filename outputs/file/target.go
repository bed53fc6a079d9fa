package file

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/flowrecords/flow/outputs/internal/frame"
)

// memberBytes is how many bytes of records a compressed member holds before
// it is ended: enough for a good ratio, little enough to keep in memory.
const memberBytes = 1 << 20

// target is one file that is open. It is guarded by output.mu.
//
// Of its bytes, [0, good) are whole records that the journal vouches for,
// [good, size) are written but not confirmed, and what is buffered, ranges and
// behind them buf[sealed:], is not written yet.
//
// Writing a group at once, instead of each batch when it comes, makes the
// kernel's part a quarter cheaper: of long writes it makes large pages.
type target struct {
	o    *output
	path string // as configured or rendered; the map's key
	name string // what it is called now: path, or the partial name
	h    handle
	j    *journal
	kind string
	comp compressor

	framer *frame.Framer
	buf    []byte
	out    []byte // compressed scratch
	// ranges lie in batches of the group, whose memory is ours until they are
	// told, or in buf before sealed. Only without compression.
	ranges [][]byte
	ranged int64 // bytes in ranges
	sealed int

	dev, ino   uint64
	good, size int64
	stored     int64 // what the journal says
	synced     int64 // good, when the disk was known to have all; -1: never
	records    int64 // up to good
	fresh      int64 // behind good
	opened     time.Time

	life    life  // in a pipeline that delivers exactly once
	pending int64 // good in the last mark; -1: not in it

	columns columns // of a Parquet file that is being completed

	special bool   // a device or pipe: written to, and nothing else
	dirty   bool   // in output.dirty
	torn    bool   // a write failed: behind size may be a part of it
	broken  bool   // a roll-back did not work; nothing is written before it does
	checked uint64 // group for which check was made, plus one
}

// partial reports that the file gets its final name when it is complete.
func (t *target) partial() bool { return t.name != t.path }

var errOtherLayout = errors.New("a file of another format or compression was left half written")

// start makes a locked file ready for its next record.
func (t *target) start(made bool) error {
	var err error
	if t.framer, err = frame.New(t.o.cfg.frame()); err != nil {
		return err
	}
	if t.kind == blocks {
		t.comp = t.framer.Container()
	} else if t.comp, err = newCompressor(t.kind, t.o.cfg.Level); err != nil {
		return err
	}
	if t.special {
		if t.partial() {
			return errors.New("only a regular file can rotate")
		}
		if t.o.exact != nil {
			return errors.New("exactly_once needs a regular file: nothing else can be cut back to what is stored")
		}
		t.size = 0
		return nil
	}
	resumed, err := t.repair()
	if err != nil {
		return err
	}
	t.good = t.size
	if !resumed {
		t.synced = t.size // what somebody else wrote is not ours to sync
		if err := t.adopt(); err != nil {
			return err
		}
		t.begin(made)
		if t.j, err = createJournal(t.o.fs, t.name, t.state()); err != nil {
			return err
		}
	}
	if t.o.durable() {
		if err := t.syncJournal(); err != nil {
			return err
		}
		if err := t.o.syncFolder(filepath.Dir(t.name)); err != nil {
			return err
		}
	}
	t.stored = t.good
	return t.resumeFramer()
}

// adopt takes over content that is there and that no journal vouches for.
func (t *target) adopt() error {
	if t.size == 0 {
		return nil
	}
	if t.partial() {
		return fmt.Errorf("%s holds %d bytes, but its journal %s is missing: look at it, then rename or remove it",
			t.name, t.size, journalName(t.name))
	}
	if !t.o.cfg.Append {
		return errors.New("the file has content already, and append is false")
	}
	return t.terminate()
}

// terminate makes sure that what follows content of somebody else begins on a
// line of its own, and that it is compressed in the same way.
func (t *target) terminate() error {
	var head [4]byte
	n, _ := t.h.ReadAt(head[:], 0)
	if is := kindOfContent(head[:n]); is != t.kind {
		return fmt.Errorf("the file holds data with compression %s, and %s is to be added", is, t.kind)
	}
	if t.kind != plain || t.o.cfg.Format == frame.Raw {
		return nil
	}
	var last [1]byte
	if _, err := t.h.ReadAt(last[:], t.size-1); err != nil {
		return fmt.Errorf("reading the last byte: %w", err)
	}
	if last[0] == '\n' {
		return nil
	}
	t.o.logger.Warn("the file does not end with a newline; one is added", "path", t.path)
	if _, err := t.h.WriteAt([]byte{'\n'}, t.size); err != nil {
		return fmt.Errorf("ending the last line: %w", err)
	}
	t.size++
	t.good = t.size
	return nil
}

func (t *target) state() state {
	return state{
		dev: t.dev, ino: t.ino, good: t.size, records: t.records + t.fresh,
		opened: t.opened.UnixNano(), layout: t.layout(), life: t.life,
	}
}

func (t *target) layout() string {
	if t.columns != spooled {
		return layoutColumns
	}
	return t.o.cfg.Format + "/" + t.kind
}

// check looks, once a group, whether somebody else has changed the file.
func (t *target) check(group uint64) error {
	if t.special || t.checked == group+1 {
		return nil
	}
	fi, err := t.h.Stat()
	if err != nil {
		return fmt.Errorf("looking at %s: %w", t.path, err)
	}
	if fi.Size() == t.size && !unlinked(fi) {
		t.checked = group + 1
		return nil
	}
	if unlinked(fi) {
		return errGone
	}
	// Somebody truncated the file (log rotation by copy) or added to it. Its
	// new content is taken as it is; what was written and not confirmed has
	// to be written again.
	t.o.logger.Warn("the file was changed by somebody else", "path", t.path, "size", fi.Size(), "expected", t.size)
	lost := t.size != t.good || t.buffered() > 0
	t.size, t.good, t.synced = fi.Size(), fi.Size(), -1
	if t.size > 0 {
		if err := t.terminate(); err != nil {
			return fmt.Errorf("continuing %s: %w", t.path, err)
		}
	}
	t.begin(false) // marks before this are of other bytes
	if err := t.note(); err != nil {
		return err
	}
	if err := t.resumeFramer(); err != nil {
		return err
	}
	if lost {
		return errChanged
	}
	t.checked = group + 1
	return nil
}

var (
	errGone    = errors.New("the file was removed while it was being written")
	errChanged = errors.New("the file was changed by somebody else while it was being written")
)

// empty reports that the next record is the first of the file.
func (t *target) empty() bool { return t.size == 0 && t.buffered() == 0 }

// buffered is how many bytes of records are not written yet.
func (t *target) buffered() int64 { return t.ranged + int64(len(t.buf)-t.sealed) }

// refer takes over bytes of a batch of the group without copying them.
func (t *target) refer(p []byte) {
	t.seal()
	t.ranges = append(t.ranges, p)
	t.ranged += int64(len(p))
}

// seal makes what was appended to buf a range, behind which others can come.
func (t *target) seal() {
	if p := t.buf[t.sealed:]; len(p) > 0 {
		t.ranges = append(t.ranges, p)
		t.ranged += int64(len(p))
		t.sealed = len(t.buf)
	}
}

// discard forgets what is buffered.
func (t *target) discard() {
	// A giant record's buffer is not kept, and with many files no large one.
	if int64(cap(t.buf))*int64(max(t.o.used.Len(), 1)) > 4*memberBytes {
		t.buf = nil
	}
	t.buf, t.sealed, t.ranged = t.buf[:0], 0, 0
	clear(t.ranges)
	t.ranges = t.ranges[:0]
}

// flush writes what is buffered, as one member if it is compressed.
func (t *target) flush() error {
	if t.buffered() == 0 {
		return nil
	}
	// Whatever somebody did to the file since the group began is still seen
	// before anything is written to the wrong place.
	t.checked = 0
	if err := t.check(t.o.group.id); err != nil {
		return err
	}
	if t.comp != nil {
		var err error
		if t.out, err = t.comp.Append(t.out[:0], t.buf); err != nil {
			return fmt.Errorf("compressing: %w", err)
		}
		t.ranges = append(t.ranges, t.out)
	} else {
		t.seal()
	}
	if err := t.write(t.ranges); err != nil {
		return err
	}
	t.discard()
	return nil
}

func (t *target) write(list [][]byte) error {
	if t.special {
		return t.send(list)
	}
	n, err := t.h.WriteVAt(list, t.size)
	t.size += int64(n)
	t.torn = err != nil // n may be short of what the file has got
	if err != nil {
		return fmt.Errorf("writing %s: %w", t.path, err)
	}
	return nil
}

// send writes to a device or pipe, which gives back nothing that it has taken.
func (t *target) send(list [][]byte) error {
	before := t.size
	for _, p := range list {
		n, err := t.h.Write(p)
		t.size += int64(n)
		switch {
		case err != nil && t.size > before:
			return hard(fmt.Errorf("writing %s: %w", t.path, err))
		case err != nil:
			return fmt.Errorf("writing %s: %w", t.path, err)
		}
	}
	return nil
}

// note writes the size into the journal.
func (t *target) note() error {
	if t.special {
		return nil
	}
	if err := t.j.store(t.state()); err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	t.stored = t.size
	return nil
}

// settle makes what was written good; the journal says so already.
func (t *target) settle() {
	t.good = t.size
	t.records += t.fresh
	t.fresh, t.dirty = 0, false
}

// rollBack cuts off what is not good, so that it can be written again and
// nobody sees half a record.
func (t *target) rollBack() {
	t.discard()
	t.fresh, t.dirty, t.broken = 0, false, false
	if t.special {
		t.good = t.size
		return
	}
	if t.size != t.good || t.torn {
		if err := t.h.Truncate(t.good); err != nil {
			t.broken = true
			return
		}
		t.size, t.torn = t.good, false
	}
	if t.stored != t.good {
		t.broken = t.note() != nil
	}
}

// mend repeats a roll-back that did not work.
func (t *target) mend() error {
	if !t.broken {
		return nil
	}
	if t.rollBack(); t.broken {
		return fmt.Errorf("cutting %s back to its last whole record: it is not possible yet", t.path)
	}
	return nil
}

// finish closes a file whose records are all good. One that rotates gets its
// final name. After an error the file is still open.
func (t *target) finish() error {
	if t.special {
		t.letGo()
		return nil
	}
	if err := t.mend(); err != nil {
		return err
	}
	if t.partial() && t.size == 0 {
		if err := t.o.fs.Remove(t.name); err != nil {
			return fmt.Errorf("removing the empty %s: %w", t.name, err)
		}
		return t.end()
	}
	if t.o.cfg.Fsync != fsyncNever && t.synced != t.good {
		if err := t.syncData(); err != nil {
			return hard(err) // as Sync explains
		}
		t.synced = t.good
	}
	if t.partial() {
		if err := t.complete(); err != nil {
			return err
		}
		return t.end()
	}
	dir := filepath.Dir(t.name)
	if err := t.end(); err != nil || t.o.cfg.Fsync == fsyncNever {
		return err
	}
	// A journal that came back after a power cut could have an old mark, and
	// the file would be cut there.
	return t.o.syncFolder(dir)
}

// end removes the journal while the lock is still held: afterwards it could be
// another process's.
func (t *target) end() error {
	err := t.j.remove(t.o.fs)
	t.j = nil
	t.letGo()
	return err
}

// letGo closes the handle, leaving the journal for the next start.
func (t *target) letGo() {
	if t.comp != nil {
		t.comp.Close()
		t.comp = nil
	}
	if t.j != nil {
		_ = t.j.f.Close()
		t.j = nil
	}
	if t.h != nil {
		_ = t.h.Close()
		t.h = nil
	}
}
