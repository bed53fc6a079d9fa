package deadletters

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/flowrecords/flow/engine/checkpoint"
)

// Ledger remembers which letters were taken back, for one pipeline, beside its
// positions. A range is written once every output has confirmed its letters,
// and before the run goes on behind it, so an interrupted replay goes on where
// it was: what is not in the ledger is replayed, at worst once more.
type Ledger struct {
	store checkpoint.Store
	log   checkpoint.Log

	// mu guards all below: the committing goroutine writes, readers make cursors.
	mu    sync.Mutex
	parts map[string][]span
	// stale: parts has lost what the log still has.
	stale bool
	// shared are the ranges that a topic of positions has, by their keys, of
	// each part; void those that are true no more.
	shared, void map[string]map[string]span
}

// span is letters that follow each other in a part.
type span struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Hash is that of the first of them.
	Hash uint64 `json:"hash"`
}

// entry is one write to the log.
type entry map[string][]span

// ledgerName is the store's: pipelines have no such character in their names.
func ledgerName(pipeline string) string { return pipeline + "#errors" }

// OpenLedger opens the ledger of a pipeline in its folder of positions, for
// this process alone.
func OpenLedger(ctx context.Context, dir, pipeline string) (*Ledger, error) {
	store, err := checkpoint.OpenDir(dir, ledgerName(pipeline))
	if err != nil {
		return nil, err
	}
	l := &Ledger{store: store, parts: map[string][]span{}}
	if _, err := store.Load(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	l.log = store.(checkpoint.Keeper).Log("replayed")
	err = l.log.Replay(ctx, func(b []byte) error {
		var e entry
		if err := json.Unmarshal(b, &e); err != nil {
			return fmt.Errorf("what was replayed in %s: %w", dir, err)
		}
		l.merge(e)
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return l, nil
}

// PeekLedger reads the ledger of a pipeline without making a folder for it;
// nil if nothing was replayed yet.
func PeekLedger(ctx context.Context, dir, pipeline string) (*Ledger, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, nil
	}
	l, err := OpenLedger(ctx, dir, pipeline)
	if err != nil {
		return nil, err
	}
	return l, l.Close()
}

// Close gives the ledger up to other processes.
func (l *Ledger) Close() error {
	if l == nil {
		return nil
	}
	return l.store.Close()
}

// add stores further letters durably.
func (l *Ledger) add(ctx context.Context, e entry) error {
	if len(e) == 0 {
		return nil
	}
	l.mu.Lock()
	l.merge(e)
	long, what := l.stale || l.log.Long(), e
	if long {
		what = l.parts
	}
	all, err := json.Marshal(what)
	l.mu.Unlock()
	switch {
	case err != nil:
		return err
	case long:
		err := l.log.Rewrite(ctx, all)
		l.mu.Lock()
		l.stale = l.stale && err != nil
		l.mu.Unlock()
		return err
	}
	return l.log.Append(ctx, all)
}

// merge needs mu, or that nobody else knows l.
func (l *Ledger) merge(e entry) {
	for id, more := range e {
		list := append(l.parts[id], more...)
		slices.SortStableFunc(list, func(a, b span) int {
			switch {
			case a.From != b.From && a.From < b.From:
				return -1
			case a.From != b.From:
				return 1
			}
			return 0
		})
		merged := list[:0:0]
		for _, s := range list {
			switch k := len(merged) - 1; {
			case k >= 0 && merged[k].To >= s.From:
				merged[k].To = max(merged[k].To, s.To)
			default:
				merged = append(merged, s)
			}
		}
		l.parts[id] = merged
	}
}

// of returns a cursor over what was replayed of a part.
func (l *Ledger) of(id string) cursor {
	if l == nil {
		return cursor{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return cursor{ledger: l, id: id, spans: slices.Clone(l.parts[id])}
}

// forget drops what is known of a part: it is another one by now, a file that
// was removed or a topic that was made anew.
func (l *Ledger) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.parts, id)
	l.forgetShared(id)
	l.stale = true
}

// forgetShared needs mu: the next transaction takes back what it can.
func (l *Ledger) forgetShared(id string) {
	for key, s := range l.shared[id] {
		put(&l.void, id, key, s)
	}
	delete(l.shared, id)
}

// cursor goes through spans along with the letters of a part.
type cursor struct {
	ledger *Ledger
	id     string
	spans  []span
	// valid: the first letter of spans[0] was met and is the right one.
	valid bool
}

// has reports whether a letter, which comes after those asked for before, was
// replayed.
func (c *cursor) has(l *Letter) bool {
	for len(c.spans) > 0 && c.spans[0].To <= l.Offset {
		c.spans, c.valid = c.spans[1:], false
	}
	if len(c.spans) == 0 || l.Offset < c.spans[0].From {
		return false
	}
	if l.Offset == c.spans[0].From {
		if c.valid = l.hash() == c.spans[0].Hash; !c.valid {
			c.ledger.forget(c.id)
			c.spans = nil
		}
	}
	return c.valid
}
