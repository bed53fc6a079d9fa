package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine"
)

func at(pairs ...any) map[string]engine.Position {
	m := make(map[string]engine.Position)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = engine.Position{Offset: int64(pairs[i+1].(int))}
	}
	return m
}

func save(t *testing.T, s Store, m map[string]engine.Position) {
	t.Helper()
	if err := s.Save(t.Context(), m); err != nil {
		t.Fatalf("Save: %v", err)
	}
}

func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for round := range 3 {
		s, err := OpenDir(dir, "or/ders.ü")
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]engine.Position{}
		if round > 0 {
			want = at("a", 1, "b", 2*round+10)
			want["c"] = engine.Position{Offset: 9, Epoch: 4, State: "x\ny\"\x00"}
		}
		if !maps.Equal(got, want) {
			t.Fatalf("round %d: got %v, want %v", round, got, want)
		}
		save(t, s, at("a", 1, "b", 1))
		c := at("b", 2*(round+1)+10)
		c["c"] = engine.Position{Offset: 9, Epoch: 4, State: "x\ny\"\x00"}
		save(t, s, c)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFilesAreBounded(t *testing.T) {
	t.Parallel()
	fs := newMemFiles()
	s, _ := mustLoad(t, fs)
	state := strings.Repeat("s", 50_000)
	for i := range 500 {
		save(t, s, map[string]engine.Position{"k": {Offset: int64(i), State: state}})
	}
	if len(fs.data) > keptFiles {
		t.Errorf("%d files", len(fs.data))
	}
	for name, data := range fs.data {
		if len(*data) > rewriteBytes+2*len(state) {
			t.Errorf("%s has %d bytes", name, len(*data))
		}
	}
	if s.number < 10 {
		t.Errorf("only %d files were made: nothing was rewritten", s.number)
	}
	if _, got := mustLoad(t, fs); got["k"] != 499 {
		t.Errorf("got %v", got)
	}
}

// TestOneSyncForOneSave: an appending Save may cost one sync, not more.
func TestOneSyncForOneSave(t *testing.T) {
	t.Parallel()
	fs := newMemFiles()
	s, _ := mustLoad(t, fs)
	save(t, s, at("a", 1))
	before := fs.syncs
	for i := range 10 {
		save(t, s, at("a", i))
	}
	if n := fs.syncs - before; n != 10 {
		t.Errorf("10 saves synced %d times", n)
	}
}

// history makes a store with a few saves in two files and returns the folder
// and the states that it went through.
func history(t *testing.T) (*memFiles, []map[string]int64) {
	fs := newMemFiles()
	s, _ := mustLoad(t, fs)
	var states []map[string]int64
	for i := 1; i <= 6; i++ {
		if i == 4 {
			s.leave()
		}
		save(t, s, at("a", i, fmt.Sprintf("k%d", i%2), i*10))
		_, m := mustLoad(t, fs.clone())
		states = append(states, m)
	}
	return fs, states
}

// TestTornAnywhere cuts the newest file at every byte. What is loaded must be
// a state that was once saved, never older than the previous file, and saving
// must go on from there.
func TestTornAnywhere(t *testing.T) {
	t.Parallel()
	fs, states := history(t)
	newest := newestFile(t, fs)
	whole := *fs.data[newest]
	for cut := range len(whole) + 1 {
		torn := fs.clone()
		*torn.data[newest] = slices.Clone(whole[:cut])
		s, got := mustLoad(t, torn)
		k := slices.IndexFunc(states, func(m map[string]int64) bool { return maps.Equal(m, got) })
		if k < 2 {
			t.Fatalf("cut at %d of %d: loaded %v, state %d", cut, len(whole), got, k)
		}
		if damaged := s.Damage() != nil; damaged != (k < 5 && !lineEnd(whole, cut)) {
			t.Fatalf("cut at %d: state %d, damage: %v", cut, k, s.Damage())
		}
		save(t, s, at("new", 7))
		got["new"] = 7
		if _, again := mustLoad(t, torn); !maps.Equal(again, got) {
			t.Fatalf("cut at %d: after Save %v, want %v", cut, again, got)
		}
	}
}

// lineEnd reports whether a cut leaves whole lines, at least two: nobody can
// tell that such a file was longer.
func lineEnd(data []byte, cut int) bool {
	return strings.Count(string(data[:cut]), "\n") >= 2 && data[cut-1] == '\n'
}

func newestFile(t *testing.T, fs *memFiles) string {
	s := newDirStore(fs, nil, "p")
	list, err := s.numbers()
	if err != nil || len(list) != 2 {
		t.Fatalf("files %v, %v", list, err)
	}
	return s.fileOf(list[0])
}

// TestBitFlips turns over each bit of the newest file.
func TestBitFlips(t *testing.T) {
	t.Parallel()
	fs, states := history(t)
	newest := newestFile(t, fs)
	for bit := range len(*fs.data[newest]) * 8 {
		bad := fs.clone()
		(*bad.data[newest])[bit/8] ^= 1 << (bit % 8)
		s, got := mustLoad(t, bad)
		k := slices.IndexFunc(states, func(m map[string]int64) bool { return maps.Equal(m, got) })
		if k < 2 || k == 5 {
			t.Fatalf("bit %d: loaded %v, state %d", bit, got, k)
		}
		if s.Damage() == nil {
			t.Fatalf("bit %d: no damage reported", bit)
		}
	}
}

