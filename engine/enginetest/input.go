package enginetest

import (
	"context"
	"slices"
	"sync"

	"github.com/flowrecords/flow/engine"
)

// Partition is one source partition of the fake Input.
type Partition struct {
	ID string
	// Topic of the records; may be empty.
	Topic   string
	Records []Record
}

// Input is a fake input over records in memory. Positions are record numbers.
// It goes on from the stored position, and partitions take turns.
type Input struct {
	Partitions []Partition
	// BatchRecords is the size of a batch; 0: that of the host's limits.
	BatchRecords int
	// Unbounded makes Read wait for the end of its context when all is read.
	Unbounded bool
	// OnOpen and OnRead run first and may return an error; call counts from 0.
	OnOpen, OnRead func(ctx context.Context, call int) error

	mu            sync.Mutex // guards all below
	opens, reads  int
	opened        bool
	closed        int
	host          engine.Host
	sources       []*engine.Source
	next          []int
	turn          int
	misused       []string
	readsUnderway int
}

// Misuse lists calls that the engine must not make.
func (in *Input) Misuse() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.misused)
}

// Open implements engine.Input.
func (in *Input) Open(ctx context.Context, h engine.Host) error {
	in.mu.Lock()
	call := in.opens
	in.opens++
	in.misuse(in.closed > 0, "Open after Close")
	in.misuse(in.opened, "Open after Open has worked")
	in.mu.Unlock()
	if in.OnOpen != nil {
		if err := in.OnOpen(ctx, call); err != nil {
			return err
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.opened, in.host = true, h
	in.sources, in.next = nil, make([]int, len(in.Partitions))
	for i, p := range in.Partitions {
		in.sources = append(in.sources, h.Source(engine.SourceInfo{ID: p.ID, Topic: p.Topic, Partition: int32(i)}))
		if pos, ok := h.Stored(p.ID); ok {
			in.next[i] = int(pos.Offset)
		}
	}
	return nil
}

func (in *Input) misuse(is bool, what string) {
	if is {
		in.misused = append(in.misused, what)
	}
}

// Read implements engine.Input.
func (in *Input) Read(ctx context.Context) (*engine.Batch, error) {
	in.mu.Lock()
	call := in.reads
	in.reads++
	in.misuse(!in.opened, "Read before Open has worked")
	in.misuse(in.closed > 0, "Read after Close")
	in.misuse(in.readsUnderway > 0, "Read during Read")
	in.readsUnderway++
	in.mu.Unlock()
	defer func() {
		in.mu.Lock()
		in.readsUnderway--
		in.mu.Unlock()
	}()
	if in.OnRead != nil {
		if err := in.OnRead(ctx, call); err != nil {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for range in.Partitions {
		i := in.turn % len(in.Partitions)
		in.turn++
		if in.next[i] < len(in.Partitions[i].Records) {
			return in.batch(ctx, i)
		}
	}
	if in.Unbounded {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, engine.ErrEnd
}

func (in *Input) batch(ctx context.Context, i int) (*engine.Batch, error) {
	b, err := in.host.NewBatch(ctx)
	if err != nil {
		return nil, err
	}
	size := in.BatchRecords
	if size == 0 {
		size = in.host.Limits().Records
	}
	from, all := in.next[i], in.Partitions[i].Records
	to := min(from+size, len(all))
	Fill(b, all[from:to]...)
	for _, r := range all[from:to] {
		if r.Failure.Reason != nil {
			for _, r := range all[from:to] {
				b.Failures = append(b.Failures, r.Failure)
			}
			break
		}
	}
	in.next[i] = to
	in.sources[i].Begin(b, engine.Position{Offset: int64(to)}, int64(from), nil)
	return b, nil
}

// Close implements engine.Input.
func (in *Input) Close(context.Context) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed++
	in.misuse(in.closed > 1, "Close twice")
	in.misuse(in.opens == 0, "Close without Open")
	return nil
}

// Closed reports whether Close was called.
func (in *Input) Closed() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.closed > 0
}

// Source returns the handle of a partition, once open.
func (in *Input) Source(i int) *engine.Source {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.sources[i]
}

// CommittingInput is an Input that keeps positions itself.
type CommittingInput struct {
	Input
	// OnCommit runs first and may return an error; call counts from 0.
	OnCommit func(call int) error

	commitMu  sync.Mutex
	commits   int
	committed map[string]engine.Position
}

// Commit implements engine.Committer.
func (in *CommittingInput) Commit(_ context.Context, sources []*engine.Source) error {
	in.commitMu.Lock()
	defer in.commitMu.Unlock()
	call := in.commits
	in.commits++
	if in.OnCommit != nil {
		if err := in.OnCommit(call); err != nil {
			return err
		}
	}
	if in.committed == nil {
		in.committed = make(map[string]engine.Position)
	}
	for _, s := range sources {
		if p, ok := s.Confirmed(); ok && !s.Revoked() {
			in.committed[s.Info().ID] = p
		}
	}
	return nil
}

// Committed returns what was committed last for a partition.
func (in *CommittingInput) Committed(id string) (engine.Position, bool) {
	in.commitMu.Lock()
	defer in.commitMu.Unlock()
	p, ok := in.committed[id]
	return p, ok
}
