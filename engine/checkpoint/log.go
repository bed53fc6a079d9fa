package checkpoint

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
)

// Keeper is a Store that also keeps what processors remember.
type Keeper interface {
	// Log returns the log of an element. It may be used between Load and
	// Close, by the goroutine that calls Save.
	Log(element string) Log
}

// Log keeps the entries that an engine.State has written, in order.
type Log interface {
	// Replay hands over the stored entries. It is called once, before all
	// else. What a crash has torn ends the log at the entry before.
	Replay(ctx context.Context, entry func([]byte) error) error
	// Append stores a further entry durably. After an error nothing is
	// certain but what was there before, and only Rewrite may follow.
	Append(ctx context.Context, entry []byte) error
	// Rewrite replaces all entries by one that stands for them.
	Rewrite(ctx context.Context, entry []byte) error
	// Damage returns what Replay had to leave out because it was torn or
	// corrupt, nil if all was well.
	Damage() error
	// Long reports that rewriting costs little beside what was appended since
	// the last Rewrite, or that Append must not be called.
	Long() bool
}

// maxEntryBytes bounds what is believed of a length in a file.
const maxEntryBytes = 1 << 30

// dirLog keeps a log in files beside those of the positions:
//
//	NAME.ELEMENT.N.state      the newest N counts; at most two exist
//	NAME.ELEMENT.N.state.new  is being written; never read
//
// A file is frames: length and CRC-32C (Castagnoli) of the entry, four bytes
// each, little endian, and the entry. The first frame is a header in JSON,
// the second the entry of a Rewrite. Files are made whole before they get
// their name, as those of positions are.
type dirLog struct {
	store   *dirStore
	element string
	name    string // of pipeline and element, as part of file names
	number  uint64 // of the newest file; 0: none
	current file   // open for appending; nil: Rewrite comes first
	size    int64
	first   int64 // size of the file when it was made
	damage  error
}

const stateSuffix = ".state"

// Log implements Keeper.
func (s *dirStore) Log(element string) Log {
	l := &dirLog{store: s, element: element, name: s.name + "." + fileName(element)}
	s.logs = append(s.logs, l)
	return l
}

func (l *dirLog) fileOf(n uint64) string {
	return l.name + "." + strconv.FormatUint(n, 10) + stateSuffix
}

func (l *dirLog) numbers() ([]uint64, error) { return numbered(l.store.files, l.name, stateSuffix) }

// numbered lists the numbers of the files NAME.N.SUFFIX, the newest first.
func numbered(fs files, name, suffix string) ([]uint64, error) {
	names, err := fs.list()
	if err != nil {
		return nil, err
	}
	var list []uint64
	for _, file := range names {
		middle, ok := strings.CutPrefix(file, name+".")
		if !ok {
			continue
		}
		if middle, ok = strings.CutSuffix(middle, suffix); !ok {
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

type logHeader struct {
	Version  int    `json:"flow_state"`
	Pipeline string `json:"pipeline"`
	Element  string `json:"element"`
}

// Replay implements Log. A file without a whole second frame does not count,
// and the one before serves.
func (l *dirLog) Replay(_ context.Context, entry func([]byte) error) error {
	list, err := l.numbers()
	if err != nil {
		return fmt.Errorf("listing what %s remembers: %w", l.element, err)
	}
	for i, n := range list {
		l.number = max(l.number, n)
		data, err := l.store.files.read(l.fileOf(n))
		if err != nil {
			return fmt.Errorf("reading what %s remembers: %w", l.element, err)
		}
		entries, whole, err := l.parse(data)
		if err != nil {
			return fmt.Errorf("%s: %w", l.store.path(l.fileOf(n)), err)
		}
		if !whole || len(entries) == 0 {
			l.damage = errors.Join(l.damage, fmt.Errorf("%s is cut or corrupt behind %d entries", l.store.path(l.fileOf(n)), len(entries)))
		}
		if len(entries) == 0 {
			continue
		}
		for _, e := range entries {
			if err := entry(e); err != nil {
				return fmt.Errorf("%s: what %s remembers cannot be used: %w", l.store.path(l.fileOf(n)), l.element, err)
			}
		}
		if whole && i == 0 {
			l.open(n, int64(len(data)), int64(len(entries[0])))
		}
		return nil
	}
	if len(list) > 0 {
		return fmt.Errorf("no file of what %s remembers can be read; to start without, remove %s", l.element, l.store.path(l.name+".*"+stateSuffix))
	}
	return nil
}

// Damage implements Log.
func (l *dirLog) Damage() error { return l.damage }

// parse returns the entries behind the header; whole: nothing is torn. An
// error means that the file is another's.
func (l *dirLog) parse(data []byte) (entries [][]byte, whole bool, err error) {
	head, rest, ok := frame(data)
	if !ok {
		return nil, false, nil
	}
	var h logHeader
	if err := json.Unmarshal(head, &h); err != nil || h.Version != version {
		return nil, false, errors.New("is not written by this version of flow")
	}
	if h.Pipeline != l.store.pipeline || h.Element != l.element {
		return nil, false, fmt.Errorf("belongs to %s of pipeline %s", h.Element, h.Pipeline)
	}
	for len(rest) > 0 {
		var e []byte
		if e, rest, ok = frame(rest); !ok {
			return entries, false, nil
		}
		entries = append(entries, e)
	}
	return entries, true, nil
}

// frame cuts the first frame off; false if it is torn.
func frame(data []byte) (entry, rest []byte, ok bool) {
	if len(data) < 8 {
		return nil, nil, false
	}
	n, sum := binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:])
	if n > maxEntryBytes || int64(n) > int64(len(data)-8) {
		return nil, nil, false
	}
	entry = data[8 : 8+n]
	return entry, data[8+n:], crc32.Checksum(entry, castagnoli) == sum
}

func appendFrame(dst, entry []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(entry)))
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(entry, castagnoli))
	return append(dst, entry...)
}

