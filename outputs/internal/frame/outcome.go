package frame

import (
	"errors"
	"maps"

	"github.com/flowrecords/flow/engine"
)

// ErrSkipped is what Append returns for a record that an option tells it to
// leave out.
var ErrSkipped = errors.New("left out, as an option says")

// reasonTombstone is why records are left out; there is no other reason.
const reasonTombstone = "tombstone"

// Outcome collects what became of the records of one batch.
type Outcome struct {
	refused map[int]error
	skipped int64
}

// Add takes over what Append returned for record i. It reports whether the
// record is written.
func (o *Outcome) Add(i int, err error) bool {
	switch {
	case err == nil:
		return true
	case errors.Is(err, ErrSkipped):
		o.skipped++
	default:
		if o.refused == nil {
			o.refused = make(map[int]error)
		}
		o.refused[i] = err
	}
	return false
}

// Mark returns what Rewind needs to come back to this moment.
func (o *Outcome) Mark() int64 { return o.skipped }

// Rewind forgets the records from i on, which are written again; mark is of
// the moment before the first of them.
func (o *Outcome) Rewind(i int, mark int64) {
	o.skipped = mark
	maps.DeleteFunc(o.refused, func(k int, _ error) bool { return k >= i })
}

// Err is what the batch's done is called with (Invariant 3).
func (o *Outcome) Err() error {
	var refused, skipped error
	if len(o.refused) > 0 {
		refused = &engine.RecordErrors{Reasons: o.refused}
	}
	if o.skipped > 0 {
		skipped = &engine.Skipped{Records: o.skipped, Reason: reasonTombstone}
	}
	switch {
	case skipped == nil:
		return refused
	case refused == nil:
		return skipped
	}
	return errors.Join(refused, skipped)
}
