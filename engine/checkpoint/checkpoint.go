// Package checkpoint stores the positions of inputs whose systems keep none.
package checkpoint

import (
	"bytes"
	"context"
	"maps"
	"sync"

	"github.com/flowrecords/flow/engine"
)

// Store keeps positions, by "input.file.in/<source id>", for one pipeline.
// Load is called once before Save; Save from one goroutine.
type Store interface {
	// Load returns all stored positions. The caller owns the map. It is called
	// again after a *engine.RetryError.
	Load(ctx context.Context) (map[string]engine.Position, error)
	// Save stores these positions durably, keeping the others. After an error
	// the old ones are still there (Invariant 2), and Save may be called
	// again. One call syncs the disk once. After a *LostError nothing can be
	// stored by this process any more, and the run ends.
	Save(ctx context.Context, changed map[string]engine.Position) error
	// Close gives the store up to other processes.
	Close() error
}

// Resetter is a Store whose positions can be taken back by hand.
type Resetter interface {
	Store
	// Forget removes these positions durably, all or none, and keeps the others.
	// It is used like Save.
	Forget(ctx context.Context, keys []string) error
}

// Damaged is a Store that can tell what it could not read.
type Damaged interface {
	// Damage returns what Load had to leave out because it was torn or
	// corrupt, nil if all was well. The positions that Load returned are then
	// older than the last ones saved: records are read again, none is lost.
	Damage() error
}

// Memory is a Store that forgets everything with the process.
type Memory struct {
	mu        sync.Mutex // guards all below
	positions map[string]engine.Position
	saves     int
	logs      map[string]*memLog

	// OnSave runs first in Save and may return an error, for tests. It is set
	// before use.
	OnSave func(changed map[string]engine.Position) error
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{positions: make(map[string]engine.Position)} }

// Load implements Store.
func (m *Memory) Load(context.Context) (map[string]engine.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.positions), nil
}

// Save implements Store.
func (m *Memory) Save(_ context.Context, changed map[string]engine.Position) error {
	if m.OnSave != nil {
		if err := m.OnSave(changed); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.Copy(m.positions, changed)
	m.saves++
	return nil
}

// Saves is how often Save has worked.
func (m *Memory) Saves() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.saves
}

// Close implements Store.
func (m *Memory) Close() error { return nil }

// Log implements Keeper.
func (m *Memory) Log(element string) Log {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.logs == nil {
		m.logs = make(map[string]*memLog)
	}
	if m.logs[element] == nil {
		m.logs[element] = &memLog{}
	}
	return m.logs[element]
}

// memLog is used like a dirLog, by one goroutine at a time.
type memLog struct {
	entries [][]byte
}

func (l *memLog) Replay(_ context.Context, entry func([]byte) error) error {
	for _, e := range l.entries {
		if err := entry(e); err != nil {
			return err
		}
	}
	return nil
}

func (l *memLog) Append(_ context.Context, entry []byte) error {
	l.entries = append(l.entries, bytes.Clone(entry))
	return nil
}

func (l *memLog) Rewrite(_ context.Context, entry []byte) error {
	l.entries = [][]byte{bytes.Clone(entry)}
	return nil
}

func (l *memLog) Damage() error { return nil }

func (l *memLog) Long() bool { return len(l.entries) == 0 || len(l.entries) > 64 }
