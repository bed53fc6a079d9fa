package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/flowrecords/flow/engine/record"
)

// What an error of a component makes the engine do:
//
//	ErrEnd          Read: the bounded input is exhausted.
//	*RetryError     Open, Read, Write: again, with back-off, for as long as it takes.
//	*RecordErrors   Write: the named records are refused for good, all others
//	                are confirmed; the named ones go to the errors edge.
//	anything else   the pipeline stops with this error, nothing is lost.
//
// A Converter's Decode and Encode are about one record, so there it is the
// other way round:
//
//	*RetryError     again, with the back-off of the element, for as long as it takes.
//	*FatalError     the pipeline stops with this error, nothing is lost.
//	anything else   the record is refused and goes to the errors edge.

// ErrEnd is returned by Input.Read when a bounded input is exhausted.
var ErrEnd = errors.New("end of input")

// RetryError marks a transient failure: a server is away or busy.
type RetryError struct {
	Err error
	// After is the wait that the server asked for; 0: the engine's back-off.
	After time.Duration
}

// Retry wraps err as transient. Retry(nil) is nil.
func Retry(err error) error {
	if err == nil {
		return nil
	}
	return &RetryError{Err: err}
}

func (e *RetryError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RetryError) Unwrap() error { return e.Err }

// FatalError marks what no record is to blame for and no wait mends, such as
// credentials that are refused: records that come after it would fail alike.
type FatalError struct{ Err error }

// Fatal wraps err as one that stops the pipeline. Fatal(nil) is nil.
func Fatal(err error) error {
	if err == nil {
		return nil
	}
	return &FatalError{Err: err}
}

func (e *FatalError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *FatalError) Unwrap() error { return e.Err }

// RecordErrors names the records of a batch that the target refused for good.
type RecordErrors struct {
	// Reasons by index in the batch; at least one.
	Reasons map[int]error
}

func (e *RecordErrors) Error() string {
	first := -1
	for i := range e.Reasons {
		if first < 0 || i < first {
			first = i
		}
	}
	return fmt.Sprintf("%d records refused; record %d: %v", len(e.Reasons), first, e.Reasons[first])
}

// Skipped is handed to the done of Output.Write when the batch is confirmed
// but an option told the output to leave some of its records out. The engine
// counts them as dropped, for this reason (Invariant 3). It may be joined with
// *RecordErrors (errors.Join).
type Skipped struct {
	// Records that were left out.
	Records int64
	// Reason is a short fixed word: "tombstone".
	Reason string
}

func (e *Skipped) Error() string {
	return fmt.Sprintf("%d records left out: %s", e.Records, e.Reason)
}

// Problem is a mistake in the options of a component that its spec cannot
// express, found by Validate.
type Problem struct {
	// Option is the path of the option within the block: "linger",
	// "rotate.size", "case[1].where"; in a map the name in quotes, in a list the
	// number: fields["customer.id"], topics[2]. Empty: the block as a whole.
	Option string
	// Summary is short and stable: "linger is negative".
	Summary string
	// Detail says what to do, in whole sentences.
	Detail string
	// Missing is the path of a field that an option names and the records at its
	// place do not have; nil for every other mistake. It is one in the value, or
	// with InKey in the key. Where the pipeline is known as a whole, people are
	// told what became of it.
	Missing record.Path
	InKey   bool
}

// Validator is implemented by a *Config that has rules between its options.
type Validator interface {
	// Validate reports every mistake, each at its option. It is called after
	// all options are decoded and does no I/O.
	Validate() []Problem
}
