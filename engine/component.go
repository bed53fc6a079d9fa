package engine

import (
	"context"
	"log/slog"
	"time"

	"github.com/flowrecords/flow/engine/record"
)

// Env is what the engine gives to a component. It is complete when New is
// called; a component may keep it.
type Env struct {
	// Pipeline and Element name the component: "orders", "input.file.in".
	Pipeline, Element string
	// Logger carries pipeline and element. Never log record content or
	// secrets above debug level.
	Logger *slog.Logger
	// Now is the clock. Tests set it.
	Now func() time.Time
	// Version of flow, for client ids.
	Version string
}

// Input brings batches from one system. The engine calls Open once more after
// each *RetryError, then Read from a single goroutine until it returns an
// error that ends the input, then Close once, also when Open failed.
// Constructors touch nothing: Open connects.
type Input interface {
	// Open connects and reads the stored positions it needs from h. ctx covers
	// connecting only and must not be kept; h may be kept.
	Open(ctx context.Context, h Host) error

	// Read returns the next batch, begun with Source.Begin and owned by the
	// engine from then on. It blocks until there is a record, ctx ends or the
	// source is exhausted (ErrEnd). It returns within a second of ctx ending;
	// what it has read and not returned is then read again next time. A
	// *RetryError makes the engine call Read again after a pause.
	//
	// A batch never mixes source partitions. Bytes that cannot be framed into
	// records (truncated gzip, a line over the limit) are a batch of one
	// record with its Failure set, which goes to the errors edge.
	Read(ctx context.Context) (*Batch, error)

	// Close lets go of everything. Positions were committed before. No method
	// is called afterwards.
	Close(ctx context.Context) error
}

// Host is what the engine offers to one input. Any goroutine may call it.
type Host interface {
	// Source returns the handle of a source partition, making it at first use.
	// After Source.Revoke the same ID gives a new handle.
	Source(info SourceInfo) *Source
	// Stored returns the position of a partition in the checkpoint; false if
	// there is none. A Committer has one there only in a pipeline that delivers
	// exactly once: what the outputs hold is known up to it. It must begin
	// there, or at the position that its system has if that is further: then
	// the partition has been with another worker since.
	Stored(id string) (Position, bool)
	// NewBatch takes an empty batch from the input's free list, waiting when
	// too much is in flight.
	NewBatch(ctx context.Context) (*Batch, error)
	// Limits are the pipeline's bounds of a batch.
	Limits() BatchLimits
}

// BatchLimits bound a batch: an input ends it at whichever comes first.
type BatchLimits struct {
	Records int
	Bytes   int
	// Linger is the longest wait for a fuller batch after its first record;
	// 0 sends each record as soon as nothing more is at hand.
	Linger time.Duration
}

// Sparse reports whether a stream gains little from gathering when its records,
// or the batches that an output flushes, come so far apart: two fifths of the
// linger, 2 ms of the default one, are the border. What comes after such a pause
// goes on at once, what comes sooner gathers for a linger. So a slow stream is
// not made late, and what each batch costs is little beside the time between.
// Without a linger everything is sparse.
func (l BatchLimits) Sparse(gap time.Duration) bool { return gap >= l.Linger*2/5 }

// Committer is an Input whose system keeps the positions itself, as Kafka's
// consumer groups do. Other inputs have theirs kept in the checkpoint.
type Committer interface {
	// Commit stores confirmed positions. It is called from one goroutine, not
	// the reader's, at intervals and before Close; an error is logged and the
	// positions are handed over again (Invariant 2). Sources that were
	// revoked in the meantime must be skipped.
	Commit(ctx context.Context, sources []*Source) error
}

// Prompt is a Committer that somebody waits for: a sender who is answered when
// his records are confirmed.
type Prompt interface {
	Committer
	// Prompt makes the engine call Commit as soon as something is confirmed and
	// outputs have synced it (Syncer), not at intervals only. What is confirmed
	// during a commit shares the next one.
	Prompt()
}

