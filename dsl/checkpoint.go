package dsl

import (
	"fmt"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
)

// checkCheckpoint says why positions cannot be kept where checkpoint says.
func (l *loader) checkCheckpoint(p *pipeline) {
	at, ok := p.places["checkpoint"]
	if e := p.exprs["checkpoint"]; e != nil {
		at = e.Range()
	}
	system, is := p.settings.Checkpoint.Value.(checkpoint.System)
	if !ok || !is {
		return // what is wrong with the option itself is reported
	}
	name := p.settings.Checkpoint.Name
	refuse := func(detail string, args ...any) {
		l.report(rules.NoCheckpoint, at, "positions cannot be kept there", "%s", fmt.Sprintf(detail, args...))
	}
	if why := system.NoPositions(); why != "" {
		refuse("%s", why)
		return
	}
	known := p.known()
	if p.settings.Delivery == engine.ExactlyOnce && len(engine.ObstaclesOf(known)) == 0 {
		switch tx := engine.TransactionsOf(known); {
		case tx == "":
			refuse("With exactly_once into files, positions are stored as one with marks of what the files of this machine hold, and no other machine could go on there. Leave checkpoint out: they are in state_dir.")
			return
		case tx != name:
			refuse("With exactly_once the positions are in the transactions in which the outputs write, which are those of %s. Name it, or leave checkpoint out.", tx)
			return
		}
	}
	for _, e := range p.elements {
		if !e.ok || e.NewProcessor == nil {
			continue
		}
		env := l.opts.Env
		env.Pipeline, env.Element = p.name, e.Address()
		if made, err := e.NewProcessor(env); err == nil && engine.Remembers(made) {
			refuse("%s at %s remembers records in files beside the positions, and a process on another machine would begin without them. Leave checkpoint out, so that both are in state_dir, or leave the processor out.", e.Address(), e.Where)
			return
		}
	}
}

// known are the elements without a mistake of their own.
func (p *pipeline) known() []*engine.Element {
	var known []*engine.Element
	for _, e := range p.elements {
		if e.ok {
			known = append(known, &e.Element)
		}
	}
	return known
}
