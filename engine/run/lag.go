package run

import "github.com/flowrecords/flow/engine"

// MaxInFlight implements engine.InFlightLimiter.
func (h *host) MaxInFlight() int64 { return h.budget.max }

// Sending tells what outputs do to get records to their systems, by address,
// where they count it.
func (r *Runner) Sending() map[string]engine.Sending {
	m := make(map[string]engine.Sending)
	for _, o := range r.outputs {
		if s, ok := o.out.(engine.Sender); ok {
			m[o.n.addr] = s.Sending()
		}
	}
	return m
}

// Lag tells how far inputs are behind their systems, by address, where they
// know it.
func (r *Runner) Lag() map[string][]engine.Lag {
	m := make(map[string][]engine.Lag)
	for _, i := range r.inputs {
		if l, ok := i.in.(engine.Lagger); ok {
			m[i.n.addr] = l.Lag()
		}
	}
	return m
}
