package engine

import "time"

// Sending counts what an output does beyond records to get them to its system.
// The counters only grow.
type Sending struct {
	// Requests that were sent, repeats among them; Failed those without an answer.
	Requests, Failed int64
	// Took is how long all answered ones took together.
	Took time.Duration
	// Batches of records in the requests, their Bytes, and those Compressed, as
	// they went.
	Batches, Bytes, Compressed int64
	// Waiting bytes are handed to the client and not confirmed, now.
	Waiting int64
}

// Sender is an Output that counts its sending. Sending may be called by any
// goroutine after New and asks nobody.
type Sender interface {
	Sending() Sending
}
