// Package observe counts what elements do and shows it as metrics, health and
// progress.
package observe

import "sync/atomic"

// Element counts one element of a pipeline. Counters only grow. They are
// written once a batch, never once a record, by the element's goroutines, and
// read by anyone.
type Element struct {
	Pipeline, Address string

	In, Out, Dropped, Errors, Bytes, Retries atomic.Int64
	// BusyNanos is time spent working, BlockedNanos waiting for room downstream.
	BusyNanos, BlockedNanos atomic.Int64
}