func TestNothingReadableIsAnError(t *testing.T) {
	t.Parallel()
	fs, _ := history(t)
	for _, data := range fs.data {
		(*data)[3] ^= 1
	}
	_, err := newDirStore(fs, nil, "p").Load(t.Context())
	if err == nil || !strings.Contains(err.Error(), "remove them") {
		t.Errorf("got %v", err)
	}
}

func TestForeignFile(t *testing.T) {
	t.Parallel()
	fs, _ := history(t)
	text, err := line(nil, header{Version: 2, Pipeline: "p"})
	if err != nil {
		t.Fatal(err)
	}
	*fs.data[newestFile(t, fs)] = text
	s, _ := mustLoad(t, fs)
	if s.Damage() == nil || !strings.Contains(s.Damage().Error(), "version 2") {
		t.Errorf("damage %v", s.Damage())
	}
}

// TestEveryOperationFails makes each operation of a series of saves fail once,
// as on a full or read-only disk. After a Save that failed the old state or
// the new one is on the disk, and the next Save works.
func TestEveryOperationFails(t *testing.T) {
	t.Parallel()
	failures := 0
	for op := 1; op < 60; op++ {
		fs := newMemFiles()
		s, _ := mustLoad(t, fs)
		fs.failAt = op
		last := map[string]int64{}
		for i := 1; i <= 8; i++ {
			if i%3 == 0 {
				s.leave()
			}
			err := s.Save(t.Context(), at("a", i))
			_, got := mustLoad(t, fs.clone())
			if err == nil {
				last = map[string]int64{"a": int64(i)}
			} else {
				failures++
				if !errors.Is(err, errFull) {
					t.Fatalf("op %d: %v", op, err)
				}
			}
			if !maps.Equal(got, last) && (err == nil || got["a"] != int64(i)) {
				t.Fatalf("op %d, save %d (%v): on disk %v, want %v", op, i, err, got, last)
			}
		}
		fs.failAt = 0
		save(t, s, at("a", 9))
		if _, got := mustLoad(t, fs); got["a"] != 9 {
			t.Fatalf("op %d: after the failure %v", op, got)
		}
	}
	if failures < 20 {
		t.Errorf("only %d saves failed", failures)
	}
}

// TestDiskFull lets the disk run full after each number of bytes, then gives
// space back.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for room := range 200 {
		fs := newMemFiles()
		s, _ := mustLoad(t, fs)
		save(t, s, at("a", 1))
		fs.room = room
		var err error
		saved := 1
		for i := 2; i < 12 && err == nil; i++ {
			if err = s.Save(t.Context(), at("a", i)); err == nil {
				saved = i
			}
		}
		if err == nil {
			t.Fatalf("room %d: nothing failed", room)
		}
		if _, got := mustLoad(t, fs.clone()); got["a"] != int64(saved) {
			t.Fatalf("room %d: on disk %v, want %d", room, got, saved)
		}
		fs.room = -1
		save(t, s, at("b", 5))
		if _, got := mustLoad(t, fs); got["a"] != int64(saved) || got["b"] != 5 {
			t.Fatalf("room %d: after space returned %v", room, got)
		}
	}
}

func TestReadOnlyFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(dir, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDir(filepath.Join(dir, "x"), "p"); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("got %v", err)
	}
}

// TestFileRemovedInUse: positions are not added to a file that has lost its name.
func TestFileRemovedInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := OpenDir(dir, "p")
	if err != nil {
		t.Fatal(err)
	}
	save(t, s, at("a", 1, "b", 2))
	if err := os.Remove(filepath.Join(dir, "p.1.positions")); err != nil {
		t.Fatal(err)
	}
	save(t, s, at("a", 3))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := OpenDir(dir, "p")
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	got, err := again.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := at("a", 3, "b", 2); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestFolderRemovedInUse: without its lock file a store says that nothing is
// stored, whether or not somebody has made the folder anew.
func TestFolderRemovedInUse(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	s, err := OpenDir(dir, "p")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	save(t, s, at("a", 1))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), at("a", 2)); !errors.Is(err, errGone) {
		t.Errorf("Save without the folder: %v", err)
	}
	other, err := OpenDir(dir, "p")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	save(t, other, at("a", 7))
	if err := s.Save(t.Context(), at("a", 3)); !errors.Is(err, errGone) {
		t.Errorf("Save beside another process: %v", err)
	}
	got, err := other.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := at("a", 7); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPipelinesShareAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a", "a.1", "a.1.positions", "..", "a/b"} {
		s, err := OpenDir(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Load(t.Context())
		if err != nil || len(got) > 0 {
			t.Fatalf("%s: %v, %v", name, got, err)
		}
		save(t, s, map[string]engine.Position{name: {Offset: 1}})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = OpenDir(dir, name); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Load(t.Context()); err != nil || len(got) != 1 || got[name].Offset != 1 {
			t.Fatalf("%s: %v, %v", name, got, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	save(t, m, at("a", 1))
	m.OnSave = func(map[string]engine.Position) error { return errFull }
	if err := m.Save(context.Background(), at("a", 2)); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
	if got, err := m.Load(t.Context()); err != nil || got["a"].Offset != 1 || m.Saves() != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	text, _ := line(nil, header{Version: version, Pipeline: "p"})
	text, _ = line(text, at("a", 1))
	f.Add(text)
	f.Add(text[:len(text)-1])
	f.Add([]byte("0\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, whole, err := parse(data, "p")
		if !whole && err == nil {
			t.Error("neither a state nor an error")
		}
		if whole && m == nil {
			t.Error("no state")
		}
		if whole && err == nil && firstBytes(data) > int64(len(data)) {
			t.Error("the first lines are longer than the file")
		}
	})
}
