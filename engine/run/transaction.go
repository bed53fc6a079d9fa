package run

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/flowrecords/flow/engine"
)

// transaction is the sealer of outputs that write in transactions which take
// positions, too. A cut commits where it seals: what is sealed is stored.
type transaction struct {
	r     *Runner
	tx    engine.Transaction // nil before begin
	first *output            // whose state tells how opening goes

	name    string // Options.TransactionName
	between func(engine.Transaction) engine.Transaction
}

// transacts reports whether the pipeline cuts by transactions.
func (r *Runner) transacts() (*transaction, bool) {
	if r.cuts == nil {
		return nil, false
	}
	t, ok := r.cuts.sealer.(*transaction)
	return t, ok
}

// open makes the transaction known to outputs, ends what a process before has
// left open, and takes the positions over those of the checkpoint: these may be
// of runs that did not deliver exactly once.
func (t *transaction) open(ctx context.Context) error {
	if err := t.make(); err != nil {
		return err
	}
	for {
		positions, err := t.tx.Open(ctx)
		if err == nil {
			t.first.retry.worked("opening")
			t.r.commits.mu.Lock()
			maps.Copy(t.r.commits.stored, positions)
			t.r.commits.mu.Unlock()
			return nil
		}
		again, ok := transient(err)
		if !ok {
			return fmt.Errorf("%s: %w", t.first.n.addr, err)
		}
		if err := t.first.retry.wait(ctx, "opening", again); err != nil {
			return err
		}
	}
}

// make has all outputs join the transaction.
func (t *transaction) make() error {
	s := engine.TransactionSettings{CommitInterval: t.r.settings.CommitInterval, Shared: true, Name: t.name}
	for _, i := range t.r.inputs {
		if _, ok := i.in.(engine.Enlister); !ok {
			s.Shared = false
		}
	}
	for _, o := range t.r.outputs {
		x, ok := o.out.(engine.Transactor)
		if !ok {
			continue
		}
		tx, err := x.Transact(s)
		if err != nil {
			return fmt.Errorf("%s: %w", o.n.addr, err)
		}
		if t.tx != nil && tx != t.tx {
			return fmt.Errorf("%s: a bug: it writes in a transaction of its own", o.n.addr)
		}
		t.tx = tx
		if t.first == nil {
			t.first = o
		}
	}
	if t.tx == nil {
		return errors.New("a bug: no output writes in transactions")
	}
	if t.between != nil {
		t.tx = t.between(t.tx)
	}
	return nil
}

func (t *transaction) seal(ctx context.Context, c *cutState) error {
	// What processors remember must never miss a record that is not read again.
	if err := t.r.commits.saveKept(ctx); err != nil {
		return err
	}
	positions := maps.Clone(c.positions)
	var offers []any
	for _, i := range t.r.inputs {
		e, ok := i.in.(engine.Enlister)
		if !ok || len(c.sources[i.host]) == 0 {
			continue
		}
		for s := range c.sources[i.host] {
			delete(positions, i.host.key(s.Info().ID))
		}
		offers = append(offers, e.Enlist(c.sources[i.host]))
	}
	if err := t.tx.Commit(ctx, positions, offers); err != nil {
		err = fmt.Errorf("%s: %w", t.first.n.addr, err)
		t.r.fail(err)
		return err
	}
	return nil
}

func (t *transaction) store(context.Context, map[string]engine.Position) error { return nil }

func (t *transaction) stored(context.Context) error { return nil }

// close takes back what is not committed.
func (p *phases) closeTransaction(ctx context.Context) {
	t, ok := p.r.transacts()
	if !ok || t.tx == nil {
		return
	}
	const name = "the transaction"
	p.step(func(ts *tasks) {
		ts.start(name, func() string { return name }, func() error { return t.tx.Close(ctx) })
	})
}
