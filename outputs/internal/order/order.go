// Package order keeps the order of batches over retries, for outputs that
// have several batches under way.
//
// When a batch fails, the engine may hand over further ones before it notices.
// Were these written, they would overtake the failed one. So from the first
// failure on an Order lets no batch in but those that have failed, in their
// order: the rest is told to come again (ErrAgain).
package order

import (
	"cmp"
	"errors"
	"slices"

	"github.com/flowrecords/flow/engine"
)

// ErrAgain is why a batch is not taken.
var ErrAgain = errors.New("a batch before this one was not written")

// Turn is the place of a batch in the order, with what an output wants to
// remember of it until it comes again.
type Turn[T any] struct {
	Batch *engine.Batch
	State T

	seq uint64
}

// Order is the order of batches. Its user's mutex guards it.
type Order[T any] struct {
	seq  uint64
	owed []*Turn[T] // to be handed over again, in their order
}

// Admit gives b its turn, the one it had if it comes again; nil: others are
// before it, and it must fail with a *engine.RetryError.
func (o *Order[T]) Admit(b *engine.Batch) *Turn[T] {
	if len(o.owed) == 0 {
		return o.turn(b)
	}
	if t := o.owed[0]; t.Batch == b {
		o.owed = slices.Delete(o.owed, 0, 1)
		return t
	}
	if !slices.ContainsFunc(o.owed, func(t *Turn[T]) bool { return t.Batch == b }) {
		o.owed = append(o.owed, o.turn(b))
	}
	return nil
}

func (o *Order[T]) turn(b *engine.Batch) *Turn[T] {
	o.seq++
	return &Turn[T]{Batch: b, seq: o.seq}
}

// Owe notes that the batch of t has failed and will come again. It must be
// called before the engine learns of the failure.
func (o *Order[T]) Owe(t *Turn[T]) {
	i, found := slices.BinarySearchFunc(o.owed, t, func(a, b *Turn[T]) int { return cmp.Compare(a.seq, b.seq) })
	if !found {
		o.owed = slices.Insert(o.owed, i, t)
	}
}

// Owes reports whether batches are to come again.
func (o *Order[T]) Owes() bool { return len(o.owed) > 0 }

// Before reports whether the batch of t came before that of u.
func (t *Turn[T]) Before(u *Turn[T]) bool { return t.seq < u.seq }
