package enginetest

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/flowrecords/flow/engine"
)

// Output is a fake output that keeps records in memory. Without any hook it
// confirms each batch at once.
type Output struct {
	// OnOpen, OnWrite and OnFlush run first and may return an error; call
	// counts from 0. The error of OnWrite goes to done and nothing is kept.
	OnOpen  func(ctx context.Context, call int) error
	OnWrite func(ctx context.Context, call int, b *engine.Batch) error
	OnFlush func(ctx context.Context, call int) error
	// Refuse makes the output refuse single records for good.
	Refuse func(r Record) error
	// Late, if set, keeps answers back: they are given at random later calls
	// of Write, in any order, and at Flush. It is used under the fake's lock.
	Late *rand.Rand
	// Async, if set, is called with each answer, which it gives whenever and
	// from wherever it likes.
	Async func(answer func())
	// OnConfirm is called with the records of an answer before it is given.
	OnConfirm func(list []Record)
	// Count keeps no records, only their number.
	Count bool

	mu                     sync.Mutex // guards all below
	opens, writes, flushes int
	opened                 bool
	closed                 int
	underway               int
	records                []Record
	confirmed              []Record
	count                  int64
	waiting                []func()
	misused                []string
}

// Open implements engine.Output.
func (o *Output) Open(ctx context.Context) error {
	o.mu.Lock()
	call := o.opens
	o.opens++
	o.misuse(o.closed > 0, "Open after Close")
	o.misuse(o.opened, "Open after Open has worked")
	o.mu.Unlock()
	if o.OnOpen != nil {
		if err := o.OnOpen(ctx, call); err != nil {
			return err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.opened = true
	return nil
}

// misuse needs mu.
func (o *Output) misuse(is bool, what string) {
	if is {
		o.misused = append(o.misused, what)
	}
}

// enter checks that Write, Flush and Close come from one goroutine.
func (o *Output) enter(what string, calls *int) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.misuse(!o.opened, what+" before Open has worked")
	o.misuse(o.closed > 0, what+" after Close")
	o.misuse(o.underway > 0, what+" during another call")
	o.underway++
	call := *calls
	*calls++
	return call
}

func (o *Output) leave() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.underway--
}

// Write implements engine.Output.
func (o *Output) Write(ctx context.Context, b *engine.Batch, done func(error)) {
	call := o.enter("Write", &o.writes)
	defer o.leave()
	if o.OnWrite != nil {
		if err := o.OnWrite(ctx, call, b); err != nil {
			o.answer(func() { done(err) })
			return
		}
	}
	if o.Count {
		o.mu.Lock()
		o.count += int64(b.Len())
		o.mu.Unlock()
		o.answer(func() { done(nil) })
		return
	}
	var refused *engine.RecordErrors
	list := Records(b)
	kept := list[:0]
	for i, r := range list {
		if o.Refuse != nil {
			if err := o.Refuse(r); err != nil {
				if refused == nil {
					refused = &engine.RecordErrors{Reasons: make(map[int]error)}
				}
				refused.Reasons[i] = err
				continue
			}
		}
		kept = append(kept, r)
	}
	o.mu.Lock()
	o.records = append(o.records, kept...)
	o.count += int64(len(kept))
	o.mu.Unlock()
	kept = slices.Clone(kept)
	o.answer(func() {
		o.mu.Lock()
		o.confirmed = append(o.confirmed, kept...)
		o.mu.Unlock()
		if o.OnConfirm != nil {
			o.OnConfirm(kept)
		}
		if refused != nil {
			done(refused)
			return
		}
		done(nil)
	})
}

// answer gives an answer now or, with Late, some others in any order.
func (o *Output) answer(f func()) {
	if o.Late == nil {
		o.give(f)
		return
	}
	o.mu.Lock()
	o.waiting = append(o.waiting, f)
	n := o.Late.IntN(len(o.waiting) + 1)
	ready := o.take(n)
	o.mu.Unlock()
	for _, f := range ready {
		o.give(f)
	}
}

func (o *Output) give(f func()) {
	if o.Async != nil {
		o.Async(f)
		return
	}
	f()
}

// take removes n random answers. mu is held.
func (o *Output) take(n int) []func() {
	if o.Late != nil {
		o.Late.Shuffle(len(o.waiting), func(i, j int) { o.waiting[i], o.waiting[j] = o.waiting[j], o.waiting[i] })
	}
	ready := slices.Clone(o.waiting[:n])
	o.waiting = append(o.waiting[:0], o.waiting[n:]...)
	return ready
}

// Flush implements engine.Output.
func (o *Output) Flush(ctx context.Context) error {
	call := o.enter("Flush", &o.flushes)
	defer o.leave()
	if o.OnFlush != nil {
		if err := o.OnFlush(ctx, call); err != nil {
			return err
		}
	}
	o.flush()
	return nil
}

func (o *Output) flush() {
	o.mu.Lock()
	ready := o.take(len(o.waiting))
	o.mu.Unlock()
	for _, f := range ready {
		o.give(f)
	}
}

// Close implements engine.Output.
func (o *Output) Close(context.Context) error {
	o.mu.Lock()
	o.closed++
	o.misuse(o.closed > 1, "Close twice")
	o.misuse(o.opens == 0, "Close without Open")
	o.mu.Unlock()
	o.flush()
	return nil
}

// Records returns what was kept so far.
func (o *Output) Records() []Record {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.records)
}

// Confirmed returns the records whose answers were given, in that order.
func (o *Output) Confirmed() []Record {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.confirmed)
}

// Values returns the values of Records as strings.
func (o *Output) Values() []string {
	list := []string{}
	for _, r := range o.Records() {
		list = append(list, string(r.Value))
	}
	return list
}

// Len is the number of records taken so far.
func (o *Output) Len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return int(o.count)
}

// Calls returns how often the methods were called.
func (o *Output) Calls() (opens, writes, flushes, closes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.opens, o.writes, o.flushes, o.closed
}

// Misuse lists calls that the engine must not make.
func (o *Output) Misuse() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.misused)
}

// SyncingOutput is an Output whose confirmed records are durable only after a
// Sync.
type SyncingOutput struct {
	Output
	// OnSync runs first and may return an error; call counts from 0.
	OnSync func(ctx context.Context, call int) error

	syncMu sync.Mutex // guards all below
	calls  int
	synced int
}

// Sync implements engine.Syncer.
func (o *SyncingOutput) Sync(ctx context.Context) error {
	o.syncMu.Lock()
	call := o.calls
	o.calls++
	o.syncMu.Unlock()
	o.mu.Lock()
	o.misuse(o.underway > 0, "Sync during another call")
	o.misuse(o.closed > 0, "Sync after Close")
	n := len(o.confirmed)
	o.mu.Unlock()
	if o.OnSync != nil {
		if err := o.OnSync(ctx, call); err != nil {
			return err
		}
	}
	o.syncMu.Lock()
	defer o.syncMu.Unlock()
	o.synced = n
	return nil
}

// Synced is the number of records that the last Sync made durable.
func (o *SyncingOutput) Synced() int {
	o.syncMu.Lock()
	defer o.syncMu.Unlock()
	return o.synced
}
