package run

import (
	"context"
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
)

// kept is what one processor remembers, and where.
type kept struct {
	element string
	state   engine.State
	log     checkpoint.Log // nil: the store keeps positions only, or there is none
	entry   []byte         // scratch
	missed  bool           // an entry was not stored: a snapshot must come
}

// keep is called while stages are built.
func (c *committer) keep(element string, s engine.State) {
	c.kept = append(c.kept, &kept{element: element, state: s})
}

// replay brings back what processors remember, before any record comes.
func (c *committer) replay(ctx context.Context) error {
	keeper, ok := c.store.(checkpoint.Keeper)
	if !ok {
		return nil
	}
	for _, k := range c.kept {
		k.log = keeper.Log(k.element)
		if err := k.log.Replay(ctx, k.state.Replay); err != nil {
			return fmt.Errorf("%s: %w", k.element, err)
		}
		if err := k.log.Damage(); err != nil {
			c.r.log.Warn("a part of what a processor remembers was damaged; it begins without it", "element", k.element, "cause", err)
		}
	}
	return nil
}

// saveKept stores what processors remember. It comes before the positions:
// what is confirmed by then is in it.
func (c *committer) saveKept(ctx context.Context) error {
	for _, k := range c.kept {
		if k.log == nil {
			continue
		}
		err := k.save(ctx)
		c.log(ctx, k.element, err)
		if err != nil {
			return fmt.Errorf("%s: storing what it remembers: %w", k.element, err)
		}
	}
	return nil
}

func (k *kept) save(ctx context.Context) error {
	if k.missed || k.log.Long() {
		k.entry = k.state.Snapshot(k.entry[:0])
		err := k.log.Rewrite(ctx, k.entry)
		k.missed = err != nil
		return err
	}
	k.entry = k.state.Changes(k.entry[:0])
	if len(k.entry) == 0 {
		return nil
	}
	err := k.log.Append(ctx, k.entry)
	k.missed = err != nil
	return err
}
