package run

import (
	"context"
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine"
)

// converters opens and closes those of one element that need it. It belongs to
// the element's goroutine.
type converters struct {
	n      *node
	list   []engine.Opener
	opened int // how many of list Open was called on
}

func newConverters(n *node) *converters {
	c := &converters{n: n}
	for _, conv := range []engine.Converter{n.el.Value, n.el.Key, n.el.Headers} {
		if o, ok := conv.(engine.Opener); ok {
			c.list = append(c.list, o)
		}
	}
	return c
}

// open opens all, trying again for as long as it takes.
func (c *converters) open(ctx context.Context, retry *retrier) error {
	for i, conv := range c.list {
		for {
			c.opened = i + 1 // Close is called also when Open has failed
			err := conv.Open(ctx)
			if err == nil {
				break
			}
			again, ok := transient(err)
			if !ok || ctx.Err() != nil {
				return fmt.Errorf("opening its converter: %w", err)
			}
			if err := retry.wait(ctx, "opening its converter", again); err != nil {
				return err
			}
		}
		retry.worked("opening its converter")
	}
	return nil
}

// close closes what was opened.
func (c *converters) close(ctx context.Context) error {
	var errs []error
	for _, conv := range c.list[:c.opened] {
		errs = append(errs, conv.Close(ctx))
	}
	c.opened = 0
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s: closing its converter: %w", c.n.addr, err)
	}
	return nil
}
