package deadletters

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
)

// Where all outputs of a replay write in transactions of one connection, what
// was replayed is stored in them: each letter is in the outputs and known as
// replayed, or neither (Invariant 6). It is in the topic that holds positions,
// as those of a pipeline of the ledger's name: a range of letters of a part is
//
//	["orders#errors", "replayed/FROM/PART"]    {"offset": TO, "state": "HASH"}
//
// A range that has TO not above FROM holds nothing.
const sharedPrefix = "replayed/"

// TransactionName is the name under which a replay into a pipeline writes: the
// pipeline itself may run meanwhile.
func TransactionName(pipeline string) string { return ledgerName(pipeline) }

// NewLedger returns a ledger that knows of nothing and keeps nothing.
func NewLedger() *Ledger { return &Ledger{parts: map[string][]span{}} }

func sharedKey(part string, s span) string {
	return sharedPrefix + strconv.FormatInt(s.From, 10) + "/" + part
}

// readShared is the range that a position stands for; ok: it is one.
func readShared(key string, p engine.Position) (part string, s span, ok bool) {
	from, part, found := strings.Cut(strings.TrimPrefix(key, sharedPrefix), "/")
	if !found || !strings.HasPrefix(key, sharedPrefix) {
		return "", span{}, false
	}
	var err error
	if s.From, err = strconv.ParseInt(from, 10, 64); err != nil {
		return "", span{}, false
	}
	s.To = p.Offset
	if s.To > s.From {
		s.Hash, err = strconv.ParseUint(p.State, 16, 64)
	}
	return part, s, err == nil
}

func put(m *map[string]map[string]span, part, key string, s span) {
	if *m == nil {
		*m = map[string]map[string]span{}
	}
	if (*m)[part] == nil {
		(*m)[part] = map[string]span{}
	}
	(*m)[part][key] = s
}

// Learn adds what a topic of positions says was replayed.
func (l *Ledger) Learn(stored map[string]engine.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(stored)) {
		part, s, ok := readShared(key, stored[key])
		if !ok || s.To <= s.From || l.void[part][key] == s {
			continue
		}
		put(&l.shared, part, key, s)
		l.merge(entry{part: {s}})
	}
}

// share returns what a transaction must store so that e counts as replayed, and
// what to call when it has done so.
func (l *Ledger) share(e entry) (positions map[string]engine.Position, done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	positions = map[string]engine.Position{}
	after := &Ledger{parts: map[string][]span{}}
	for id := range e {
		after.parts[id] = slices.Clone(l.parts[id])
	}
	after.merge(e)
	changed := map[string]map[string]span{}
	for id, more := range e {
		for _, s := range after.parts[id] {
			if slices.ContainsFunc(more, func(x span) bool { return s.From <= x.From && x.To <= s.To }) {
				put(&changed, id, sharedKey(id, s), s)
			}
		}
	}
	for id, keys := range l.void {
		for key, s := range keys {
			if _, again := changed[id][key]; !again {
				positions[key] = engine.Position{Offset: s.From}
			}
		}
	}
	for _, keys := range changed {
		for key, s := range keys {
			positions[key] = engine.Position{Offset: s.To, State: strconv.FormatUint(s.Hash, 16)}
		}
	}
	return positions, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for id, keys := range changed {
			for key, s := range keys {
				put(&l.shared, id, key, s)
			}
		}
		l.void = nil
		l.merge(e)
	}
}

// learnWait bounds the wait for brokers that do not answer.
const learnWait = 10 * time.Second

// LearnFrom asks the connections in whose transactions outputs of the pipeline
// write what was replayed.
func (l *Ledger) LearnFrom(ctx context.Context, plan *engine.Plan, p *engine.Pipeline, env engine.Env) error {
	ctx, cancel := context.WithTimeout(ctx, learnWait)
	defer cancel()
	asked := map[string]bool{"": true}
	for _, e := range p.Elements {
		name := e.Delivery.Transactions
		if e.Kind != engine.KindOutput || asked[name] {
			continue
		}
		asked[name] = true
		for _, c := range plan.Connections {
			system, ok := c.Value.(checkpoint.System)
			if !ok || c.Name != name {
				continue
			}
			stored, err := system.PeekPositions(ctx, env, TransactionName(p.Name))
			if err != nil {
				return fmt.Errorf("reading what was replayed: %w", err)
			}
			l.Learn(stored.Positions)
		}
	}
	return nil
}

// Transacts is Options.Transacts of a replay.
func (r *Replay) Transacts(tx engine.Transaction) engine.Transaction {
	return &sharing{Transaction: tx, replay: r}
}

// sharing stores ranges of letters where the engine stores positions.
type sharing struct {
	engine.Transaction
	replay *Replay
}

// Open implements engine.Transaction. What another replay has stored before it
// was ended by this one is known from here on, which is before any is read.
func (t *sharing) Open(ctx context.Context) (map[string]engine.Position, error) {
	stored, err := t.Transaction.Open(ctx)
	if err != nil {
		return nil, err
	}
	t.replay.Set.Ledger.Learn(stored)
	return nil, nil
}

// Commit implements engine.Transaction.
func (t *sharing) Commit(ctx context.Context, positions map[string]engine.Position, offers []any) error {
	e, n := t.replay.below(positions)
	ranges, done := t.replay.Set.Ledger.share(e)
	if err := t.Transaction.Commit(ctx, ranges, offers); err != nil {
		return err
	}
	done()
	t.replay.landed(positions)
	t.replay.stored.Add(n)
	return nil
}