func (l *dirLog) open(n uint64, size, first int64) {
	f, err := l.store.files.append(l.fileOf(n))
	if err != nil {
		return // Rewrite makes a new one
	}
	l.current, l.size, l.first = f, size, first
}

// Long implements Log.
func (l *dirLog) Long() bool {
	return l.current == nil || l.size > max(rewriteBytes, rewriteFactor*l.first)
}

// Append implements Log.
func (l *dirLog) Append(ctx context.Context, entry []byte) error {
	if err := l.usable(ctx, entry); err != nil {
		return err
	}
	if l.current != nil && !l.store.files.is(l.fileOf(l.number), l.current) {
		l.leave()
	}
	if l.current == nil {
		return errors.New("there is no file to add to")
	}
	text := appendFrame(nil, entry)
	_, err := l.current.Write(text)
	if err == nil {
		err = l.current.Sync()
	}
	if err != nil {
		l.leave()
		return fmt.Errorf("adding to %s: %w", l.fileOf(l.number), err)
	}
	l.size += int64(len(text))
	return nil
}

func (l *dirLog) usable(ctx context.Context, entry []byte) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case len(entry) > maxEntryBytes:
		return fmt.Errorf("%s remembers more than %d bytes", l.element, maxEntryBytes)
	case l.store.lock != nil && !l.store.lock.held():
		return errGone
	}
	return nil
}

// Rewrite implements Log.
func (l *dirLog) Rewrite(ctx context.Context, entry []byte) error {
	if err := l.usable(ctx, entry); err != nil {
		return err
	}
	l.leave()
	head, err := json.Marshal(logHeader{Version: version, Pipeline: l.store.pipeline, Element: l.element})
	if err != nil {
		return err
	}
	text := appendFrame(appendFrame(nil, head), entry)
	name := l.fileOf(l.number + 1)
	f, err := writeWhole(l.store.files, name, text)
	if err != nil {
		// The name may be taken already: never write to that file again.
		if list, lerr := l.numbers(); lerr == nil && len(list) > 0 {
			l.number = max(l.number, list[0])
		}
		return fmt.Errorf("writing %s: %w", name, err)
	}
	l.number++
	l.current, l.size, l.first = f, int64(len(text)), int64(len(text))
	if list, err := l.numbers(); err == nil {
		for i, n := range list {
			if i >= keptFiles {
				_ = l.store.files.remove(l.fileOf(n))
			}
		}
	}
	return nil
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

func (l *dirLog) leave() {
	if l.current != nil {
		_ = l.current.Close() // what counts was synced
		l.current = nil
	}
}
