package cli

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
)

// standings finds what is stored of a pipeline.
type standings struct {
	a    *app
	plan *engine.Plan
	p    *engine.Pipeline
	dir  string
}

func (s *standings) env(element string) engine.Env {
	return engine.Env{Pipeline: s.p.Name, Element: element, Logger: slog.New(slog.DiscardHandler), Now: time.Now, Version: s.a.Version}
}

func (s *standings) input(e *engine.Element) (engine.Input, error) {
	in, err := e.NewInput(s.env(e.Address()))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Address(), err)
	}
	return in, nil
}

// system returns the connection that holds positions of the pipeline, beside the
// folder; nil: none. taken: what it holds counts alone, once there is anything.
func (s *standings) system() (system checkpoint.System, taken bool) {
	if name := engine.TransactionsOf(s.p.Elements); s.p.Settings.Delivery == engine.ExactlyOnce && name != "" {
		for _, c := range s.plan.Connections {
			if x, ok := c.Value.(checkpoint.System); ok && c.Name == name && x.NoPositions() == "" {
				return x, false
			}
		}
	}
	x, ok := s.p.Settings.Checkpoint.Value.(checkpoint.System)
	return x, ok
}

// storedPosition is one entry of a store.
type storedPosition struct {
	key string
	p   engine.Position
	at  time.Time // when it was stored; zero: not known
	in  string
}

// stored returns the positions that the next run would go on from, by key.
func (s *standings) stored(ctx context.Context) ([]storedPosition, error) {
	all := map[string]storedPosition{}
	add := func(l *checkpoint.Listing, in string) {
		for key, p := range l.Positions {
			x := storedPosition{key: key, p: p, at: l.Last, in: in}
			if l.Stored != nil {
				x.at = l.Stored[key]
			}
			all[key] = x
		}
	}
	l, err := checkpoint.List(s.dir, s.p.Name)
	if err != nil {
		return nil, fmt.Errorf("reading positions from %s: %w", s.dir, err)
	}
	add(l, s.dir)
	if system, taken := s.system(); system != nil {
		l, err := system.PeekPositions(ctx, s.env("checkpoint"), s.p.Name)
		if err != nil {
			return nil, fmt.Errorf("reading positions from %s: %w", system.PositionsIn(), err)
		}
		if taken && len(l.Positions) > 0 {
			clear(all)
		}
		add(l, system.PositionsIn())
	}
	return slices.SortedFunc(maps.Values(all), func(a, b storedPosition) int {
		if a.key < b.key {
			return -1
		}
		return 1
	}), nil
}
