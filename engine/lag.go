package engine

import "time"

// Lag is how far the reading of a source partition is behind its system.
type Lag struct {
	Topic     string
	Partition int32
	// Records that are there and not confirmed; an upper bound where a log has
	// gaps.
	Records int64
	// Age is how long the oldest of them has been there, as far as that can
	// be told; 0: there is none.
	Age time.Duration
}

// Lagger is an Input that knows how far behind it is. Lag may be called by any
// goroutine after New and asks nobody: it tells what is known.
type Lagger interface {
	Lag() []Lag
}

// InFlightLimiter is a Host that tells how many bytes of a pipeline may be read
// and not confirmed.
type InFlightLimiter interface {
	MaxInFlight() int64
}
