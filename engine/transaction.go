package engine

import (
	"context"
	"time"
)

// Transactor is an Output whose system has transactions that also take the
// positions of inputs (Invariant 6). When all outputs of a pipeline that
// delivers exactly once write in transactions of one connection
// (TransactionsOf), a cut is the end of a transaction instead of a mark: either
// everything that was written since the cut before is there, with the
// positions behind it, or nothing of it.
type Transactor interface {
	Output
	// Transact is called once, before Open, and only in such a pipeline.
	// Outputs of one connection return the same Transaction. It does no I/O.
	Transact(s TransactionSettings) (Transaction, error)
}

// TransactionSettings are what a transaction must know of its pipeline.
type TransactionSettings struct {
	// CommitInterval is how long a transaction stays open as a rule.
	CommitInterval time.Duration
	// Shared: the positions of all inputs are kept by groups of workers
	// (Enlister), so that several processes may run this pipeline at once. Of
	// one that is not shared a later process ends the earlier.
	Shared bool
	// Name under which the transactions are made, and positions stored; empty:
	// that of the pipeline. A replay into a pipeline must not end those of the
	// pipeline itself.
	Name string
}

// Transaction is what the outputs of a pipeline write in: one after the other,
// each from the first record behind a cut to the end of the next cut. The
// engine calls Open, Commit and Close, one at a time.
type Transaction interface {
	// Open ends what a process before has left open, and returns the positions
	// that were committed last. It is called before any output is opened, and
	// once more after each *RetryError.
	Open(ctx context.Context) (map[string]Position, error)
	// Commit ends the transaction with these positions in it, while everything
	// that was written is confirmed and nothing enters. offers are what
	// Enlisters gave. After a *RestartError nothing of the transaction may be
	// taken for written.
	Commit(ctx context.Context, positions map[string]Position, offers []any) error
	// Close takes back what is not committed. It is called after all outputs
	// were closed, also when Open failed.
	Close(ctx context.Context) error
}

// Enlister is a Committer whose positions can go into the transaction of
// outputs of the same connection.
type Enlister interface {
	Committer
	// Enlist returns an offer that Transaction.Commit of the same system
	// understands: the positions, and what proves that the sources are still
	// with this worker when they are committed.
	Enlist(positions map[*Source]Position) any
}

// RestartError is an error after which everything since the last cut has to be
// read again: it ends the run, and whoever runs pipelines runs this one anew,
// from its stored positions. Nothing is lost and nothing comes twice.
type RestartError struct{ Err error }

func (e *RestartError) Error() string {
	return "everything since the last cut is read again: " + e.Err.Error()
}

func (e *RestartError) Unwrap() error { return e.Err }

// Restart wraps an error into a *RestartError. What is transient in err no
// longer asks for another try: that would write records twice.
func Restart(err error) error { return &RestartError{opaque{err}} }

// opaque hides what kind of error another is.
type opaque struct{ err error }

func (o opaque) Error() string { return o.err.Error() }

// TransactionsOf names the connection in whose transactions all outputs of a
// pipeline write, but for those that throw away or to which a repeat is
// nothing; empty: there is none.
func TransactionsOf(elements []*Element) string {
	name := ""
	for _, e := range elements {
		if e.Kind != KindOutput || e.Delivery.Discards {
			continue
		}
		switch t := e.Delivery.Transactions; {
		case t == "" && e.Delivery.Idempotent != "":
		case t == "", name != "" && t != name:
			return ""
		default:
			name = t
		}
	}
	return name
}

// enlistObstacle is about an input before outputs that write in transactions.
func enlistObstacle(d *Delivery, tx string) Obstacle {
	switch {
	case d.Once != "":
		return Obstacle{Why: "cannot be read again: " + d.Once, Remedy: "Put what can be read again in front, such as a file or a topic."}
	case d.Positions != "" && d.Transactions == "":
		return Obstacle{Why: "has its positions kept by " + d.Positions + ", which cannot go into a transaction of " + tx}
	case d.Positions != "" && d.Transactions != tx:
		return Obstacle{Why: "has its positions kept by " + d.Positions + ", which cannot go into a transaction of " + tx, Remedy: "Read over " + tx + ", too."}
	}
	return Obstacle{}
}

// producerObstacle is about an output that would need a producer of its own.
func producerObstacle(e *Element, elements []*Element) Obstacle {
	for _, other := range elements {
		if other == e {
			break
		}
		if d := &other.Delivery; other.Kind == KindOutput && d.Transactions != "" && d.Producer != e.Delivery.Producer {
			return Obstacle{
				Why:    "writes with " + e.Delivery.Producer + " and " + other.Address() + " with " + d.Producer + ", where one producer writes for all outputs of a transaction",
				Remedy: "Give them the same options.",
			}
		}
	}
	return Obstacle{}
}
