package file

import (
	"bytes"
	"path/filepath"
	"testing"
)

// FuzzSlot: a slot that was changed in any way is not taken for a valid one,
// and names lead back to where they came from.
func FuzzSlot(f *testing.F) {
	valid := appendSlot(nil, state{dev: 1, ino: 2, good: 3, records: 4, opened: 5, layout: "lines/none"}, 6)
	f.Add(valid)
	f.Add([]byte("flow-journal-1 1 2 3 4 5 6 lines/none 0"))
	f.Add([]byte(" "))
	f.Fuzz(func(t *testing.T, p []byte) {
		s, seq, ok := parseSlot(p)
		if !ok {
			return
		}
		again := appendSlot(nil, s, seq)
		if !bytes.Equal(bytes.TrimRight(again, " \n"), bytes.TrimRight(p, " \n")) {
			t.Errorf("%q was taken for %q", p, again)
		}
	})
}

// TestTornSlot tears the newer slot at every byte: the older one counts.
func TestTornSlot(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "a")
	for torn := range slotBytes - 1 {
		j, err := createJournal(osFS{}, name, state{good: 1, layout: "lines/none"})
		if err != nil {
			t.Fatal(err)
		}
		if err := j.store(state{good: 22, layout: "lines/none"}); err != nil {
			t.Fatal(err)
		}
		slot := int64((j.seq - 1) & 1)
		if _, err := j.f.WriteAt(bytes.Repeat([]byte{0}, slotBytes-torn), slot*slotBytes+int64(torn)); err != nil {
			t.Fatal(err)
		}
		_ = j.f.Close()
		again, s, ok, err := openJournal(osFS{}, journalName(name))
		if err != nil || !ok || s.good != 1 {
			t.Fatalf("torn at %d: %+v, %v, %v", torn, s, ok, err)
		}
		if err := again.remove(osFS{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"a", "out/a.jsonl", ".hidden", "x/.partial", "x/.a.partial", "a.flow", "..a"} {
		if back, ok := pathOf(partialName(path)); !ok || back != path {
			t.Errorf("%s is written as %s, which leads to %q", path, partialName(path), back)
		}
		dir, base := filepath.Split(journalName(path))
		if back, ok := fileOfJournal(base); !ok || dir+back != path {
			t.Errorf("%s has the journal %s, which leads to %q", path, journalName(path), back)
		}
	}
}
