package checkpoint

import (
	"errors"
	"maps"
	"slices"
	"testing"
)

var errFull = errors.New("no space left on device")

// memFiles is a folder in memory that can run full, be read-only, or fail at
// the n-th operation.
type memFiles struct {
	data map[string]*[]byte
	// room is how many more bytes can be written; negative: any number.
	room int
	// failAt makes the operation with this number fail, counted down; 0: none.
	failAt int
	syncs  int
}

func newMemFiles() *memFiles { return &memFiles{data: make(map[string]*[]byte), room: -1} }

func (m *memFiles) clone() *memFiles {
	c := newMemFiles()
	for k, v := range m.data {
		data := slices.Clone(*v)
		c.data[k] = &data
	}
	return c
}

func (m *memFiles) op() error {
	if m.failAt > 0 {
		if m.failAt--; m.failAt == 0 {
			return errFull
		}
	}
	return nil
}

func (m *memFiles) list() ([]string, error) { return slices.Sorted(maps.Keys(m.data)), nil }

func (m *memFiles) read(name string) ([]byte, error) { return slices.Clone(*m.data[name]), nil }

func (m *memFiles) create(name string) (file, error) {
	if err := m.op(); err != nil {
		return nil, err
	}
	m.data[name] = new([]byte)
	return &memFile{m, m.data[name]}, nil
}

func (m *memFiles) append(name string) (file, error) {
	if err := m.op(); err != nil {
		return nil, err
	}
	return &memFile{m, m.data[name]}, nil
}

func (m *memFiles) is(name string, f file) bool { return m.data[name] == f.(*memFile).data }

func (m *memFiles) rename(from, to string) error {
	if err := m.op(); err != nil {
		return err
	}
	m.data[to] = m.data[from]
	delete(m.data, from)
	return nil
}

func (m *memFiles) remove(name string) error { delete(m.data, name); return nil }
func (m *memFiles) syncDir() error           { return m.op() }

type memFile struct {
	m    *memFiles
	data *[]byte
}

func (f *memFile) Write(p []byte) (int, error) {
	if err := f.m.op(); err != nil {
		return 0, err
	}
	n := len(p)
	if f.m.room >= 0 {
		n = min(n, f.m.room)
		f.m.room -= n
	}
	*f.data = append(*f.data, p[:n]...)
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func (f *memFile) Sync() error {
	f.m.syncs++
	return f.m.op()
}

func (f *memFile) Close() error { return nil }

func mustLoad(t *testing.T, fs files) (*dirStore, map[string]int64) {
	t.Helper()
	s := newDirStore(fs, nil, "p")
	m, err := s.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	offsets := make(map[string]int64)
	for k, p := range m {
		offsets[k] = p.Offset
	}
	return s, offsets
}
