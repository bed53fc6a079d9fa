package engine

import "context"

// Placer is a Committer that can show and move, for people, the positions that
// its system keeps: flow positions asks it. It is used on an input that was made
// by New and is never opened or closed; whatever a call acquires it gives back
// before it returns.
type Placer interface {
	Committer
	// Placement tells where the source partitions of the input stand. It changes
	// nothing and leaves no trace.
	Placement(ctx context.Context) (*Placement, error)
	// Moves tells how partitions would move: all that there are without ids, and
	// otherwise those, which must exist. to is "", which forgets the position, or
	// what Placement.Targets names. It changes nothing. An error is the user's.
	Moves(ctx context.Context, ids []string, to string) ([]Move, error)
	// Move moves them, all or, as the error tells, some. The system must refuse
	// while anybody reads with these positions.
	Move(ctx context.Context, moves []Move) error
}

// Placement is where the source partitions of an input stand.
type Placement struct {
	// Where names what keeps the positions: "consumer group orders of
	// localhost:9092".
	Where string
	// Busy says who reads with these positions, so that they cannot be moved:
	// "it has 2 members"; empty: nobody does.
	Busy string
	// Targets names what Moves understands, for messages: "earliest, latest, an
	// offset or a time".
	Targets string
	// Partitions in order of topic and number.
	Partitions []PlacedPartition
}

// PlacedPartition is one source partition of a Placement.
type PlacedPartition struct {
	ID string
	// Position of the next record; -1: none is kept.
	Position int64
	// Behind is how many records are there from the position on; -1: that is not
	// known.
	Behind int64
}

// Move is a change of one position; -1 stands for none.
type Move struct {
	ID       string
	From, To int64
	// Again is how many records are delivered again; below 0, left out. It is
	// meaningful if Known.
	Again int64
	Known bool
}

// PositionTeller is an Input that can say what a position in the checkpoint means:
// "byte 1200 of 4096". It is asked on an input that was made by New and is never
// opened, and may look at what id names. Empty: the number says it all.
type PositionTeller interface {
	TellPosition(id string, p Position) string
}
