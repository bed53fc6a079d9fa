// Package observe counts what elements do and shows it as metrics, health and
// progress.
package observe

import (
	"sync/atomic"

	"github.com/flowrecords/flow/engine"
)

// Pipeline is a pipeline as it can be watched; *run.Runner is one. All methods
// may be called at any time by any goroutine.
type Pipeline interface {
	Name() string
	// Elements returns the counters of the elements in plan order.
	Elements() []*Element
	// Edges returns how much waits before each element.
	Edges() []Edge
	InFlight() InFlight
	// Progress of bounded inputs, by address.
	Progress() map[string]engine.Progress
	// Health of each element that connects to something, in plan order.
	Health() []Health
	// Ready reports whether all of them have been opened and none waits to
	// try again.
	Ready() bool
}

// Lagging is a Pipeline that tells how far its inputs are behind their systems,
// by address.
type Lagging interface {
	Lag() map[string][]engine.Lag
}

// Sending is a Pipeline that tells what its outputs do to get records to their
// systems, by address.
type Sending interface {
	Sending() map[string]engine.Sending
}

// State is what an element is doing.
type State string

// The states of an element.
const (
	Starting State = "starting" // not open yet
	Running  State = "running"
	Retrying State = "retrying" // waits to try again after a transient failure
	Ended    State = "ended"
)

// Health is the state of one element.
type Health struct {
	Element string
	State   State
	// Cause of Retrying; nil otherwise.
	Cause error
}

// Element counts one element of a pipeline. Counters only grow. They are
// written once a batch, never once a record, by the element's goroutines, and
// read by anyone.
type Element struct {
	Pipeline, Address string
	// DropReason says why the element drops records, if it always does so for
	// the same reason: a short fixed word. It never changes once the pipeline
	// runs. Reason knows more.
	DropReason string
	skipped    atomic.Pointer[string]

	// In and Out are records. An input's In is what it has read. An output's
	// Out is what it has confirmed. Out of a processor with several ports
	// counts a record once for each port that it goes to.
	In, Out atomic.Int64
	// Dropped are records that ended here on purpose, Errors those refused.
	Dropped, Errors atomic.Int64
	// Bytes of keys and values that an input has read, with what separates
	// them, or that an output has confirmed; 0 for a processor.
	Bytes atomic.Int64
	// Retries after transient failures.
	Retries atomic.Int64
	// BusyNanos is time spent working, BlockedNanos waiting for room
	// downstream. Processors that run as one stage share them: they count at
	// the first one.
	BusyNanos, BlockedNanos atomic.Int64
}

// Reason says why the element drops records; empty: it has dropped none.
func (e *Element) Reason() string {
	if s := e.skipped.Load(); s != nil {
		return *s
	}
	return e.DropReason
}

// Skip counts records that an option made the element leave out.
func (e *Element) Skip(records int64, reason string) {
	e.skipped.Store(&reason)
	e.Dropped.Add(records)
}

// Edge is how many batches wait before an element.
type Edge struct {
	Pipeline, To string
	Batches      int
}

// InFlight is what a pipeline has read and not confirmed.
type InFlight struct {
	Pipeline       string
	Records, Bytes int64
}
