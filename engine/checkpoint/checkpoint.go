// Package checkpoint stores the positions of inputs whose systems keep none.
package checkpoint

import (
	"context"

	"github.com/flowrecords/flow/engine"
)

// Store keeps positions, by "input.file.in/<source id>", for one pipeline.
// Load is called once before Save; Save from one goroutine.
type Store interface {
	// Load returns all stored positions.
	Load(ctx context.Context) (map[string]engine.Position, error)
	// Save stores these positions durably, keeping the others. After an error
	// the old ones are still there (Invariant 2).
	Save(ctx context.Context, changed map[string]engine.Position) error
	// Close gives the store up to other processes.
	Close() error
}

// OpenDir opens the store of a pipeline in a folder, which it makes if need
// be. One process at a time can hold it; a second one gets an error that
// names the holder. It survives kill -9 and a torn write.
func OpenDir(dir, pipeline string) (Store, error) { panic("TODO") }
