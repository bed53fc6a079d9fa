package engine

import (
	"context"
	"fmt"
	"sync"
)

// Checker is an Input, an Output or the value of a connection that can tell,
// without a run, whether it would work here and now: flow doctor asks it. A
// component that reaches nothing outside the process needs none.
type Checker interface {
	// Check looks at what the config needs and reports each thing that it
	// looked at. It is called at most once, from one goroutine, on a component
	// that was made by New and is never opened or closed: whatever Check
	// acquires it gives back before it returns. It returns soon after ctx ends.
	//
	// It must leave no trace: no file or topic is made, nothing is written,
	// joined, committed or locked for longer than the look takes, and no
	// request is sent that changes something. What could only be found out by
	// an effect is reported as unknown.
	//
	// Texts hold no secret (Invariant 7) and no content of records.
	Check(ctx context.Context, r *CheckReport)
}

// CheckStatus is what came out of one check.
type CheckStatus string

// The states of a check, the best one first.
const (
	// CheckOK: it works.
	CheckOK CheckStatus = "ok"
	// CheckUnknown: it cannot be found out without an effect, or not with the
	// rights that there are.
	CheckUnknown CheckStatus = "unknown"
	// CheckWarning: it works, and will not always, or not as somebody may think.
	CheckWarning CheckStatus = "warning"
	// CheckFailure: a run would fail or wait for ever.
	CheckFailure CheckStatus = "failure"
)

// Check is one thing that was looked at.
type Check struct {
	Status CheckStatus
	// What was looked at, a few words: "topic orders".
	What string
	// Detail is what was found.
	Detail string
	// Remedy says what to do, in whole sentences. A warning or failure has one.
	Remedy string
}

// CheckReport takes the results of one Checker, in their order. Any goroutine
// may use it.
type CheckReport struct {
	mu     sync.Mutex // guards checks
	checks []Check
}

// OK reports something that works.
func (r *CheckReport) OK(what, detail string, args ...any) {
	r.Add(Check{Status: CheckOK, What: what, Detail: fmt.Sprintf(detail, args...)})
}

// Unknown reports something that cannot be found out, and why. remedy may be
// empty.
func (r *CheckReport) Unknown(what, why, remedy string) {
	r.Add(Check{Status: CheckUnknown, What: what, Detail: why, Remedy: remedy})
}

// Warn reports something that works, but.
func (r *CheckReport) Warn(what, detail, remedy string) {
	r.Add(Check{Status: CheckWarning, What: what, Detail: detail, Remedy: remedy})
}

// Fail reports something with which a run would not work.
func (r *CheckReport) Fail(what, detail, remedy string) {
	r.Add(Check{Status: CheckFailure, What: what, Detail: detail, Remedy: remedy})
}

// Add reports a check that is complete.
func (r *CheckReport) Add(c Check) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checks = append(r.checks, c)
}

// Checks returns what was reported so far.
func (r *CheckReport) Checks() []Check {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Check(nil), r.checks...)
}
