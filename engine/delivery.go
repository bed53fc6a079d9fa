package engine

import (
	"slices"

	"github.com/flowrecords/flow/engine/record"
)

// Delivery is what an input or output of one config promises about records
// beside what its options say. It is data for people and for lint: `flow
// explain` prints it, rules judge by it, and nothing runs differently for it.
//
// All texts are parts of a sentence: they begin with a small letter, end
// without a full stop and hold no secret (Invariant 7).
type Delivery struct {
	// Positions of an input says who keeps them, as what follows "kept by":
	// "consumer group orders of localhost:9092", "the sender, who sends again
	// what was not answered with 200". Empty: flow, in the pipeline's
	// checkpoint. It is set for every Committer.
	Positions string
	// Once of an input says why what it has read and not confirmed cannot be
	// read again: "a pipe delivers its bytes once". Such an input cannot keep
	// at_least_once over a crash, whatever the outputs do. Empty: it can.
	Once string
	// Resumes of an input with Positions says that it also begins at the
	// position that the checkpoint has of a partition, where that is ahead
	// (Host.Stored), so that exactly_once can be given with it.
	Resumes bool

	// Confirms of an output says when a record is confirmed, as what follows
	// "confirmed when": "all in-sync replicas have it (acks=all)".
	Confirms string
	// Lossy of an output says how a record may be lost although it was
	// confirmed: "a power cut takes what the system has not written yet".
	// Empty: it is not.
	Lossy string
	// Discards: the output throws away on purpose what it is given. It is then
	// not Lossy: the config says so.
	Discards bool
	// Idempotent of an output says why a record that comes twice changes
	// nothing: "a document replaces the one of the same id". Empty: it is there
	// twice then.
	Idempotent string
	// Marks of an output says that this config is a Marker: what came after the
	// last cut is taken back by the next start.
	Marks bool
	// Unmarked of an output that is none says why, and may say what to do: "a
	// file that rotates is not taken back once it has its name; remove rotate".
	// Empty: it cannot take back what it has written.
	Unmarked string

	// Transactions of an output says that this config is a Transactor, and of
	// an input that it is an Enlister: the address of its connection, which the
	// outputs and such inputs of a pipeline must share.
	Transactions string
	// Producer of such an output says how it writes. Outputs of one transaction
	// share a producer, so it must be the same: "compression snappy".
	Producer string
}

// Reads is what an expression or template reads of a record.
type Reads struct {
	// Value and Key are paths within the documents. The empty path is the
	// whole: no projection helps, all of it is decoded.
	Value, Key []record.Path
	// Headers and Meta are names; AllHeaders and AllMeta say that names are
	// not known beforehand.
	Headers, Meta       []string
	AllHeaders, AllMeta bool

	Topic, Partition, Offset, Timestamp bool
}

// Add adds what other reads, each path and name once.
func (r *Reads) Add(other Reads) {
	r.Value = addPaths(r.Value, other.Value)
	r.Key = addPaths(r.Key, other.Key)
	r.Headers = addNames(r.Headers, other.Headers)
	r.Meta = addNames(r.Meta, other.Meta)
	r.AllHeaders = r.AllHeaders || other.AllHeaders
	r.AllMeta = r.AllMeta || other.AllMeta
	r.Topic = r.Topic || other.Topic
	r.Partition = r.Partition || other.Partition
	r.Offset = r.Offset || other.Offset
	r.Timestamp = r.Timestamp || other.Timestamp
}

func addPaths(list, more []record.Path) []record.Path {
	for _, p := range more {
		if !slices.ContainsFunc(list, func(q record.Path) bool { return slices.Equal(p, q) }) {
			list = append(list, p)
		}
	}
	return list
}

func addNames(list, more []string) []string {
	for _, name := range more {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// Reader is an ExpressionSource or TemplateSource that says what it reads.
type Reader interface{ Reads() Reads }

// Changes is what a processor of one config may change of a record. Paths are
// of the value.
type Changes struct {
	// Reads are paths that it reads by itself, beside its expressions. The
	// empty path is the whole value.
	Reads []record.Path
	// WholeValue: the value is replaced, by one that holds any members.
	WholeValue bool
	// Sets and Removes are the paths that are written and taken away.
	Sets, Removes []record.Path
	// Moves are paths that get another name.
	Moves []Rename
	// Keeps, when it is not nil, are the only paths that stay.
	Keeps []record.Path
	// Headers are names that are set or removed. AllHeaders: any.
	Headers    []string
	AllHeaders bool

	Key, Topic, Timestamp bool
}
