package run

import (
	"log/slog"
	"sync"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/observe"
)

// Health is the state of one element.
type Health = observe.Health

// State is what an element is doing.
type State = observe.State

// The states of an element.
const (
	Starting = observe.Starting
	Running  = observe.Running
	Retrying = observe.Retrying
	Ended    = observe.Ended
)

// node is one element of the pipeline.
type node struct {
	el    *engine.Element
	addr  string
	stats *observe.Element
	hide  func(string) string // Options.Hide
	log   *slog.Logger
	env   engine.Env

	// headers is Settings.ErrorHeaders, refused is Options.Refused.
	headers []string
	refused func(b *engine.Batch, i int, f *engine.Failure)

	// out holds the main port under "" and the named ones. errs is where
	// failed records of this element go; without readers they stop the
	// pipeline. All are fixed once New is done.
	out  map[string]*port
	errs *port
	in   *edge // nil for an input

	// mu guards state and cause: the element's goroutine writes, anyone reads.
	mu    sync.Mutex
	state State
	cause error
}

func (n *node) setState(s State, cause error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.state, n.cause = s, cause
}

func (n *node) health() Health {
	n.mu.Lock()
	defer n.mu.Unlock()
	return Health{Element: n.addr, State: n.state, Cause: n.cause}
}

// at is what tasks.start wants.
func (n *node) at() string { return n.addr }
