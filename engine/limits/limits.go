// Package limits holds every default bound of flow, with its reason. A bound
// that a user may raise is named in the option that raises it.
package limits

import "time"

const (
	// BatchBytes and BatchRecords bound one batch. 256 KiB fits a second
	// level cache with room; beyond 512 records a stage gains nothing.
	BatchBytes = 256 << 10
	// BatchRecords is the other bound of a batch.
	BatchRecords = 512

	// Linger is how long an input waits for a fuller batch once it has a
	// record: short enough for interactive use, long enough to batch a burst.
	Linger = 5 * time.Millisecond

	// EdgeBatches is how many batches wait on an edge. Two let a producer and
	// a consumer overlap; more only add memory and latency.
	EdgeBatches = 4

	// InFlightBytes bounds the source bytes of one pipeline that are read and
	// not yet confirmed (option max_in_flight).
	InFlightBytes = 32 << 20

	// RecordBytes is the largest record that is taken. A larger one goes to
	// the errors edge with its origin and its beginning, not all its bytes.
	RecordBytes = 16 << 20

	// JSONDepth stops nested input before the stack does.
	JSONDepth = 512

	// CommitInterval is how often confirmed positions are stored.
	CommitInterval = time.Second

	// CommitInFlights is after how many times the bytes that may be in flight
	// positions are stored before the interval is over. It bounds what comes
	// twice after a crash; at 1, syncing so often cost a seventh of the CPU of
	// a copy from file to file.
	CommitInFlights = 4

	// DrainTimeout is how long a stop waits for records in flight.
	DrainTimeout = 30 * time.Second

	// RetryMin and RetryMax bound the back-off of a transient error.
	RetryMin = 100 * time.Millisecond
	// RetryMax is the other end.
	RetryMax = 30 * time.Second

	// ExprNodes and ExprMemory bound one expression: nodes of its tree when
	// compiled, values it may allocate when run.
	ExprNodes = 10_000
	// ExprMemory is the other one.
	ExprMemory = 1_000_000

	// ExprBytes bounds the text of one expression: its parser recurses once per
	// character at worst, before it counts nodes.
	ExprBytes = 64 << 10

	// ExcerptBytes is how much of a record an error message quotes.
	ExcerptBytes = 120

	// ErrorHeaderBytes bounds each header that says why a record failed. An
	// error may quote what a server answered, and brokers count headers into
	// the size of a record.
	ErrorHeaderBytes = 4 << 10

	// SplitRecords bounds what one record may be split into.
	SplitRecords = 1_000_000

	// SplitBytes bounds the bytes of all that one record is split into: parts
	// may repeat the rest of the record, and none is sent before all are made.
	SplitBytes = 64 << 20

	// FlushInterval is how long written records stay unflushed while more keep
	// coming. An output that is idle is flushed at once.
	FlushInterval = time.Second

	// CloseTimeout is how long a pipeline that stops waits for the last commit
	// and for its components to close.
	CloseTimeout = 10 * time.Second

	// AbortGrace is how long a pipeline that is cut waits for a component that
	// does not return; then it goes without it.
	AbortGrace = 3 * time.Second

	// StageBatches is how many batches the workers of one stage may have under
	// way behind them, waiting for outputs to confirm.
	StageBatches = 64

	// HeaderBytes is how much memory for headers a batch keeps for its next
	// use.
	HeaderBytes = 1 << 20

	// SchemaDepth bounds one schema together with SchemaNodes and SchemaBytes: types within
	// types, types in all, and its text in any form. The largest schemas that
	// people register have some thousand fields.
	SchemaDepth = 128
	// SchemaNodes is the second of them.
	SchemaNodes = 20_000
	// SchemaBytes is the third.
	SchemaBytes = 4 << 20

	// DecimalDigits bounds precision and scale of a decimal: what PostgreSQL,
	// the widest of the databases, can hold before and behind the point.
	DecimalDigits = 147_455

	// ConvertedBytes bounds what one value may become when its schema changes:
	// a few bytes with a large scale are many digits.
	ConvertedBytes = 4 * RecordBytes
)
