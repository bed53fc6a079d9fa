package checkpoint

import (
	"context"
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine"
)

// System is a connection whose system can keep the positions of pipelines
// (engine.Settings.Checkpoint) for all processes that run them. Any goroutine
// may call it.
type System interface {
	// PositionsIn names for people what holds the positions: "topic
	// flow-positions of localhost:9092".
	PositionsIn() string
	// NoPositions says why this connection can keep none, in whole sentences;
	// empty: it can.
	NoPositions() string
	// Positions returns the store of a pipeline; it does no I/O. Load takes the
	// store over from the process that has it, whose next Save then ends in a
	// *LostError and changes nothing.
	Positions(env engine.Env, pipeline string) Store
	// PeekPositions returns what is stored, takes nothing over and leaves no
	// trace. What does not exist yet holds nothing.
	PeekPositions(ctx context.Context, env engine.Env, pipeline string) (*Listing, error)
	// CheckPositions reports whether the store of a pipeline could be used.
	// elsewhere: the positions of all inputs are kept by groups of workers, and
	// only the rights to change them within transactions are needed.
	CheckPositions(ctx context.Context, r *engine.CheckReport, pipeline string, elsewhere bool)
}

// LostError says that this process can store nothing any more: another one has
// taken the store over, or what holds it refuses for good.
type LostError struct{ Err error }

func (e *LostError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *LostError) Unwrap() error { return e.Err }

// Moved is a store of a System that begins, as long as it is empty, with the
// positions that the pipeline has in a folder: it goes on where it was before
// its positions were moved. The folder is left as it is.
type Moved struct {
	Store
	Dir, Pipeline string
	// Adopted, if set, is told how many positions came from the folder.
	Adopted func(n int)
}

// Load implements Store.
func (m *Moved) Load(ctx context.Context) (map[string]engine.Position, error) {
	stored, err := m.Store.Load(ctx)
	if err != nil || len(stored) > 0 {
		return stored, err
	}
	old, err := Peek(m.Dir, m.Pipeline)
	if err != nil {
		return nil, fmt.Errorf("taking positions over from %s: %w", m.Dir, err)
	}
	if len(old) == 0 {
		return stored, nil
	}
	// All at once: a start that finds some of them would not look for the rest.
	if err := m.Save(ctx, old); err != nil {
		var lost *LostError
		if errors.As(err, &lost) {
			return nil, err
		}
		return nil, engine.Retry(err)
	}
	if m.Adopted != nil {
		m.Adopted(len(old))
	}
	return old, nil
}

// Damage implements Damaged.
func (m *Moved) Damage() error {
	if d, ok := m.Store.(Damaged); ok {
		return d.Damage()
	}
	return nil
}
