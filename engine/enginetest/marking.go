package enginetest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/flowrecords/flow/engine"
)

// MarkedTarget is what a MarkingOutput writes to. It survives the output, as a
// file does its process: give it to the output of the next run.
type MarkedTarget struct {
	mu      sync.Mutex // guards all below
	records []Record
	synced  int
}

// Records returns what the target holds.
func (m *MarkedTarget) Records() []Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.records)
}

// MarkingOutput is an Output that can take back what came behind a mark. A mark
// is the number of records.
type MarkingOutput struct {
	SyncingOutput
	Target *MarkedTarget
	// OnMark and OnMarked run first and may return an error; call counts from 0.
	OnMark, OnMarked func(ctx context.Context, call int) error

	markMu         sync.Mutex // guards all below
	restores       int
	back           int // where Open must go back to
	seen           int // records of Output that are in the target
	marks, settled int
	misused        []string
}

// Misuse lists calls that the engine must not make.
func (o *MarkingOutput) Misuse() []string {
	o.markMu.Lock()
	defer o.markMu.Unlock()
	return append(o.SyncingOutput.Misuse(), o.misused...)
}

// Restore implements engine.Marker.
func (o *MarkingOutput) Restore(mark string) {
	opens, _, _, _ := o.Calls()
	o.markMu.Lock()
	defer o.markMu.Unlock()
	o.restores++
	if o.restores > 1 || opens > 0 {
		o.misused = append(o.misused, "Restore twice, or after Open")
	}
	if mark == "" {
		return
	}
	n, err := strconv.Atoi(mark)
	if err != nil {
		o.misused = append(o.misused, fmt.Sprintf("Restore with the mark %q", mark))
	}
	o.back = n
}

// Open implements engine.Output.
func (o *MarkingOutput) Open(ctx context.Context) error {
	if err := o.SyncingOutput.Open(ctx); err != nil {
		return err
	}
	o.markMu.Lock()
	defer o.markMu.Unlock()
	o.Target.mu.Lock()
	defer o.Target.mu.Unlock()
	switch {
	case o.restores == 0:
		o.misused = append(o.misused, "Open before Restore")
	case o.back > o.Target.synced:
		o.misused = append(o.misused, fmt.Sprintf("a mark of %d records was stored, when only %d were synced", o.back, o.Target.synced))
	default:
		o.Target.records = o.Target.records[:o.back]
	}
	return nil
}

// Write implements engine.Output.
func (o *MarkingOutput) Write(ctx context.Context, b *engine.Batch, done func(error)) {
	o.SyncingOutput.Write(ctx, b, done)
	all := o.Records()
	o.markMu.Lock()
	defer o.markMu.Unlock()
	o.Target.mu.Lock()
	defer o.Target.mu.Unlock()
	o.Target.records = append(o.Target.records, all[o.seen:]...)
	o.seen = len(all)
}

// Sync implements engine.Syncer.
func (o *MarkingOutput) Sync(ctx context.Context) error {
	if err := o.SyncingOutput.Sync(ctx); err != nil {
		return err
	}
	o.Target.mu.Lock()
	defer o.Target.mu.Unlock()
	o.Target.synced = len(o.Target.records)
	return nil
}

// Mark implements engine.Marker.
func (o *MarkingOutput) Mark(ctx context.Context) (string, error) {
	o.markMu.Lock()
	call := o.marks
	o.marks++
	o.mu.Lock()
	if o.underway > 0 || len(o.waiting) > 0 || len(o.confirmed) != len(o.records) {
		o.misused = append(o.misused, "Mark while something is under way")
	}
	o.mu.Unlock()
	o.markMu.Unlock()
	if o.OnMark != nil {
		if err := o.OnMark(ctx, call); err != nil {
			return "", err
		}
	}
	return strconv.Itoa(len(o.Target.Records())), nil
}

// Marked implements engine.Marker.
func (o *MarkingOutput) Marked(ctx context.Context) error {
	o.markMu.Lock()
	call := o.settled
	o.settled++
	o.markMu.Unlock()
	if o.OnMarked != nil {
		return o.OnMarked(ctx, call)
	}
	return nil
}

var _ engine.Marker = (*MarkingOutput)(nil)