// Cutter is what the Host of an input also is when the pipeline delivers exactly
// once, and nothing otherwise.
type Cutter interface {
	// Cut is for an input that must give source partitions up to another
	// worker. It waits until everything that entered the pipeline is confirmed
	// and stored, and calls last before anything else enters: what last revokes
	// (Source.Revoke) is then whole, and the position that Revoke returns may
	// be handed over. Batches of it that Read has returned and that did not
	// enter are left out; the next owner reads them.
	//
	// After an error last was not called. A source that is revoked while
	// records of it are not stored stops the pipeline, so that the next start
	// takes them back: somebody else may read them (Invariant 6).
	//
	// It may be called by any goroutine but that of Read and Commit, and
	// returns soon after ctx ends.
	Cut(ctx context.Context, last func()) error
}

// Progress is how far a bounded input has come, for people.
type Progress struct {
	// Done and Total in bytes of the source; Total 0 when it is not known.
	Done, Total int64
}

// Progresser is an Input that knows how much there is to read. Progress may
// be called by any goroutine after New.
type Progresser interface {
	Progress() Progress
}

// Output writes batches to one system. The engine calls Open once more after
// each *RetryError, Write and Flush from a single goroutine, then Close once.
type Output interface {
	// Open connects. ctx covers connecting only.
	Open(ctx context.Context) error

	// Write takes a batch and must call done exactly once, before it returns
	// or later from any goroutine: with nil when every record is as durable as
	// the options promise, with *RecordErrors, *RetryError or another error
	// (see errors.go). b must not be touched after done. The engine has
	// encoded values and keys with the element's converters.
	//
	// Batches are written in the order of the calls. After a *RetryError the
	// engine waits until every batch that was handed over is done and then
	// writes the failed ones again, in their order and before any other: the
	// same *Batch, so that an output can tell them from new ones.
	Write(ctx context.Context, b *Batch, done func(error))

	// Flush makes what was written durable now, so that its done is called.
	// The engine calls it when nothing more is waiting, and at the end.
	Flush(ctx context.Context) error

	// Close flushes what is not done yet and lets go of everything.
	Close(ctx context.Context) error
}

// QuickFlusher is an Output whose Flush is over soon, whatever is under way, so
// that what comes alone is flushed at once. With any other the engine waits for
// the linger first: while a flush waits for slow answers, nothing more is asked.
type QuickFlusher interface {
	Output
	// QuickFlush does nothing.
	QuickFlush()
}

// Syncer is an Output whose confirmed records a power cut could still take,
// since they lie in the memory of the operating system.
type Syncer interface {
	// Sync makes every record that is confirmed durable. The engine calls it
	// from the goroutine of Write, before it stores positions, so that a
	// stored position never passes a record that a power cut can take
	// (Invariant 1). After a *RetryError the positions are not stored this
	// time; any other error stops the pipeline.
	Sync(ctx context.Context) error
}

// Marker is an Output that can take back what it has written, which makes it fit
// for delivery = "exactly_once" (Invariant 6). In such a pipeline the engine
// stores positions in cuts: nothing enters the pipeline until all that did is
// confirmed; then each Marker says in a mark what its target holds, and records
// flow again while Sync makes durable what the marks stand for. The marks of all
// outputs and the positions of all inputs are stored as one, so that they never
// disagree, and the next start takes back what came behind the marks: its
// records are read again.
//
// Mark and Marked are called from the goroutine of Write, Open and Close, never
// during another call.
type Marker interface {
	Syncer
	// Restore is called once, before Open, and only when the pipeline delivers
	// exactly once. It hands over the mark that was stored last; empty: none
	// was. Open must then take back everything behind it before it returns, and
	// after a *RetryError the next Open goes on with that. Close must leave
	// behind what the next Restore needs for records that no stored mark has.
	Restore(mark string)
	// Mark returns what the target holds, as opaque text that says all of it.
	// Every record that was written is confirmed, and none is under way. It
	// must be quick, since the pipeline stands still, and need make nothing
	// durable: Sync follows. After a *RetryError the next cut asks again; any
	// other error stops the pipeline. A mark that is not followed by Marked may
	// have been stored or not, and the next Mark replaces it either way.
	Mark(ctx context.Context) (string, error)
	// Marked says that the last mark is stored, for good: what it stands for
	// is never taken back. An error stops the pipeline.
	Marked(ctx context.Context) error
}

