package run

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// RecordError stops a pipeline: a record was refused for good and nothing
// reads the errors of the element that refused it.
type RecordError struct {
	Element string
	// Origin names the record at its source: orders.jsonl@10342, orders/3/991.
	Origin string
	Reason error
	// Excerpt is the beginning of the record, quoted so that a terminal or a
	// log can show it.
	Excerpt string
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("%s refused record %s: %v\nrecord: %s\nno element reads its errors: add an output with from = [errors] to keep such records, or correct the record",
		e.Element, e.Origin, e.Reason, e.Excerpt)
}

// Unwrap returns the reason.
func (e *RecordError) Unwrap() error { return e.Reason }

// shown is what people may see of a record's value.
func (n *node) shown(p []byte) []byte {
	if n.hide == nil || p == nil {
		return p
	}
	return []byte(n.hide(string(p)))
}

// excerpt shows the beginning of a record: as it is where a terminal can show
// it, quoted otherwise.
func excerpt(p []byte) string {
	if p == nil {
		return "null"
	}
	cut, more := len(p), ""
	if cut > limits.ExcerptBytes {
		for cut = limits.ExcerptBytes; cut > limits.ExcerptBytes-utf8.UTFMax && !utf8.RuneStart(p[cut]); cut-- {
		}
		more = "... (" + strconv.Itoa(len(p)) + " bytes)"
	}
	text := string(p[:cut])
	if text == "" || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		text = strconv.Quote(text)
	}
	return text + more
}

// failures collects the refused records of one goroutine until they are sent
// to the errors edges. A batch of them holds one encoding, so that bytes that
// could not be decoded stay as they came.
type failures struct {
	now  func() time.Time
	bare *record.Record // for records that are shown as they lie in a batch
	held []refused
}

type refused struct {
	n *node
	b *engine.Batch
}

func newFailures(now func() time.Time) *failures {
	return &failures{now: now, bare: record.NewRecord(record.NewLayout())}
}

// add takes record i of b, which n refused. r is the record as it entered n,
// nil when that is how it lies in b. The caller counts it.
func (f *failures) add(n *node, b *engine.Batch, i int, r *record.Record, reason error) error {
	n.stats.Errors.Add(1)
	if len(n.errs.readers) == 0 {
		return &RecordError{Element: n.addr, Origin: b.Origin(i), Reason: reason, Excerpt: excerpt(n.shown(b.Value.At(i)))}
	}
	failure := failureOf(n, b, i, reason)
	if r == nil {
		r = f.load(b, i)
	}
	f.label(n, r, &failure)
	if err := f.append(n, b, r); err != nil {
		// What the steps before made of it cannot be written: the record goes
		// as it came.
		r = f.load(b, i)
		f.label(n, r, &failure)
		if err := f.append(n, b, r); err != nil {
			return fmt.Errorf("%s: keeping the refused record %s: %w", n.addr, failure.Origin, err)
		}
	}
	last := f.held[len(f.held)-1].b
	last.Failures = append(last.Failures, failure)
	return nil
}

func (f *failures) load(b *engine.Batch, i int) *record.Record {
	b.Load(i, f.bare)
	return f.bare
}

// append stores r in the last batch, or in a fresh one of the group of b.
func (f *failures) append(n *node, b *engine.Batch, r *record.Record) error {
	if k := len(f.held); k > 0 && f.held[k-1].n == n {
		if ok, err := f.held[k-1].b.Append(r); ok || err != nil {
			return err
		}
	}
	fresh := engine.NewBatch()
	fresh.Attach(b)
	if _, err := fresh.Append(r); err != nil {
		return err
	}
	fresh.Inherit(b)
	f.held = append(f.held, refused{n, fresh})
	return nil
}

// send hands out what was collected.
func (f *failures) send(ctx context.Context) error {
	for _, x := range f.held {
		if err := x.n.errs.send(ctx, x.b, &x.n.stats.BlockedNanos); err != nil {
			return err
		}
	}
	clear(f.held)
	f.held = f.held[:0]
	return nil
}
