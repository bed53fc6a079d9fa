package checkpoint

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
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

// dirLog keeps a log in a series NAME.ELEMENT.N.state beside that of the
// positions.
//
// A file is frames: length and CRC-32C (Castagnoli) of the entry, four bytes
// each, little endian, and the entry. The first frame is a header in JSON,
// the second the entry of a Rewrite.
type dirLog struct {
	series
	store   *dirStore
	element string
	damage  error
}

const stateSuffix = ".state"

// Log implements Keeper.
func (s *dirStore) Log(element string) Log {
	l := &dirLog{series: series{files: s.files, name: s.name + "." + fileName(element), suffix: stateSuffix}, store: s, element: element}
	s.logs = append(s.logs, l)
	return l
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
		data, err := l.files.read(l.fileOf(n))
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

// Long implements Log.
func (l *dirLog) Long() bool {
	return l.current == nil || l.long()
}

// Append implements Log.
func (l *dirLog) Append(ctx context.Context, entry []byte) error {
	if err := l.usable(ctx, entry); err != nil {
		return err
	}
	if !l.there() {
		return errors.New("there is no file to add to")
	}
	if err := l.add(appendFrame(nil, entry)); err != nil {
		return fmt.Errorf("adding to %s: %w", l.fileOf(l.number), err)
	}
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
	head, err := json.Marshal(logHeader{Version: version, Pipeline: l.store.pipeline, Element: l.element})
	if err != nil {
		return err
	}
	name := l.fileOf(l.number + 1)
	if err := l.replace(appendFrame(appendFrame(nil, head), entry)); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}