// Processor is one element of a chain as configured. It is immutable; Bind
// makes its working copy for one worker.
type Processor interface {
	// Ports names the outputs beside the main one, in order; nil for none.
	Ports() []string

	// Bind is called once for each worker, from one goroutine. It adds the
	// paths that the processor touches to the layout and compiles expressions
	// against it. An error is a bug or a broken environment: mistakes of the
	// config are found by Validate and by the compiler.
	Bind(l *record.Layout) (Bound, error)
}

// ReadOnly is a Processor that may say that none of its steps ever changes a
// record: filter and route. A stage of such processors copies no bytes.
type ReadOnly interface {
	ReadOnly() bool
}

// Discarder is an Output that throws away on purpose what it is given. The
// engine counts that as dropped, for this reason (Invariant 3).
type Discarder interface {
	// Discards returns the reason, a short fixed word: "discarded".
	Discards() string
}

// Serial is a Processor that may say that it must see all records of its
// element one after the other, since it remembers, gathers or paces them:
// dedupe, batch, rate_limit. It gets a stage of its own with one worker.
type Serial interface {
	Serial() bool
}

// Bound is a processor's working copy. Exactly one of Step, Route, Expand,
// Window and Gate is set; the last two only by a Serial. All are called by one
// goroutine at a time.
type Bound struct {
	Step   Step
	Route  Route
	Expand Expand
	// Drops says for metrics, in one fixed word, why Step drops a record:
	// "duplicate". Empty: "condition".
	Drops string
	// Window makes an empty window. There is one for each source partition
	// that has records in it, so a window never mixes partitions and order is
	// kept. Period is the longest time that a window stays open after its
	// first record; it must be more than 0, since what a window holds is
	// unconfirmed.
	Window func() Window
	Period time.Duration
	Gate   Gate
	// Source, if set, is called before the records of a batch with the source
	// partition that they come from. Only a Serial may set it.
	Source func(*Source)
	// State, if set, is what the working copy of a Serial remembers beyond the
	// end of the process.
	State State
	// Close ends the working copy; may be nil.
	Close func()
}

// Window gathers records of one source partition into one record. The source
// position moves over them only when that record is confirmed.
type Window interface {
	// Add takes in a record, which is valid until Add returns. full ends the
	// window with it. An error is an error of the record, which is then not in
	// the window.
	Add(r *record.Record) (full bool, err error)
	// Result gives r, which is empty, what the window has become, and empties
	// the window. What r is given must stay valid until the next Add.
	Result(r *record.Record) error
}

// Gate says how many of the next n records may go on now: at least one, for
// which it waits until ctx ends. size tells the bytes of the value of record
// i, from 0.
type Gate func(ctx context.Context, n int, size func(i int) int) (int, error)

// State is a memory that the engine keeps beside the positions of the
// pipeline, as a log of entries. Before the first record Replay is called with
// each stored entry in order. Changes and Snapshot are called by the goroutine
// that commits, while records flow: they need a lock.
//
// The state is stored before positions are: after a crash it may know records
// that are read again, and never misses one that is not. An implementation
// must let such a record through once more (Invariant 1).
type State interface {
	Replay(entry []byte) error
	// Changes appends what has changed since the last Changes or Snapshot;
	// nothing appended means no change.
	Changes(dst []byte) []byte
	// Snapshot appends all there is: it stands for every entry before.
	Snapshot(dst []byte) []byte
}

// Step edits a record in place and says whether it goes on; keep = false
// drops it, which the engine counts for the element (Invariant 3). An error
// is an error of the record, and r must then be as it was before.
type Step func(r *record.Record) (keep bool, err error)

// Route appends to ports the numbers of the ports that a record goes to:
// 0 is the main one, 1 the first of Ports. None at all drops the record.
type Route func(r *record.Record, ports []int) ([]int, error)

// Expand turns a record into any number of records: it calls emit for each,
// which stores the record at once. emit's error must be returned. After an
// error of Expand the engine takes back what was emitted, and r must be as it
// was before.
type Expand func(r *record.Record, emit func(*record.Record) error) error
